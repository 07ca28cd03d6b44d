# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
# guest: --pmem 1026M --pmem 514M
#
# A retirement that is cut at any instant, and what brings the machine back.

cut=$build/test/helpers/cut

# A file system with two mounts (a bind, one in another namespace), a tmpfs
# inside, swap, and content; snapshot in $work/before
setup_loaded()
{
	fresh_xfs
	mkdir -p "$mnt/sub" /mnt/bind
	dd if=/dev/urandom of="$mnt/kept" bs=64k count=16 status=none
	sync -f "$mnt"
	sum=$(sha256sum <"$mnt/kept")
	mount --bind "$mnt/sub" /mnt/bind
	mount -o remount,bind,ro,nodev /mnt/bind
	hold mount-ns
	inside=$held
	swapoff /dev/pmem1 2>/dev/null
	mkswap -f /dev/pmem1 >/dev/null && swapon -p 5 /dev/pmem1 || failed=1
	[[ ${1-} != tmpfs ]] || setup_inner
	snapshot_all >"$work/before"
}

# Something that would be gone for good if its last descriptor went
setup_inner()
{
	mkdir -p "$mnt/inner"
	mount -t tmpfs -o size=1M none "$mnt/inner"
	echo precious >"$mnt/inner/file"
}

# In both mount namespaces
snapshot_all()
{
	snapshot
	sed 's/^[0-9]* [0-9]* [0-9:]* //' "/proc/$inside/mountinfo" | grep /dev/pmem | sort
}

clean_up_loaded()
{
	local at
	umount "$mnt/inner" 2>/dev/null
	swapoff /dev/pmem1 2>/dev/null
	kill -KILL "$inside"
	for at in /mnt/bind "$mnt"; do
		while umount "$at" 2>/dev/null; do :; done
	done
}

is_as_before()
{
	snapshot_all >"$work/after"
	expect "$1: everything is as it was" diff "$work/before" "$work/after"
	expect "$1: it takes writes" can_write
	expect "$1: what was written is there" test "$sum" = "$(sha256sum <"$mnt/kept")"
	[[ ! -d $mnt/inner ]] || expect "$1: what the tmpfs had is there" grep -q precious "$mnt/inner/file"
}

is_retired()
{
	expect "$1: no mount is left" bash -c '! grep -q /dev/pmem /proc/*/mountinfo'
	expect "$1: no swap is left" bash -c '! grep -q pmem /proc/swaps'
	expect "$1: no block device is left" bash -c '! ls -d /sys/block/pmem*'
}

# expect_whole: the machine is as it was, or retired
expect_whole()
{
	if [[ -e /sys/block/pmem0 ]]; then
		is_as_before "$1"
	else
		is_retired "$1"
	fi
}

both="namespace0.0 namespace1.0"

scenario_what_was_retired_is_restored()
{
	setup_second
	setup_loaded
	retire $both --evict=stop
	expect_exit 0
	is_retired retired
	retirements
	expect_json '.retirements[0] | .state == "retired" and .restorable and .devices == ["namespace0.0", "namespace1.0"]'
	restore namespace0.0 --dry-run
	expect_exit 0
	expect_json '.result == "planned" and ([.steps[].step] == ["enable", "mount", "mount", "mount"] or ([.steps[].step] | length) >= 3)'
	is_retired "a dry run changes nothing"
	restore "$(jq -r .id <(ndctl_ours list-retirements | jq '.retirements[0]'))"
	expect_exit 0
	expect_json '.result == "restored" and .changed and all(.verify[]; .ok)'
	is_as_before restored
	retirements
	expect_json '.retirements[0] | .state == "restored" and (.restorable | not)'
	restore namespace0.0
	expect_exit 1
	clean_up_loaded
}

setup_second()
{
	ndctl create-namespace -f -m fsdax -M mem -e namespace1.0 >/dev/null || failed=1
	wait_until 10 test -b /dev/pmem1 || failed=1
}

ndctl_ours() { "$program" ndctl "$@"; }

# cut_by WHO: cut at each record of the journal in turn, or at those that CUTS
# draws: every third or so. Where it comes back as it was, it is cut again.
cut_by()
{
	local record ready='' every=${CUTS:-1}
	setup_second
	for ((record = 1 + RANDOM % every; ; record += every)); do
		[[ $ready ]] || setup_loaded tmpfs
		ready=
		"$cut" "$record" "$1" "$program" ndctl retire-namespace $both --evict=stop \
			--allow=volatile-mount >"$work/cut" 2>"$work/cut.err"
		rc=$?
		echo "# $1: $(cut -c1-150 "$work/cut")"
		if ((rc == 1)); then
			expect "the last one was not cut" is_retired "the last one"
			return
		fi
		expect "$1 at $record: it can be recovered" wait_until 20 recovered
		expect_exit 0
		expect_json '.result == "recovered" or .result == "nothing-to-do"'
		recover
		expect_json '.result == "nothing-to-do"'
		expect_whole "$1 at $record"
		((failed == 0)) || return
		if [[ -e /sys/block/pmem0 ]]; then
			ready=yes
			continue
		fi
		bring_back
	done
}

bring_back()
{
	ndctl enable-namespace all >/dev/null 2>&1
	wait_until 10 test -b /dev/pmem0
	wait_until 10 test -b /dev/pmem1
	clean_up_loaded
}

scenario_tool_and_guardian_are_killed_at_any_record()
{
	cut_by both
}

scenario_the_tool_is_killed_at_any_record()
{
	cut_by tool
}

scenario_the_guardian_is_killed_at_any_record()
{
	cut_by guardian
}

scenario_what_is_mounted_in_between_is_not_mounted_twice()
{
	setup_second
	setup_loaded
	cut_when_unmounted $both --evict=stop
	mount -o dax=always /dev/pmem0 "$mnt" || failed=1
	recover
	expect_exit 0
	is_as_before "with an admin in between"
	clean_up_loaded
}

# As soon as the file system is away; before that it is put back and cut again, a record later
cut_when_unmounted()
{
	local record
	for ((record = 8; record < 60; record++)); do
		"$cut" "$record" both "$program" ndctl retire-namespace "$@" >"$work/cut" 2>"$work/cut.err" || break
		is_mounted || return 0
		wait_until 20 recovered
	done
	failed=1
	echo "# it was never cut when unmounted: $(cat "$work/cut")"
}

scenario_one_at_a_time()
{
	local first
	setup_xfs /dev/pmem0 "$mnt"
	echo content >"$mnt/file"
	hold --ignore-term open "$mnt/file"
	"$program" ndctl retire-namespace namespace0.0 --evict=term --grace=20 >"$work/first" 2>&1 &
	first=$!
	wait_until 10 test -e /run/dax-retire/lock
	wait_until 20 is_running
	expect_json '.retirements[0] | .phase == "ask" and (.step | test("terminate|grace"))'
	recover
	expect_exit 0
	expect_json '.result == "in-progress" and (.message | test("pid [0-9]"))'
	retire namespace0.0 --evict=kill
	expect_exit 1
	expect_json '.result == "in-progress"'
	wait "$first"
	expect "the first one ended by itself" grep -q '"result":"rolled-back"' "$work/first"
	recover
	expect_json '.result == "nothing-to-do"'
	kill -KILL "$held"
}

is_running()
{
	retirements
	[[ $(jq -r '.retirements[-1].state' "$work/out") == running ]]
}

# Nothing is begun where it could not be written down
scenario_the_journals_disk_is_full_or_read_only()
{
	fresh_ext4
	snapshot >"$work/before"
	mkdir -p /var/lib/dax-retire
	mount -t tmpfs -o mode=700,size=4k,nr_inodes=10 none /var/lib/dax-retire
	dd if=/dev/zero of=/var/lib/dax-retire/full bs=4k count=1 status=none
	retire namespace0.0 --evict=stop
	expect_exit 1
	expect_json '.result == "error" and (.changed | not) and (.message | test("journal"))'
	mount -o remount,ro /var/lib/dax-retire
	retire namespace0.0 --evict=stop
	expect_exit 1
	expect_json '.result == "error" and (.changed | not) and (.message | test("[Rr]ead-only"))'
	umount /var/lib/dax-retire
	snapshot >"$work/after"
	expect "nothing changed" diff "$work/before" "$work/after"
	expect "no journal is left" bash -c '! ls /run/dax-retire/journal/* /var/lib/dax-retire/*'
	# no tool of ours may lie on what it takes away
	umount "$mnt" && mount /dev/pmem0 /var/lib/dax-retire && chmod 700 /var/lib/dax-retire
	retire namespace0.0 --evict=kill
	expect_exit 2
	expect_json '[.vetoes[] | select(.code == "journal" and .severity == "critical")] | length == 1'
	umount /var/lib/dax-retire
	retire namespace0.0
	expect_retired
}

scenario_a_damaged_journal_is_named_and_left_alone()
{
	local journal
	fresh_ext4
	"$cut" 3 both "$program" ndctl retire-namespace namespace0.0 --evict=stop >/dev/null
	journal=$(ls /run/dax-retire/journal/*)
	sed -i '2s/steps/stops/' "$journal"
	recover
	expect_exit 4
	expect_json '.result == "stuck" and (.stuck[0].message | test("record 2"))'
	retire namespace0.0 --evict=stop
	expect_exit 1
	expect "it is left alone" test -e "$journal"
	rm "$journal" "/var/lib/dax-retire/${journal##*/}"
	retire namespace0.0 --evict=stop
	expect_retired
}

# The disk is pulled while nobody is there to notice
scenario_the_device_vanished_in_between()
{
	fresh_ext4
	snapshot >"$work/before"
	cut_when_unmounted namespace0.0 --evict=stop
	ndctl disable-namespace namespace0.0 >/dev/null
	recover
	expect_exit 0
	expect_json '.result == "recovered"'
	expect_json '[.losses[] | select(.kind == "mount")] | length == 1'
	retire namespace0.0
	expect_exit 0
}

scenario_a_region_is_restored()
{
	setup_xfs /dev/pmem0 "$mnt"
	echo kept >"$mnt/kept"
	# instances of the region are numbered anew
	snapshot | grep -v /sys/bus >"$work/before"
	run ndctl retire-region region0 --evict=stop
	expect_exit 0
	restore region0 --dry-run
	expect_exit 0
	restore region0
	expect_exit 0
	snapshot | grep -v /sys/bus >"$work/after"
	expect "everything is as it was" diff "$work/before" "$work/after"
	expect "the namespace is as it was" \
		bash -c 'ndctl list -n namespace0.0 | jq -e ".[0] | .mode == \"fsdax\" and .blockdev == \"pmem0\""'
	expect "what was written is there" grep -q kept "$mnt/kept"
}

# 200 times in the full check
scenario_retired_and_restored_again_and_again()
{
	local i mounts rounds=$((${ROUNDS:-20} < 20 ? 2 * ROUNDS : 200))
	fresh_ext4
	mkdir -p "$mnt/sub" /mnt/bind
	mount --bind "$mnt/sub" /mnt/bind
	snapshot >"$work/before"
	mounts=$(wc -l </proc/self/mountinfo)
	for ((i = 1; i <= rounds; i++)); do
		retire namespace0.0 --evict=stop
		expect_exit 0
		restore namespace0.0
		expect_exit 0
		((failed == 0)) || break
	done
	snapshot >"$work/after"
	expect "everything is as it was" diff "$work/before" "$work/after"
	expect "no mount is left over" test "$mounts" = "$(wc -l </proc/self/mountinfo)"
	expect "no journal of this boot is left" bash -c '! ls /run/dax-retire/journal/*'
	expect "the lasting ones are kept within bounds" test "$(ls /var/lib/dax-retire | wc -l)" -le 34
	expect "nothing but the lock is left" test "$(ls /run/dax-retire)" = "$(printf 'journal\nlock')"
	echo "# figure: $((i - 1)) rounds, the last retired and restored in $ms ms"
	umount /mnt/bind
}

