# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
# guest: --pmem 1026M
#
# Arrays, stripes, caches and thin volumes on partitions of a namespace: taken down, put back, or
# refused with what to do by hand.

. "$here/stacks-words.sh"

# expect_put_back STEP...: by a rollback, whose steps were taken
expect_put_back()
{
	local step
	expect_exit 3
	expect_json '.result == "rolled-back" and (.stuck // [] | length == 0)'
	for step; do
		expect_json "[.steps[] | select(.step == \"$step\") | .state] | length > 0 and all(. == \"undone\")"
	done
	snapshot_stacks >"$work/after"
	expect "everything is as it was" diff "$work/before" "$work/after"
}

scenario_a_mirror_is_stopped_put_back_and_restored()
{
	local unseen
	modprobe -q raid1
	setup_parts 128M 128M 256M
	create_md /dev/md0 --level=1 --raid-devices=2 /dev/pmem0p1 /dev/pmem0p2
	mkfs.ext4 -q -F /dev/md0
	mkdir -p /mnt/up
	mount -o noatime /dev/md0 /mnt/up || failed=1
	echo precious >/mnt/up/file
	sync -f /mnt/up
	retire namespace0.0
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "md") | .stands and .lifted_by == "--evict=stop"'
	fresh_ext4 /dev/pmem0p3
	hold_unseen "$mnt"
	snapshot_stacks >"$work/before"
	retire namespace0.0 --evict=stop
	expect_put_back md-stop unmount
	expect "it takes writes" can_write /mnt/up
	end_unseen
	umount "$mnt"
	# whoever has the array itself open
	hold open /dev/md0
	retire namespace0.0 --evict=stop
	expect_exit 2
	kill -KILL "$held"
	wait "$held" 2>/dev/null
	expect_down_and_restored
	expect "what was written is there" grep -q precious /mnt/up/file
	expect "it takes writes" can_write /mnt/up
	expect "both legs are in it" grep -q '\[UU\]' /proc/mdstat
	umount /mnt/up
	mdadm --quiet --stop /dev/md0
	end_parts
	holder_row md-raid1 named stop "an md mirror"
}

# … of two arrays, one on the other, with swap
scenario_stripes_of_mirrors_with_swap_are_restored()
{
	local part
	modprobe -q raid1 && modprobe -q raid0
	setup_parts 64M 64M 64M 64M
	create_md /dev/md1 --level=1 --raid-devices=2 --metadata=1.0 /dev/pmem0p1 /dev/pmem0p2
	# the second leg of the other one is missing
	create_md /dev/md2 --level=1 --raid-devices=2 --metadata=0.90 /dev/pmem0p3 missing
	create_md /dev/md7 --level=0 --raid-devices=2 /dev/md1 /dev/md2
	mkswap /dev/md7 >/dev/null && swapon -p 7 /dev/md7 || failed=1
	expect_down_and_restored
	swapoff /dev/md7
	for part in 7 2 1; do mdadm --quiet --stop /dev/md$part; done
	end_parts
	holder_row md-raid0 named stop "md stripes over md mirrors, with swap on them"
}

scenario_a_mirror_with_a_leg_elsewhere_is_refused_with_the_way_out()
{
	modprobe -q raid1 && modprobe -q loop
	truncate -s 128M /run/elsewhere
	losetup /dev/loop5 /run/elsewhere
	setup_parts 128M
	create_md /dev/md0 --level=1 --raid-devices=2 /dev/pmem0p1 /dev/loop5
	retire namespace0.0 --evict=kill
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "md") | .severity == "critical" and (.message | contains("mdadm --fail"))'
	mdadm --quiet /dev/md0 --fail /dev/pmem0p1 && mdadm --quiet /dev/md0 --remove /dev/pmem0p1 || failed=1
	retire namespace0.0 --evict=stop
	expect_retired
	expect "the other leg goes on" grep -q 'md0 : active.*loop5' /proc/mdstat
	mdadm --quiet --stop /dev/md0
	losetup -d /dev/loop5
	rm -f /run/elsewhere
	ndctl enable-namespace namespace0.0 >/dev/null
	wait_until 10 test -b /dev/pmem0
	end_parts
	holder_row md-elsewhere named never "an md mirror with a leg on another disk"
}

scenario_stripes_and_a_cache_on_the_same_namespace_are_put_back_and_restored()
{
	local unseen
	modprobe -q dm-mod && modprobe -q dm-writecache
	setup_parts 64M 128M 64M 64M 256M
	dd if=/dev/zero of=/dev/pmem0p1 bs=1M count=1 status=none conv=fsync
	echo "0 $((2048 * 128)) writecache p /dev/pmem0p2 /dev/pmem0p1 4096 0" |
		dmsetup create cached --uuid TEST-cached || failed=1
	echo "0 $((2048 * 128)) striped 2 128 /dev/pmem0p3 0 /dev/pmem0p4 0" |
		dmsetup create striped --uuid TEST-striped || failed=1
	dmsetup mknodes
	mkswap /dev/mapper/striped >/dev/null && swapon -p 3 /dev/mapper/striped || failed=1
	mkfs.ext4 -q -F /dev/mapper/cached
	mkdir -p /mnt/up
	mount -o noatime /dev/mapper/cached /mnt/up || failed=1
	echo precious >/mnt/up/file
	sync -f /mnt/up
	fresh_ext4 /dev/pmem0p5
	hold_unseen "$mnt"
	snapshot_stacks >"$work/before"
	retire namespace0.0 --evict=stop
	expect_put_back dm-remove unmount swap-off
	end_unseen
	umount "$mnt"
	expect_down_and_restored
	expect "what was written is there" grep -q precious /mnt/up/file
	expect "it takes writes" can_write /mnt/up
	swapoff -a
	umount /mnt/up
	dmsetup remove striped
	dmsetup remove cached
	# all of it is where it belongs, once the table is away
	retire namespace0.0 --evict=stop
	end_parts
	holder_row dm-striped named stop "a striped table of device-mapper"
	holder_row dm-writecache named stop "a write cache of device-mapper"
}

scenario_a_cache_of_another_device_is_refused_with_the_way_out()
{
	modprobe -q dm-writecache && modprobe -q loop
	truncate -s 128M /run/elsewhere
	losetup /dev/loop5 /run/elsewhere
	dd if=/dev/zero of=/dev/pmem0 bs=1M count=1 status=none conv=fsync
	echo "0 $((2048 * 128)) writecache p /dev/loop5 /dev/pmem0 4096 0" | dmsetup create cached || failed=1
	retire namespace0.0 --evict=kill
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "dm") | .severity == "critical" and (.message | contains("--splitcache"))'
	dmsetup message cached 0 flush && dmsetup remove cached || failed=1
	losetup -d /dev/loop5
	rm -f /run/elsewhere
	wipefs -q -a -f /dev/pmem0
	holder_row dm-writecache-elsewhere named never "a write cache of another disk"
}

# A pool of 16 MiB for a volume of 96
setup_thin()
{
	modprobe -q dm-thin-pool
	setup_parts 8M 16M
	dd if=/dev/zero of=/dev/pmem0p1 bs=1M count=1 status=none conv=fsync
	echo "0 $((2048 * 16)) thin-pool /dev/pmem0p1 /dev/pmem0p2 128 0 2 skip_block_zeroing error_if_no_space" |
		dmsetup create pool --uuid TEST-pool || failed=1
	dmsetup mknodes
	dmsetup message pool 0 "create_thin 0" || failed=1
	echo "0 $((2048 * 96)) thin /dev/mapper/pool 0" | dmsetup create thin --uuid TEST-thin || failed=1
	dmsetup mknodes
	mkfs.ext4 -q -F -E nodiscard -O ^has_journal /dev/mapper/thin
	mount -o noatime /dev/mapper/thin "$mnt" || failed=1
	echo precious >"$mnt/file"
	sync -f "$mnt"
}

end_thin()
{
	umount "$mnt"
	wait_until 5 dmsetup remove thin
	wait_until 5 dmsetup remove pool
	end_parts
}

scenario_a_thin_volume_is_restored_and_a_full_pool_rolls_back()
{
	setup_thin
	expect_down_and_restored
	expect "what was written is there" grep -q precious "$mnt/file"
	# more than there is room for, while it is only in memory
	dd if=/dev/urandom of="$mnt/doomed" bs=1M count=40 status=none
	snapshot_stacks >"$work/before"
	retire namespace0.0 --evict=stop
	expect_put_back
	expect_json '[.steps[] | select(.state == "failed") | .step] | length == 1 and (.[0] == "flush" or .[0] == "freeze")'
	end_thin
	holder_row dm-thin named stop "a thin volume and its pool"
}
