# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guest: --pmem 1026M --pmem 514M
#
# A retirement that is cut at any instant, and what brings the machine back.

cut=$build/test/helpers/cut

recover() { run ndctl recover "$@"; }
restore() { run ndctl restore "$@"; }
retirements() { run ndctl list-retirements "$@"; }

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
	mkswap /dev/pmem1 >/dev/null && swapon -p 5 /dev/pmem1 || failed=1
	snapshot_all >"$work/before"
}

# In both mount namespaces
snapshot_all()
{
	snapshot
	sed 's/^[0-9]* [0-9]* //' "/proc/$inside/mountinfo" | grep /dev/pmem | sort
}

clean_up_loaded()
{
	local at
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
		[[ $ready ]] || setup_loaded
		ready=
		"$cut" "$record" "$1" "$program" ndctl retire-namespace $both --evict=stop >"$work/cut" 2>"$work/cut.err"
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

# A guardian or a child of the one that was killed may be at it for a moment
recovered()
{
	recover
	[[ $(jq -r .result "$work/out") != in-progress ]]
}
