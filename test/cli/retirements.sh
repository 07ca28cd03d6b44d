#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: retirements.sh PROGRAM
#
# recover, restore and list-retirements by themselves: what they answer when
# called wrongly, when there is nothing, and over journals that are written
# here, in a mount namespace with a /run and a /var/lib of its own. Prints TAP.

set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
program=$(realpath -e "${1:-$here/../../build/cli/dax-retire}") || exit 99
count=0
failed=0

skip_all()
{
	echo "1..0 # SKIP $*"
	exit 0
}

if [[ ${RETIREMENTS_INSIDE-} != yes ]]; then
	[[ $(id -u) == 0 ]] || skip_all "needs root, to mount over /run and /var/lib"
	[[ $program != /run/* && $program != /var/lib/* ]] || skip_all "the program lies where this mounts"
	unshare --mount --propagation private true 2>/dev/null ||
		skip_all "this machine does not let us make a mount namespace"
	python3 -c 'import jsonschema' 2>/dev/null || skip_all "needs python3-jsonschema"
	command -v jq >/dev/null || skip_all "needs jq"
	RETIREMENTS_INSIDE=yes exec unshare --mount --propagation private "$here/retirements.sh" "$program"
fi

mount -t tmpfs -o mode=755 none /run && mount -t tmpfs -o mode=755 none /var/lib || exit 99
work=$(mktemp -d "${TMPDIR:-/tmp}/retirements.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
state=/var/lib/dax-retire
now=/run/dax-retire/journal

check() # NAME COMMAND...
{
	local name=$1
	shift
	count=$((count + 1))
	if "$@" >"$work/why" 2>&1; then
		echo "ok $count - $name"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $count - $name"
	sed 's/^/#   /' "$work/why" "$work/out" "$work/err"
}

# run TOOL COMMAND [ARG...]: what it said is in out and err, its exit code in rc
run()
{
	rc=0
	LC_ALL=C timeout 60 "$program" "$@" >"$work/out" 2>"$work/err" </dev/null || rc=$?
}

# answers EXIT RESULT TEXT: JSON of the schema with that result, and a line for people with that text
answers()
{
	[[ $rc == "$1" ]] || { echo "exit code $rc"; return 1; }
	"$here/check-schema" <"$work/out" || return
	jq -e --arg result "$2" '.result == $result' <"$work/out" || return
	[[ ! $3 ]] || grep -qF -- "$3" "$work/err"
}

# misuse TEXT: usage on stderr, nothing on stdout
misuse()
{
	[[ $rc == 129 && ! -s $work/out ]] && grep -qF -- "$1" "$work/err" && grep -q '^ usage: ' "$work/err"
}

has() # JQ
{
	jq -e "$1" <"$work/out"
}

# journal DIRECTORY ID BOOT [RECORD...]: one of namespace0.0, or of the card that $card_serial is of, with these
# records after its plan; the checksums are those of journal.h
journal()
{
	mkdir -p -m 700 /run/dax-retire "$1"
	python3 - "$@" <<-'PYTHON'
		import json, os, sys, zlib
		place, name, boot = sys.argv[1:4]
		device = {"dev": "namespace0.0", "path": "/sys/devices/none/namespace0.0", "driver_device": "pfn0.0",
		          "driver": "nd_pmem", "node": "pmem0", "type": "pmem-namespace", "mode": "fsdax",
		          "enabled": True, "number": "4095:1048575", "size": 1071644672}
		serial = os.environ.get("card_serial")
		if serial:
		    device = {"dev": "mem0", "path": "/sys/devices/none/0000:35:00.0/mem0", "driver_device": "mem0",
		              "driver": "cxl_mem", "type": "cxl-memdev", "enabled": True, "number": "0:0",
		              "cxl": {"serial": int(serial), "host": "0000:35:00.0", "targets": []}}
		if os.environ.get("card_slot"):
		    device["cxl"]["slot"] = os.environ["card_slot"]
		plan = {"journal": 1, "id": name, "boot": boot, "time": 1795162500, "pid": 1,
		        "command": "retire-namespace", "evict": "stop", "allow": [], "grace_ms": 1000,
		        "timeout_ms": 60000, "devices": [device],
		        "steps": [{"step": "claim", "device": 0, "subject": "pmem0"},
		                  {"step": "unbind", "device": 0, "subject": "pfn0.0"}]}
		text, total = "", 0
		for record in [json.dumps(plan)] + sys.argv[4:]:
		    total = zlib.crc32(record.encode(), total)
		    text += "%08x %s\n" % (total, record)
		with os.fdopen(os.open(place + "/" + name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
		    file.write(text)
	PYTHON
}

# state_is ID STATE RESTORABLE
state_is()
{
	run ndctl list-retirements "$1"
	answers 0 listed '' && has ".retirements[0] | .state == \"$2\" and .restorable == $3 and .devices == [\"namespace0.0\"]"
}

usage()
{
	local tool command object
	for tool in ndctl daxctl cxl; do
		run $tool restore
		check "$tool restore: takes a name" misuse "specify a device or retirement"
		for command in recover restore list-retirements; do
			object=retirement
			[[ $command != restore ]] || object="device or retirement"
			run $tool $command one two
			check "$tool $command: no two names" misuse "one $object at a time"
			run $tool $command --frobnicate
			check "$tool $command: no unknown option" misuse "unknown option '--frobnicate'"
			run $tool $command --list-opts
			check "$tool $command: tells its options" grep -q -e '--quiet' "$work/out"
		done
		run $tool recover --dry-run
		check "$tool recover: has no dry run" misuse "unknown option '--dry-run'"
	done
}

nothing()
{
	local id=20261121T132956-eecb name
	run ndctl list-retirements
	check "there is none: an empty list" answers 0 listed ''
	check "there is none: it makes no directory" test ! -e /run/dax-retire
	run ndctl recover
	check "there is none: nothing to do" answers 0 nothing-to-do 'nothing to do'
	run ndctl recover --quiet
	check "there is none: nothing to say" test ! -s "$work/err"
	for name in "$id" namespace0.0 all ../../etc/passwd '' $'\e[31m'; do
		run ndctl recover "$name"
		check "recover of an unknown id ${name@Q}" answers 1 error 'no retirement has such an id'
		run ndctl list-retirements "$name"
		check "list-retirements of an unknown id ${name@Q}" answers 1 error 'no retirement has such an id'
	done
	run ndctl restore "$id"
	check "restore of an unknown id" answers 1 error "$id: no retirement has such an id (see 'list-retirements')"
	for name in namespace0.0 all ../../etc/passwd ''; do
		run ndctl restore "$name"
		check "restore of an unknown device ${name@Q}" answers 1 error 'no retirement is known'
	done
	check "no journal was made" bash -c '! ls /var/lib/dax-retire/* /run/dax-retire/journal/* 2>/dev/null'
}

states()
{
	local boot done=20261101T000000-0001 cut=20261102T000000-0002 old=20261103T000000-0003 gone=20261104T000000-0004
	boot=$(cat /proc/sys/kernel/random/boot_id)
	journal $state $done "$boot" '{"commit":true}' '{"end":"retired","time":1795162512}'
	journal $state $cut "$boot"
	journal $now $cut "$boot" '{"at":0,"state":"begun"}'
	journal $state $old before
	journal $state $gone before '{"commit":true}'
	check "retired" state_is $done retired true
	check "it says since when" has '.retirements[0] | .since == "2026-11-20T08:15:00Z" and .ended == "2026-11-20T08:15:12Z"'
	check "interrupted" state_is $cut interrupted false
	check "it says where" has '.retirements[0] | .phase == "claim" and .step == "claim pmem0" and (has("ended") | not)'
	check "expired" state_is $old expired false
	check "expired after the commit" state_is $gone expired true
	run daxctl list-retirements
	check "all of them, the oldest first" has "[.retirements[].id] == [\"$done\", \"$cut\", \"$old\", \"$gone\"]"
	run ndctl restore $cut
	check "restore leaves what was cut to recover" answers 1 error "'recover' puts back what was begun"
	run ndctl restore -n namespace0.0
	check "restore refuses where there is no such namespace any more" answers 2 refused 'namespace0.0'
	check "but says what it would do, in its own words" has '[.steps[] | .step] == ["enable"]'
	run ndctl recover $old
	check "recover of one" answers 0 nothing-to-do ''
	check "it says of which" has "[.retirements[] | .id, .state] == [\"$old\", \"expired\"]"
	run cxl recover
	check "recover of all" answers 0 recovered recovered
	check "it says what became of them" has "[.retirements[] | .id, .state] == [\"$cut\", \"rolled-back\", \"$gone\", \"expired\"]"
	check "rolled back" state_is $cut rolled-back false
	check "the journal of this boot is gone" test ! -e $now/$cut
	run ndctl recover
	check "again: nothing to do" answers 0 nothing-to-do ''
}

# A card is not only called by the name that it had
cards()
{
	local boot first=20261106T000000-0006 second=20261107T000000-0007 cut=20261108T000000-0008 name
	local third=20261107T000001-0009
	boot=$(cat /proc/sys/kernel/random/boot_id)
	export card_serial=1000
	journal $state $first "$boot" '{"commit":true}' '{"end":"retired","time":1795162512}'
	card_serial=2000 journal $state $second "$boot" '{"commit":true}' '{"end":"retired","time":1795162513}'
	for name in 1000 0x3e8; do
		run cxl restore -n $name
		check "restore of a card by its serial number $name" answers 2 refused 'serial 0x3e8'
	done
	for name in mem0 0000:35:00.0; do
		run cxl restore -n $name
		check "restore of a card by $name: the newest that fits" answers 2 refused 'serial 0x7d0'
	done
	card_slot=7 card_serial=3000 journal $state $third "$boot" '{"commit":true}' '{"end":"retired","time":1795162514}'
	run cxl restore -n 3000
	check "restore of a card that was pulled, and not switched off by us" answers 2 refused 'slot 7 has no power, or is empty'
	for name in 0x3e80 3e8 0000:35:00 0000:35:00.00 0 ''; do
		run cxl restore -n "$name"
		check "restore of no card ${name@Q}" answers 1 error 'no retirement is known'
	done
	run ndctl restore -n 0x3e8
	check "restore of a card is a matter of cxl" answers 1 error 'no retirement is known'
	journal $state $cut "$boot"
	journal $now $cut "$boot" '{"at":0,"state":"begun"}'
	for name in 0x3e8 mem0; do
		run cxl recover $name
		check "recover takes an id only, not $name" answers 1 error 'no retirement has such an id'
	done
	check "it stays as it is" state_is_of mem0 $cut interrupted
	run cxl recover $cut
	check "recover of a card by the id" answers 0 recovered recovered
	unset card_serial
	rm $state/$first $state/$second $state/$third $state/$cut
}

# state_is_of DEVICE ID STATE
state_is_of()
{
	run cxl list-retirements "$2"
	answers 0 listed '' && has ".retirements[0] | .state == \"$3\" and .devices == [\"$1\"]"
}

# Another process has the lock
at_work()
{
	local fd
	exec {fd}>>/run/dax-retire/lock
	flock "$fd"
	run ndctl recover
	check "recover while one is at work: exit 0" answers 0 in-progress 'in progress'
	run ndctl restore namespace0.0
	check "restore while one is at work: exit 1" answers 1 in-progress 'in progress'
	run ndctl restore --wait=0.2 namespace0.0
	check "restore that waited in vain" answers 1 in-progress 'in progress'
	run ndctl list-retirements
	check "list-retirements needs no lock" answers 0 listed ''
	exec {fd}>&-
}

damaged()
{
	local bad=20261105T000000-0005
	journal $now $bad "$(cat /proc/sys/kernel/random/boot_id)" '{"at":0,"state":"begun"}' '{"at":0,"state":"done"}'
	sed -i '2s/begun/BEGUN/' $now/$bad
	run ndctl list-retirements $bad
	check "unreadable" has '.retirements[0].state == "unreadable"'
	run ndctl recover
	check "recover names what is damaged" answers 4 stuck 'look at the machine by hand'
	check "and leaves it there" test -s $now/$bad
	rm $now/$bad
	chmod 777 $state
	run ndctl list-retirements
	check "a directory that others may write is refused" answers 1 error 'cannot list the journals in /var/lib/dax-retire'
	chmod 700 $state
}

usage
nothing
states
cards
at_work
damaged
echo "1..$count"
[[ $failed == 0 ]]
