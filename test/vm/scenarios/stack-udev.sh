# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
# guest: --systemd --pmem 1026M
#
# Stacks where udev assembles arrays and the volume manager activates volumes by themselves, as soon as their
# device is there: they may be quicker than what puts them back, or slower.

. "$here/stacks-words.sh"

settled() { udevadm settle --timeout=60; }

scenario_a_mirror_that_udev_assembles_is_restored()
{
	modprobe -q raid1
	setup_parts 128M 128M
	settled
	create_md /dev/md0 --level=1 --raid-devices=2 /dev/pmem0p1 /dev/pmem0p2
	settled
	mkfs.ext4 -q -F /dev/md0
	mkdir -p /mnt/up
	mount -o noatime /dev/md0 /mnt/up || failed=1
	echo precious >/mnt/up/file
	sync -f /mnt/up
	settled
	expect_down_and_restored
	settled
	expect "what was written is there" grep -q precious /mnt/up/file
	expect "it takes writes" can_write /mnt/up
	expect "both legs are in it" grep -q '\[UU\]' /proc/mdstat
	expect "it is the only array" test "$(grep -c '^md' /proc/mdstat)" = 1
	umount /mnt/up
	mdadm --quiet --stop /dev/md0
	end_parts
}

scenario_a_volume_that_udev_activates_is_restored()
{
	modprobe -q dm-mod
	{
		lvm vgcreate -y --devicesfile "" vg /dev/pmem0 &&
			lvm lvcreate -y --devicesfile "" -Wy -Zy -L 400M -n data vg
	} >>"$work/lvm" 2>&1 || failed=1
	settled
	fresh_xfs /dev/vg/data
	echo precious >"$mnt/file"
	sync -f "$mnt"
	settled
	expect_down_and_restored
	settled
	expect "what was written is there" grep -q precious "$mnt/file"
	expect "its link is there" test /dev/vg/data -ef /dev/mapper/vg-data
	umount "$mnt"
	expect "its own tools know it" lvm vgchange -an --devicesfile "" vg
	lvm vgremove -ff -y --devicesfile "" vg >/dev/null 2>&1
	sed 's/^/# lvm: /' "$work/lvm" | tail -5
}
