# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
# guest: --pmem 1026M --pmem 514M
#
# What was taken down is put back when a later step fails. It does so here
# because of a holder that nothing shows before the claim meets it.

expect_put_back()
{
	expect_exit 3
	expect_json '.result == "rolled-back" and (.stuck // [] | length == 0)'
	expect_json '[.steps[] | select(.state == "failed") | .step] == ["claim"]'
	expect_json '[.steps[] | select(.step == "unmount")] | length > 0 and all(.state == "undone")'
	snapshot >"$work/after"
	expect "everything is as it was" diff "$work/before" "$work/after"
	expect "it takes writes" can_write
}

scenario_mounts_and_swap_are_put_back()
{
	mkfs.ext4 -q -F -b 4096 -E lazy_itable_init=1,nodiscard /dev/pmem0
	# without dax: no kernel swaps to a file that has it
	mount -o nosuid,noatime,commit=17 /dev/pmem0 "$mnt" || failed=1
	mount --make-shared "$mnt"
	mkdir -p "$mnt/sub/deep" "$mnt/tmp" /mnt/bind
	mount --bind "$mnt/sub" /mnt/bind
	# of a single file, as containers have them
	touch "$mnt/file" /mnt/file
	mount --bind "$mnt/file" /mnt/file
	mount --make-private /mnt/bind
	mount -o remount,bind,ro,nodev /mnt/bind
	mount -t tmpfs -o nosuid none "$mnt/tmp"
	echo kept >"$mnt/tmp/kept"
	dd if=/dev/zero of="$mnt/swap" bs=1M count=16 status=none
	chmod 600 "$mnt/swap" && mkswap "$mnt/swap" >/dev/null && swapon -p 5 "$mnt/swap" || failed=1
	hold_unseen "$mnt"
	hold cwd "$mnt/sub"
	snapshot >"$work/before"
	retire namespace0.0 --evict=kill --grace=0.5 --allow=volatile-mount
	expect_put_back
	expect "what the tmpfs had is there" grep -q kept "$mnt/tmp/kept"
	expect_json '.losses | map(.kind) == ["process"]'
	expect_json '.changed'
	end_unseen
	retire namespace0.0 --evict=kill --allow=volatile-mount
	expect_retired
}

# The superblock of the first one is gone by then, and is made anew
scenario_a_file_system_is_mounted_anew()
{
	ndctl create-namespace -f -m fsdax -M mem -e namespace1.0 >/dev/null || failed=1
	wait_until 10 test -b /dev/pmem1 || failed=1
	mkfs.xfs -q -f -m reflink=0,rmapbt=1 /dev/pmem0
	mount -o dax=always,noatime,nodev,logbufs=4,largeio /dev/pmem0 "$mnt" || failed=1
	mkdir -p "$mnt/inner" "$mnt/sub" /mnt/bind
	fresh_ext4 /dev/pmem1 "$mnt/inner"
	mount --bind "$mnt/sub" /mnt/bind
	echo kept >"$mnt/kept"
	hold_unseen "$mnt/inner"
	snapshot >"$work/before"
	retire namespace0.0 namespace1.0 --evict=stop
	expect_put_back
	expect "what was written is there" grep -q kept "$mnt/kept"
	expect_json '.losses == []'
	end_unseen
	retire namespace0.0 namespace1.0 --evict=stop
	expect_exit 0
	expect_json '.result == "retired"'
	ndctl enable-namespace all >/dev/null 2>&1
	wait_until 10 test -b /dev/pmem1
	ndctl destroy-namespace -f namespace1.0 >/dev/null
}

# A private copy in a second mount namespace is put back there
scenario_a_mount_of_a_second_namespace_is_put_back_there()
{
	local inside
	fresh_ext4
	hold mount-ns
	inside=$held
	hold_unseen "$mnt"
	grep " $mnt " "/proc/$inside/mountinfo" | sed 's/^[0-9]* [0-9]* //' >"$work/inside"
	snapshot >"$work/before"
	retire namespace0.0 --evict=stop
	expect_put_back
	grep " $mnt " "/proc/$inside/mountinfo" | sed 's/^[0-9]* [0-9]* //' >"$work/inside.after"
	expect "there as well" diff "$work/inside" "$work/inside.after"
	end_unseen
	kill -KILL "$inside"
}
