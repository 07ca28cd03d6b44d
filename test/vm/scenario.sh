# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What scenarios are written with: the program, holders, and expectations. A
# scenario is a function named scenario_…; it runs in a fresh process of a
# guest and fails when one of its expectations does.

set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
. "$here/lib.sh"
build=${BUILD:?where the program was built}
program=$build/cli/dax-retire
mkholder=$build/test/helpers/mkholder
work=${WORK:?a directory to work in}
mnt=/mnt/data
failed=0

# run ARG...: the program; stdout and stderr go to $work/{out,err}, the exit code to $rc, milliseconds to $ms
run()
{
	local start=${EPOCHREALTIME/[.,]/}
	"$program" "$@" >"$work/out" 2>"$work/err"
	rc=$?
	ms=$(((${EPOCHREALTIME/[.,]/} - start) / 1000))
}

retire() { run ndctl retire-namespace "$@"; }
recover() { run ndctl recover "$@"; }
restore() { run ndctl restore "$@"; }
retirements() { run ndctl list-retirements "$@"; }

# A guardian or a child of the one that was killed may be at it for a moment
recovered()
{
	recover
	[[ $(jq -r .result "$work/out") != in-progress ]]
}

# The commit is being written down: 75 is fdatasync(2), which a child of its own does
is_syncing()
{
	local pid
	for pid in $(pgrep -x dax-retire); do
		grep -qs '^75 ' "/proc/$pid/syscall" && return
	done
	return 1
}

list_holders() { run ndctl list-holders "$@"; }

# expect WHAT COMMAND...: COMMAND succeeds
expect()
{
	local what=$1
	shift
	"$@" >"$work/expect" 2>&1 && return
	failed=1
	echo "# expected: $what ($*)"
	sed 's/^/#   /' "$work/expect" | head -20
}

# expect_exit CODE: of the last run; shows what it said when it was another
expect_exit()
{
	[[ $rc == "$1" ]] && return
	failed=1
	echo "# expected exit $1, got $rc after $ms ms"
	sed 's/^/#   err: /' "$work/err" | head -30
	jq -c '{result, message, vetoes: [.vetoes[]? | select(.stands)], steps: [.steps[]? | select(.state == "failed")], stuck}' \
		"$work/out" 2>&1 | sed 's/^/#   out: /' | cut -c1-1500
}

# expect_json FILTER: true of the last run's output
expect_json()
{
	jq -e "$1" "$work/out" >/dev/null 2>&1 && return
	failed=1
	echo "# expected of the output: $1"
	jq -c . "$work/out" 2>&1 | cut -c1-2500 | sed 's/^/#   /'
}

# a result that is whole: valid by the schema, and the machine agrees with it
expect_retired()
{
	expect_exit 0
	expect_json '.result == "retired" and .changed and .devices[0].unused and (.stuck // [] | length == 0)'
	expect_json 'all(.verify[]; .ok != false)'
	expect "no mount is left" bash -c '! grep -q "/dev/$1" /proc/*/mountinfo' - "${1:-pmem0}"
	expect "no block device is left" test ! -e "/sys/block/${1:-pmem0}"
	expect "ndctl agrees that it is disabled" \
		bash -c 'ndctl list -N -i -n "$1" | jq -e ".[0].state == \"disabled\"" ' - "${2:-namespace0.0}"
}

# holder_row KIND STATUS LEVEL [WHAT]: a row for Documentation/holders.md (test/vm/holders-table), told when the
# scenario has passed. STATUS: named, counted, unknown-holder, lets-go (holds nothing), impossible (here). LEVEL: what
# moves it: stop, term, kill, never, -. WHAT: what it is, for kinds that mkholder does not have.
holder_row() { echo "# holder: $1 | $2 | $3 | ${4-}"; }

# hold KIND ARG...: a process that holds, of mkholder's kinds; its pid goes to $held
hold()
{
	# these want a file that is there
	[[ $1 != @(open|map) || -e $2 ]] || echo content >"$2"
	: >"$work/hold.$1"
	"$mkholder" "$@" >"$work/hold.$1" 2>&1 &
	held=$!
	wait_until 60 grep -q ready "$work/hold.$1" || {
		failed=1
		echo "# hold $* did not get ready"
		sed 's/^/#   /' "$work/hold.$1"
	}
}

# hold_unseen DIR: the file system there is kept by a mount that nobody sees, unless the kernel is asked: so the claim
# fails, when all else is down
hold_unseen()
{
	hold detached-mount "$1"
	unseen=$held
	export DAX_RETIRE_BPF=never
}

end_unseen()
{
	unset DAX_RETIRE_BPF
	kill -KILL "$unseen"
	wait "$unseen" 2>/dev/null
}

is_gone() { [[ ! -e /proc/$1 || $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) == [ZX]* ]]; }
is_mounted() { mountpoint -q "${1:-$mnt}"; }

# within SECONDS COMMAND...: COMMAND succeeds in that time. One that hangs in the
# kernel is left behind: timeout(1) would wait for it as long as it hangs.
within()
{
	local seconds=$1 end
	shift
	end=$((${EPOCHREALTIME/[.,]/} + seconds * 1000000))
	"$@" &
	while kill -0 $! 2>/dev/null; do
		((${EPOCHREALTIME/[.,]/} < end)) || return 124
		sleep 0.05
	done
	wait $!
}

# a file of its own for each: one that was left behind goes on when it can
write_there()
{
	local probe=$1/.probe.$BASHPID
	echo x >"$probe" && sync -f "$probe" && rm -f "$probe"
}

# can_write [DIR]: the file system takes writes: it is there and not frozen
can_write() { within 10 write_there "${1:-$mnt}"; }

# is_frozen [DIR]: a write does not get on
is_frozen() { within 1 write_there "${1:-$mnt}"; [[ $? == 124 ]]; }

fresh_xfs() { setup_xfs "${1:-/dev/pmem0}" "${2:-$mnt}" "${@:3}" || failed=1; }
fresh_ext4() { setup_ext4 "${1:-/dev/pmem0}" "${2:-$mnt}" "${@:3}" || failed=1; }

# snapshot: what a refusal or a rollback must leave as it was
snapshot()
{
	sed 's/^[0-9]* [0-9]* [0-9:]* //' /proc/self/mountinfo | sed 's/shared:[0-9]*/shared/' | sort
	cat /proc/swaps
	find /sys/bus/nd/devices/*/driver -maxdepth 0 -printf '%p %l\n'
}
