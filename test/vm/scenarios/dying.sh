# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
#
# Devices that are gone or dying: file systems that were shut down, disks that
# cannot be written or have vanished, removals that the kernel does not end.
# What the kernel survives is cleaned up, the rest is refused by name.

release=$(uname -r)
nd=/sys/bus/nd/drivers/nd_pmem

# What is below is left to a guest of its own: the kernel is not what it was
spoils() { touch "$work/spoils"; }

# The command that a person types; on some kernels it warns, hangs or kills
raw_unbind()
{
	within 60 bash -c "echo pfn0.0 >$nd/unbind" || failed=1
	expect "the disk has vanished" wait_until 10 test ! -e /sys/block/pmem0
}

xfs_goes_down() { xfs_io -x -c "shutdown ${2--f}" "$1" || failed=1; }
# XFS and ext4 share the number of the call
ext4_goes_down() { xfs_io -F -x -c shutdown "$1" || failed=1; }

# the last run says that only a reboot helps, and names why
expect_refused_as()
{
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands and .severity == "critical") | .code] | index("'"$1"'") != null'
	expect_json '.changed | not'
	expect "it says so to people" grep -q 'reboot' "$work/err"
}

is_alive() { kill -0 "$1" 2>/dev/null; }
no_superblock() { ! compgen -G "/sys/fs/*/pmem0" >/dev/null; }

# Processes inside: one maps, one stands there, one has a file open
hold_inside()
{
	local kind
	pids=()
	for kind in "$@"; do
		case $kind in
		cwd) hold cwd "$mnt" ;;
		*) hold "$kind" "$mnt/$kind" ;;
		esac
		pids+=("$held")
	done
}

shut_down_is_retired()
{
	list_holders namespace0.0
	expect_exit 0
	expect_json '[.holders[] | select(.kind == "process")] | length >= 3'
	expect_json '.unknown == []'
	retire namespace0.0 --evict=stop
	expect_exit 2
	retire namespace0.0 --evict=kill --grace=1
	expect_retired
	expect_json '[.steps[].step] | (index("freeze") == null) and (index("flush") == null)'
	expect_json '[.losses[] | select(.kind == "data" and .name == "/mnt/data")] | length == 1'
}

scenario_an_xfs_that_was_shut_down()
{
	fresh_xfs
	hold_inside open map cwd
	xfs_goes_down "$mnt"
	shut_down_is_retired
}

scenario_an_ext4_that_was_shut_down()
{
	fresh_ext4
	hold_inside open map cwd
	ext4_goes_down "$mnt"
	shut_down_is_retired
}

scenario_a_lazily_unmounted_xfs_that_was_shut_down()
{
	fresh_xfs
	hold_inside open cwd
	xfs_goes_down "$mnt"
	umount -l "$mnt"
	list_holders namespace0.0
	expect_json '[.holders[] | select(.kind == "process")] | length == 2'
	retire namespace0.0 --evict=kill --grace=1
	expect_retired
	expect_json '[.losses[] | select(.kind == "data")] | length == 1'
}

scenario_data_that_cannot_be_written_is_given_up_when_allowed()
{
	setup_unwritable /dev/pmem0 "$mnt" || failed=1
	hold open "$mnt/held"
	before=$(snapshot)
	retire namespace0.0 --evict=kill --grace=1
	expect_exit 3
	expect_json '.result == "rolled-back" and (.message | contains("--allow=shutdown"))'
	expect "nothing changed" test "$before" = "$(snapshot)"
	dd if=/dev/urandom of="$mnt/f" bs=64k count=16 conv=notrunc status=none
	hold open "$mnt/held"
	retire namespace0.0 --evict=kill --grace=1 --allow=shutdown
	expect_retired
	expect_json '[.losses[] | select(.kind == "data" and .name == "/mnt/data")] | length == 1'
}

scenario_shutdown_and_a_mounted_unbind_exclude_each_other()
{
	fresh_xfs
	hold open "$mnt/f"
	retire namespace0.0 --allow=shutdown,mounted-unbind
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands and .severity == "critical") | .code] == ["mounted-unbind"]'
}

# Without direct mappings nothing of it leads into the memory that is gone
dead_is_cleaned()
{
	list_holders namespace0.0
	expect_exit 0
	expect_json '.devices[0] | .gone and .state == "disabled" and .blockdev == "pmem0"'
	expect_json '[.holders[] | select(.kind == "process")] | length == 2'
	retire namespace0.0
	expect_exit 2
	retire namespace0.0 --evict=kill --grace=1
	expect_exit 0
	expect_json '.result == "retired" and .changed and (.stuck // [] | length == 0) and all(.verify[]; .ok != false)'
	expect_json '[.losses[] | select(.kind == "data")] | length == 1'
	expect_json '[.steps[].step] | all(. != "freeze" and . != "claim" and . != "unbind")'
	expect "no mount is left" bash -c '! grep -q "/dev/pmem" /proc/*/mountinfo'
	expect "no superblock is left" wait_until 10 no_superblock
	retire namespace0.0
	expect_json '.result == "already-retired" and (.changed | not)'
	# an unbind by hand leaves the namespace to pfn0.0, and enable-namespace fails with that
	echo pfn0.0 >$nd/bind || failed=1
	expect "it can be used again" wait_until 10 test -b /dev/pmem0
	mkfs.ext4 -q -F /dev/pmem0 && mount /dev/pmem0 "$mnt" && umount "$mnt"
	expect "for real" test $? = 0
}

scenario_a_disk_that_vanished_below_an_xfs_without_dax()
{
	spoils
	mkfs.xfs -q -f -m rmapbt=0 /dev/pmem0 && mount -o dax=never /dev/pmem0 "$mnt" || failed=1
	mkdir -p /mnt/bind && mount --bind "$mnt" /mnt/bind
	hold_inside open cwd
	raw_unbind
	dead_is_cleaned
}

scenario_a_disk_that_vanished_below_an_ext4_without_dax()
{
	spoils
	mkfs.ext4 -q -F -b 4096 /dev/pmem0 && mount -o dax=never /dev/pmem0 "$mnt" || failed=1
	hold_inside open cwd
	raw_unbind
	dead_is_cleaned
}

# refused, and nothing that is there is touched
dead_is_refused()
{
	raw_unbind
	list_holders namespace0.0
	expect_exit 0
	retire namespace0.0 --evict=kill --grace=1 --allow=incomplete
	expect_refused_as kernel-crash
	expect "in seconds" test "$ms" -lt 20000
	expect "the holder lives" is_alive "$held"
	expect "it is mounted" grep -q " $mnt " /proc/self/mountinfo
}

scenario_a_disk_that_vanished_below_an_ext4_with_dax()
{
	spoils
	fresh_ext4
	hold map "$mnt/f"
	dead_is_refused
}

scenario_a_disk_that_vanished_below_an_xfs_with_dax_that_is_told_nothing()
{
	spoils
	mkfs.xfs -q -f -m reflink=0,rmapbt=0 /dev/pmem0 && mount -o dax=always /dev/pmem0 "$mnt" || failed=1
	hold map "$mnt/f"
	dead_is_refused
}

# 6.1 takes it for a media error, 6.12 tells it, 7.x never comes back
scenario_a_disk_that_vanished_below_an_xfs_with_dax()
{
	spoils
	fresh_xfs
	hold_inside open cwd
	case $release in
	6.1.*)
		touch "$work/warnings-expected"
		dead_is_refused ;;
	6.12.*)
		raw_unbind
		dead_is_cleaned ;;
	*)
		echo pfn0.0 >$nd/unbind &
		unbind=$!
		sleep 3
		expect "it is still in the kernel" is_alive "$unbind"
		list_holders namespace0.0
		expect_exit 0
		expect_json '.devices[0].half_removed'
		expect "in seconds" test "$ms" -lt 30000
		echo "# figure: half removed: listed in $ms ms"
		retire namespace0.0 --evict=kill --grace=1
		expect_refused_as half-removed
		expect_json '.vetoes[] | select(.code == "half-removed") | .message | contains("['"$unbind"']")'
		expect "in seconds" test "$ms" -lt 30000
		echo "# figure: half removed: refused in $ms ms" ;;
	esac
}

scenario_a_lazily_unmounted_xfs_on_a_disk_that_vanished()
{
	[[ $release != 7.* ]] || return 0
	spoils
	fresh_xfs
	hold_inside open cwd
	umount -l "$mnt"
	raw_unbind
	list_holders namespace0.0
	expect_exit 0
	expect_json '[.holders[] | select(.kind == "process")] | length == 2'
	if [[ $release == 6.1.* ]]; then
		touch "$work/warnings-expected"
		retire namespace0.0 --evict=kill --grace=1
		expect_refused_as kernel-crash
		expect "the holder lives" is_alive "$held"
	else
		dead_is_cleaned
	fi
}
