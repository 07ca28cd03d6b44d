# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the scenarios of stacks have in common, beyond scenario.sh.

# diskseq and open counts are of the kernel's own making
snapshot_stacks()
{
	snapshot
	losetup -l -n -O NAME,BACK-FILE,OFFSET,SIZELIMIT,AUTOCLEAR,RO,DIO,LOG-SEC 2>/dev/null | sort
	dmsetup table | sort
	dmsetup info -c --noheadings -o name,uuid,major,minor,attr | sort
	# members come in any order; what was just assembled waits for the first write
	grep -s -A1 '^md' /proc/mdstat | tr ' ' '\n' | grep -vxF '(auto-read-only)' | sort
}

no_dm_is_left() { [[ -z $(dmsetup info -c --noheadings -o name 2>/dev/null | grep -v "No devices") ]]; }
no_md_is_left() { ! grep -q '^md' /proc/mdstat 2>/dev/null; }
no_loop_is_left() { [[ -z $(losetup -n -O NAME) ]]; }

enable_again()
{
	ndctl enable-namespace namespace0.0 >/dev/null
	wait_until 10 test -b /dev/pmem0
}

# setup_parts SIZE...: partitions with a table, which are there again when the namespace is
setup_parts()
{
	local part=0 size
	{
		echo "label: gpt"
		for size; do echo ",$size"; done
	} | sfdisk -q --wipe always /dev/pmem0 >/dev/null || failed=1
	for size; do
		: $((part++))
		wait_until 10 test -b "/dev/pmem0p$part" || failed=1
	done
}

end_parts() { wipefs -q -a -f /dev/pmem0 && blockdev --rereadpt /dev/pmem0; }

# expect_down_and_restored: retired, and all of it there again
expect_down_and_restored()
{
	snapshot_stacks >"$work/before"
	retire namespace0.0 --evict=stop
	expect_retired
	expect "no loop device is left" no_loop_is_left
	expect "no table is left" no_dm_is_left
	expect "no array is left" no_md_is_left
	restore namespace0.0
	expect_exit 0
	snapshot_stacks >"$work/after"
	expect "everything is as it was" diff "$work/before" "$work/after"
}

create_md() { mdadm --create "$1" --run --quiet --homehost=any --assume-clean "${@:2}" >>"$work/mdadm" 2>&1 || failed=1; }
