# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
# guest: --pmem 1026M --pmem 514M
#
# Mounts that the table of one's own mount namespace does not show, and file
# systems that stand on a device in another way than being mounted from it.

# a mount namespace that only a mount of its file keeps, /run/kept/mnt
keep_namespace_by_mount()
{
	mkdir -p /run/kept
	mount --bind /run/kept /run/kept
	mount --make-private /run/kept
	touch /run/kept/mnt
	unshare --mount=/run/kept/mnt --propagation private "$@"
}

let_namespace_go()
{
	umount /run/kept/mnt
	umount /run/kept
}

scenario_a_mount_namespace_kept_by_a_mount_of_its_file()
{
	fresh_ext4
	keep_namespace_by_mount true
	# one more in there, kept by a mount that only that one shows
	nsenter --mount=/run/kept/mnt sh -c 'mkdir -p /run/inner && mount -t tmpfs none /run/inner &&
		touch /run/inner/mnt && exec unshare --mount=/run/inner/mnt --propagation private true'
	umount "$mnt"
	list_holders namespace0.0
	expect_json '[.holders[] | select(.kind == "mount" and .name == "/mnt/data") | .kept_by] | sort ==
		["/run/inner/mnt", "/run/kept/mnt"]'
	snapshot >"$work/before"
	retire namespace0.0
	expect_exit 2
	expect "it is said to people" grep -q "kept by /run/kept/mnt" "$work/err"
	expect "nothing has changed" cmp "$work/before" <(snapshot)
	retire namespace0.0 --evict=stop
	expect_retired
	expect "the namespaces are still kept" nsenter --mount=/run/kept/mnt test -e /run/inner/mnt
	restore namespace0.0
	expect_exit 0
	if [[ $(uname -r) != 6.1.* ]]; then
		expect "it is mounted there again" nsenter --mount=/run/kept/mnt mountpoint -q "$mnt"
	fi
	let_namespace_go
	holder_row mnt-ns-bound named stop "a mount namespace kept by a mount of its file"
}

scenario_a_mount_namespace_kept_by_a_descriptor()
{
	fresh_ext4
	unshare -m --propagation private sleep 1000 &
	local lived=$!
	wait_until 10 test -e "/proc/$lived"
	sleep 0.5
	sleep 2000 9<"/proc/$lived/ns/mnt" &
	local keeper=$!
	sleep 0.5
	kill -KILL "$lived"
	umount "$mnt"
	list_holders namespace0.0
	expect_json ".holders[] | select(.kind == \"mount\") | .kept_by == \"sleep[$keeper]\""
	retire namespace0.0
	expect_exit 2
	retire namespace0.0 --evict=stop
	expect_retired
	expect "who keeps the namespace lives" test -e "/proc/$keeper"
	kill -KILL "$keeper"
	holder_row mnt-ns-descriptor named stop "a mount namespace kept by an open descriptor"
}

# The claim meets a holder that nothing shows: the mount is back in a namespace that nobody lives in
scenario_a_rollback_into_a_kept_mount_namespace()
{
	fresh_ext4
	hold_unseen "$mnt"
	keep_namespace_by_mount true
	umount "$mnt"
	nsenter --mount=/run/kept/mnt cat /proc/self/mountinfo | sed 's/^[0-9]* [0-9]* //' | sort >"$work/before"
	retire namespace0.0 --evict=kill --grace=0.5
	expect_exit 3
	expect_json '.result == "rolled-back" and (.stuck // [] | length == 0) and (.losses | length == 0)'
	nsenter --mount=/run/kept/mnt cat /proc/self/mountinfo | sed 's/^[0-9]* [0-9]* //' | sort >"$work/after"
	expect "the namespace is as it was" diff "$work/before" "$work/after"
	kill -KILL "$held"
	let_namespace_go
}

# a second device, of which the scenarios are
second_device()
{
	ndctl create-namespace -f -m fsdax -M mem -e namespace1.0 >/dev/null || failed=1
	wait_until 10 test -b /dev/pmem1
}

# a process and a mount that have the same names as those that are to go, on something else
canary()
{
	mkdir -p /tmp/canary
	mount -t tmpfs pmem1 /tmp/canary
	echo content >/tmp/canary/f
	hold open /tmp/canary/f
	canary=$held
}

expect_canary_lives()
{
	expect "the canary lives" test -e "/proc/$canary"
	kill -KILL "$canary"
	wait "$canary" 2>/dev/null
	expect "where it is is mounted" umount /tmp/canary
}

# expect_part_moves PART: of the file system on pmem0 that has a part on pmem1
expect_part_moves()
{
	hold open "$mnt/f"
	list_holders namespace1.0
	expect_json ".holders[] | select(.kind == \"mount\") | .name == \"/mnt/data\" and .part == \"$1\""
	expect_json ".holders[] | select(.kind == \"process\") | .pid == $held"
	snapshot >"$work/before"
	retire namespace1.0
	expect_exit 2
	expect "people are told what is there" grep -q "on /dev/pmem0) has its $1 on pmem1" "$work/err"
	retire namespace1.0 --evict=stop
	expect_exit 2
	expect "nothing has changed" cmp "$work/before" <(snapshot)
	retire namespace1.0 --evict=kill --grace=0.5
	expect_retired pmem1 namespace1.0
	expect "it was ended" is_gone "$held"
	expect "the other device is as it was" test -b /dev/pmem0
	expect_canary_lives
	restore namespace1.0
	expect_exit 0
	expect "it is mounted again" is_mounted
	expect "what was written is there" grep -q content "$mnt/f"
	expect "it takes writes" can_write
}

scenario_the_log_of_an_xfs_elsewhere()
{
	second_device
	canary
	mkfs.xfs -q -f -m reflink=0,rmapbt=1 -l logdev=/dev/pmem1,size=64m /dev/pmem0 || failed=1
	mount -t xfs -o dax=always,logdev=/dev/pmem1 /dev/pmem0 "$mnt" || failed=1
	expect_part_moves log
	holder_row xfs-log named stop "the log of an XFS on another device"
}

scenario_the_journal_of_an_ext4_elsewhere()
{
	second_device
	canary
	mke2fs -q -F -b 4096 -O journal_dev /dev/pmem1 16384 || failed=1
	mkfs.ext4 -q -F -b 4096 -J device=/dev/pmem1 /dev/pmem0 || failed=1
	mount -t ext4 /dev/pmem0 "$mnt" || failed=1
	expect_part_moves journal
	holder_row ext4-journal named stop "the journal of an ext4 on another device"
}

# Without a mount only the kernel's own directories tell
scenario_the_journal_of_an_ext4_that_no_mount_shows()
{
	second_device
	mke2fs -q -F -b 4096 -O journal_dev /dev/pmem1 16384 || failed=1
	mkfs.ext4 -q -F -b 4096 -J device=/dev/pmem1 /dev/pmem0 || failed=1
	mount -t ext4 /dev/pmem0 "$mnt" || failed=1
	hold open "$mnt/f"
	umount -l "$mnt"
	retire namespace1.0
	expect_exit 2
	expect_json ".vetoes[] | select(.code == \"process\") | .subject | endswith(\"[$held]\")"
	retire namespace1.0 --evict=kill --grace=0.5
	expect_retired pmem1 namespace1.0
}

# mount(8) of Debian 12 cannot
idmap()
{
	unshare -U --map-root-user sleep 1000 &
	local ids=$!
	sleep 0.5
	python3 - "$ids" "$1" <<-'EOF'
		import ctypes, os, struct, sys
		libc = ctypes.CDLL(None, use_errno=True)
		def call(number, *args):
		    result = libc.syscall(number, *args)
		    if result < 0:
		        sys.exit(os.strerror(ctypes.get_errno()))
		    return result
		ids = os.open(f"/proc/{sys.argv[1]}/ns/user", os.O_RDONLY)
		path = sys.argv[2].encode()
		tree = call(428, -100, path, 1 | os.O_CLOEXEC)
		call(442, tree, b"", 0x1000, struct.pack("QQQQ", 0x100000, 0, 0, ids), 32)
		os.mkdir("/mnt/idmapped")
		call(429, tree, b"", -100, b"/mnt/idmapped", 4)
	EOF
	kill -KILL "$ids"
}

scenario_an_idmapped_mount_is_not_put_back_with_other_ids()
{
	fresh_ext4
	hold_unseen "$mnt"
	idmap "$mnt" || failed=1
	retire namespace0.0 --evict=stop
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands)] | map(.code + " " + .subject) == ["volatile-mount /mnt/idmapped"]'
	retire namespace0.0 --evict=stop --allow=volatile-mount
	expect_exit 3
	expect_json '.losses | map(.kind + " " + .name) == ["mount /mnt/idmapped"]'
	expect "the other one is back" is_mounted
	expect "it is not mounted as it was not" bash -c '! mountpoint -q /mnt/idmapped'
	kill -KILL "$held"
	holder_row mount-idmapped named stop "an idmapped mount"
}
