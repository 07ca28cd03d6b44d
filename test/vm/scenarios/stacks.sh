# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
# guest: --pmem 1026M
#
# What the kernel stacks on a namespace is taken down from the top, and put
# back: when a later step fails, after a kill, and by restore.

cut=$build/test/helpers/cut
. "$here/stacks-words.sh"

# What stands on /dev/loop3, with content; all of it is as in $work/before
fresh_upper()
{
	mkfs.ext4 -q -F /dev/loop3
	mkdir -p /mnt/up
	mount -o noatime /dev/loop3 /mnt/up || failed=1
	echo precious >/mnt/up/file
	sync -f /mnt/up
	snapshot_stacks >"$work/before"
}

# An ext4 in a part of a file on DAX XFS
setup_image()
{
	modprobe -q loop
	fresh_xfs
	truncate -s 64M "$mnt/image"
	losetup -o 1048576 --sizelimit 50331648 /dev/loop3 "$mnt/image" || failed=1
	fresh_upper
}

expect_as_before()
{
	snapshot_stacks >"$work/after"
	expect "everything is as it was" diff "$work/before" "$work/after"
	expect "the upper one takes writes" can_write /mnt/up
	expect "the lower one takes writes" can_write
	expect "what was written is there" grep -q precious /mnt/up/file
}

scenario_a_loop_device_goes_before_what_holds_its_file_is_frozen()
{
	setup_image
	hold write /mnt/up/f
	retire namespace0.0
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "loop") | .stands and .lifted_by == "--evict=stop"'
	retire namespace0.0 --evict=stop
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands)] | map(.code) == ["process"]'
	retire namespace0.0 --evict=kill --grace=0.5
	expect_retired
	expect "no loop device is left" no_loop_is_left
	expect_json '[.steps[] | select(.step == "freeze") | .subject] == ["/mnt/up", "/mnt/data"]'
	expect_json '.steps | map(.step) | index("loop-detach") < rindex("freeze")'
	restore namespace0.0
	expect_exit 0
	rm -f /mnt/up/f
	sync -f /mnt/up
	expect_as_before
	umount /mnt/up
	losetup -d /dev/loop3
	retire namespace0.0 --evict=stop
	expect_retired
	enable_again
	holder_row loop-file named stop "a loop device on a file"
}

# unseen by the planner, met by the claim: all of it has been taken down by then
scenario_a_loop_device_is_put_back_when_the_claim_fails()
{
	local unseen
	setup_image
	hold_unseen "$mnt"
	retire namespace0.0 --evict=stop
	expect_exit 3
	expect_json '.result == "rolled-back" and (.stuck // [] | length == 0)'
	expect_json '.steps[] | select(.step == "loop-detach") | .state == "undone"'
	expect_as_before
	# one that goes with its last user
	umount /mnt/up
	losetup -d /dev/loop3
	mount -o loop,offset=1048576,sizelimit=50331648,noatime "$mnt/image" /mnt/up || failed=1
	snapshot_stacks >"$work/before"
	retire namespace0.0 --evict=stop
	expect_exit 3
	expect_json '.result == "rolled-back" and (.stuck // [] | length == 0)'
	expect_as_before
	end_unseen
	umount /mnt/up
	wait_until 5 no_loop_is_left
	expect "it still goes with its last user" no_loop_is_left
	umount "$mnt"
	holder_row loop-autoclear named stop "a loop device that goes with its last user"
}

scenario_a_loop_device_on_the_disk_itself_and_who_has_it_open()
{
	modprobe -q loop
	losetup /dev/loop3 /dev/pmem0 || failed=1
	hold open /dev/loop3
	retire namespace0.0 --evict=stop
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands)] | map(.code) == ["process"]'
	retire namespace0.0 --evict=kill --grace=0.2
	expect_retired
	expect "no loop device is left" no_loop_is_left
	enable_again
	holder_row loop-disk named stop "a loop device on the disk"
	holder_row loop-open named kill "a process that has the node of a loop device open"
}

# an image of a disk: its parts come and go with the loop device
scenario_a_part_of_a_loop_device_on_a_file_is_put_back_and_restored()
{
	local unseen
	fresh_ext4
	truncate -s 96M "$mnt/image"
	printf 'label: gpt\n,32M\n,\n' | sfdisk -q "$mnt/image" >/dev/null || failed=1
	modprobe -q loop
	losetup -P /dev/loop3 "$mnt/image" || failed=1
	expect "the part is there" wait_until 10 test -b /dev/loop3p2
	mkdir -p /mnt/up
	mkfs.ext4 -q -F /dev/loop3p2 && mount /dev/loop3p2 /mnt/up || failed=1
	retire namespace0.0
	expect_exit 2
	expect_json '(.holders[] | select(.kind == "partition" and .name == "loop3p2") | .id) as $p |
		.holders[] | select(.kind == "mount" and .name == "/mnt/up") | .on == $p'
	snapshot_stacks >"$work/before"
	hold_unseen "$mnt"
	retire namespace0.0 --evict=stop
	expect_exit 3
	expect_json '.result == "rolled-back" and (.stuck // [] | length == 0)'
	snapshot_stacks >"$work/after"
	expect "everything is as it was" diff "$work/before" "$work/after"
	end_unseen
	expect_down_and_restored
	umount /mnt/up
	losetup -d /dev/loop3
	umount "$mnt"
	holder_row loop-part named stop "a file system on a part of a loop device on a file"
}

scenario_a_loop_device_whose_file_is_deleted_is_left_alone()
{
	setup_image
	rm "$mnt/image"
	retire namespace0.0 --evict=kill
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands)] | map(.code) == ["loop"] and .[0].severity == "critical"'
	expect "it still takes writes" can_write /mnt/up
	umount /mnt/up
	losetup -d /dev/loop3
	umount "$mnt"
	holder_row loop-deleted named never "a loop device on a deleted file"
}

# Three deep: an ext4 on a loop device on a file of an ext4 on a table of two pieces of the namespace
setup_deep()
{
	local sectors
	modprobe -q loop
	modprobe -q dm-mod
	sectors=$(($(blockdev --getsz /dev/pmem0) / 2 - 4096))
	dmsetup create deep --uuid TEST-deep <<-EOF
	0 $sectors linear /dev/pmem0 4096
	$sectors 65536 linear /dev/pmem0 $((sectors + 8192))
	EOF
	# without udev nobody else makes the node
	dmsetup mknodes
	fresh_ext4 /dev/mapper/deep "$mnt" -O ^has_journal
	truncate -s 64M "$mnt/image"
	losetup /dev/loop3 "$mnt/image" || failed=1
	fresh_upper
}

clean_up_deep()
{
	umount /mnt/up
	losetup -d /dev/loop3
	umount "$mnt"
	wait_until 5 dmsetup remove deep
}

scenario_three_deep_is_taken_down_put_back_and_restored()
{
	local unseen
	setup_deep
	retire namespace0.0
	expect_exit 2
	expect_json '[.vetoes[] | select(.code == "dm" or .code == "loop") | .lifted_by] == ["--evict=stop", "--evict=stop"]'
	hold_unseen "$mnt"
	retire namespace0.0 --evict=stop
	expect_exit 3
	expect_json '.result == "rolled-back" and (.stuck // [] | length == 0)'
	expect_json '.steps[] | select(.step == "dm-remove") | .state == "failed"'
	expect_as_before
	end_unseen
	# whoever has the table itself open
	hold open /dev/mapper/deep
	retire namespace0.0 --evict=stop
	expect_exit 2
	retire namespace0.0 --evict=kill --grace=0.2
	expect_retired
	expect "no loop device is left" no_loop_is_left
	expect "no table is left" no_dm_is_left
	expect_json '[.steps[] | select(.step | test("unmount|detach|remove")) | .step] ==
		["unmount", "loop-detach", "unmount", "dm-remove"]'
	restore namespace0.0
	expect_exit 0
	expect_as_before
	clean_up_deep
}

# The table is on one partition; of another one a mount that nobody sees keeps the file system
scenario_a_table_with_swap_is_put_back_when_the_claim_fails()
{
	local part unseen
	modprobe -q dm-mod
	addpart /dev/pmem0 1 2048 1048576 && addpart /dev/pmem0 2 1052672 524288 || failed=1
	for part in 1 2; do
		wait_until 5 test -e /sys/block/pmem0/pmem0p$part || failed=1
		[[ -b /dev/pmem0p$part ]] || mknod /dev/pmem0p$part b $(tr : ' ' </sys/block/pmem0/pmem0p$part/dev)
	done
	echo "0 524288 linear /dev/pmem0p1 8192" | dmsetup create swap --uuid TEST-swap || failed=1
	dmsetup mknodes
	mkswap /dev/mapper/swap >/dev/null && swapon -p 7 /dev/mapper/swap || failed=1
	fresh_ext4 /dev/pmem0p2
	hold_unseen "$mnt"
	snapshot_stacks >"$work/before"
	retire namespace0.0 --evict=stop
	expect_exit 3
	expect_json '.result == "rolled-back" and (.stuck // [] | length == 0)'
	expect_json '[.steps[] | select(.step == "dm-remove" or .step == "swap-off") | .state] == ["undone", "undone"]'
	snapshot_stacks >"$work/after"
	expect "everything is as it was" diff "$work/before" "$work/after"
	end_unseen
	swapoff /dev/mapper/swap
	wait_until 5 dmsetup remove swap
	umount "$mnt"
	delpart /dev/pmem0 1
	delpart /dev/pmem0 2
	holder_row dm-linear named stop "a linear table of device-mapper, with swap on it"
}

lvm_() { lvm "$@" --config 'devices{use_devicesfile=0 scan="/dev"} activation{udev_sync=0 udev_rules=0 monitoring=0}' >>"$work/lvm" 2>&1; }

scenario_a_logical_volume_is_taken_down_and_restored()
{
	modprobe -q dm-mod
	lvm_ vgcreate -y vg /dev/pmem0 && lvm_ lvcreate -y -Wn -Zn -L 400M -n data vg || failed=1
	lvm_ lvcreate -y -Wn -Zn -i 1 -L 100M -n other vg || failed=1
	dmsetup mknodes
	fresh_xfs /dev/mapper/vg-data
	echo precious >"$mnt/file"
	sync -f "$mnt"
	snapshot_stacks >"$work/before"
	retire namespace0.0 --evict=stop
	expect_retired
	expect "no table is left" no_dm_is_left
	restore namespace0.0
	expect_exit 0
	snapshot_stacks >"$work/after"
	expect "everything is as it was" diff "$work/before" "$work/after"
	expect "what was written is there" grep -q precious "$mnt/file"
	umount "$mnt"
	expect "its own tools know it" lvm_ vgchange -an vg
	lvm_ vgremove -ff -y vg
	sed 's/^/# lvm: /' "$work/lvm" | tail -5
	holder_row dm-lvm named stop "a logical volume of LVM"
}

# Where a file's data lies the disk has failed since. An extent that fails is there from the start: a table that
# may have DAX takes none without it (dm_table_determine_type()).
scenario_data_that_cannot_be_written_rolls_back()
{
	local first sectors=409600 spare=8
	modprobe -q dm-mod
	printf '0 %s linear /dev/pmem0 4096\n%s %s error\n' $sectors $sectors $spare | dmsetup create deep || failed=1
	dmsetup mknodes
	mkfs.ext4 -q -F -b 4096 -O ^has_journal /dev/mapper/deep $((sectors / 8)) || failed=1
	# by its type: who looks for one reads the end, which is an error
	mount -t ext4 /dev/mapper/deep "$mnt" || failed=1
	dd if=/dev/zero of="$mnt/doomed" bs=1M count=8 status=none conv=fsync
	first=$(filefrag -e -b512 "$mnt/doomed" | awk '$1 == "0:" { print $4 + 0 }')
	((first > 0 && first + 2048 < sectors)) || failed=1
	dmsetup suspend deep
	dmsetup load deep <<-EOF || failed=1
	0 $first linear /dev/pmem0 4096
	$first 2048 error
	$((first + 2048)) $((sectors - first - 2048)) linear /dev/pmem0 $((4096 + first + 2048))
	$sectors $spare error
	EOF
	dmsetup resume deep
	snapshot_stacks >"$work/before"
	dd if=/dev/urandom of="$mnt/doomed" bs=64k count=4 status=none conv=notrunc
	retire namespace0.0 --evict=stop
	expect_exit 3
	expect_json '.result == "rolled-back" and (.stuck // [] | length == 0)'
	expect_json '[.steps[] | select(.state == "failed") | .step] == ["flush"]'
	snapshot_stacks >"$work/after"
	expect "everything is as it was" diff "$work/before" "$work/after"
	umount "$mnt"
	wait_until 5 dmsetup remove deep
}

scenario_what_could_not_be_put_back_is_refused()
{
	modprobe -q dm-crypt
	echo "0 65536 crypt aes-xts-plain64 $(printf '%064d' 7) 0 /dev/pmem0 0" | dmsetup create secret || failed=1
	retire namespace0.0 --evict=kill
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "dm") | .severity == "critical" and (.message | contains("cryptsetup close"))'
	expect "its key is told nowhere" bash -c '! grep -q 000000007 "$@"' - "$work/out" "$work/err"
	dmsetup remove secret
	modprobe -q loop
	truncate -s 64M /run/elsewhere
	losetup /dev/loop5 /run/elsewhere
	printf '0 65536 linear /dev/pmem0 0\n65536 65536 linear /dev/loop5 0\n' | dmsetup create wide || failed=1
	retire namespace0.0 --evict=kill
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "dm") | .severity == "critical" and (.message | contains("other devices"))'
	dmsetup remove wide
	losetup -d /dev/loop5
	holder_row dm-crypt named never "an encrypted device"
	holder_row dm-elsewhere named never "a table that is also on another disk"
}

scenario_a_retirement_of_a_stack_that_is_killed_is_recovered()
{
	local record every=${CUTS:-3}
	setup_deep
	for ((record = 1 + RANDOM % every; ; record += every)); do
		"$cut" "$record" both "$program" ndctl retire-namespace namespace0.0 --evict=stop \
			>"$work/cut" 2>"$work/cut.err"
		rc=$?
		((rc == 1)) && break
		expect "at $record: it can be recovered" wait_until 20 recovered
		expect_exit 0
		[[ -e /sys/block/pmem0 ]] || break
		expect_as_before
		((failed == 0)) || return
	done
	expect "no loop device is left" no_loop_is_left
	expect "no table is left" no_dm_is_left
	enable_again
}
