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
