# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
# guest: --pmem 1026M --pmem 514M
#
# Every kind of namespace, and what is stacked on one.

as_mode() { ndctl create-namespace -f -m "$1" -e namespace0.0 "${@:2}" >/dev/null || failed=1; }

back() { ndctl enable-namespace namespace0.0 >/dev/null && wait_until 10 test -b "/dev/${1:-pmem0}" || failed=1; }

scenario_raw_namespace()
{
	as_mode raw
	mkfs.ext4 -q -F /dev/pmem0 && mount /dev/pmem0 "$mnt"
	echo kept >"$mnt/kept" && sync -f "$mnt"
	hold write "$mnt/f"
	retire namespace0.0
	expect_exit 2
	retire namespace0.0 --evict=kill --grace=0.5
	expect_retired
	back
	mount /dev/pmem0 "$mnt"
	expect "what was synced is intact" grep -q kept "$mnt/kept"
	umount "$mnt"
	as_mode fsdax -M mem
}

scenario_sector_namespace()
{
	as_mode sector
	mkfs.xfs -q -f /dev/pmem0s && mount /dev/pmem0s "$mnt"
	echo kept >"$mnt/kept" && sync -f "$mnt"
	hold open "$mnt/f"
	retire namespace0.0 --force --grace=0.5
	expect_retired pmem0s
	expect_json '.devices[0] | .mode == "sector" and .blockdev == "pmem0s"'
	back pmem0s
	mount /dev/pmem0s "$mnt"
	expect "what was synced is intact" grep -q kept "$mnt/kept"
	umount "$mnt"
	as_mode fsdax -M mem
}

scenario_devdax_is_retired_when_nobody_uses_it()
{
	as_mode devdax -M mem
	wait_until 10 test -c /dev/dax0.0
	hold map /dev/dax0.0 $((2 << 20))
	retire namespace0.0 --evict=stop
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands and .lifted_by == "--evict=term" and .code == "process")] | length == 1'
	expect "the user lives" test -e "/proc/$held"
	kill -KILL "$held"
	wait "$held"
	retire namespace0.0
	expect_exit 0
	expect_json '.result == "retired" and .devices[0].chardev == "dax0.0"'
	expect "it is gone" test ! -e /sys/bus/dax/devices/dax0.0
	ndctl enable-namespace namespace0.0 >/dev/null
	as_mode fsdax -M mem
}

scenario_disabled_missing_and_misspelt_names()
{
	ndctl disable-namespace namespace0.0 >/dev/null
	retire namespace0.0
	expect_exit 0
	expect_json '.result == "already-retired" and (.changed | not)'
	for name in namespace9.9 0garbage namespace0.0x pmem0 /dev/pmem0 ../namespace0.0; do
		retire "$name"
		expect_exit 1
		expect_json '.result == "error" and (.message | length > 0)'
	done
	retire
	expect_exit 129
	retire namespace0.0 --evict=everything
	expect_exit 129
	back
}

scenario_partitions_are_seen()
{
	addpart /dev/pmem0 1 2048 1048576 || failed=1
	wait_until 5 test -e /sys/block/pmem0/pmem0p1 || failed=1
	[[ -b /dev/pmem0p1 ]] || mknod /dev/pmem0p1 b $(tr : ' ' </sys/block/pmem0/pmem0p1/dev)
	fresh_xfs /dev/pmem0p1
	hold map-write "$mnt/f"
	retire namespace0.0
	expect_exit 2
	expect_json '(.holders[] | select(.kind == "partition") | .id) as $p | .holders[] | select(.kind == "mount") | .on == $p'
	expect_json '.holders[] | select(.kind == "partition") | .name == "pmem0p1" and .on == "pmem0"'
	retire namespace0.0 --evict=kill --grace=0.5
	expect_retired
	holder_row partition named stop "a partition, with what is on it"
	back
}

scenario_stacks_are_refused_by_name()
{
	modprobe -q loop
	modprobe -q dm-mod
	echo "0 $(($(blockdev --getsz /dev/pmem0) - 2048)) linear /dev/pmem0 2048" | dmsetup create vault
	# without udev nobody else makes the node
	dmsetup mknodes
	fresh_xfs /dev/mapper/vault
	hold write "$mnt/f"
	retire namespace0.0
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands)] | map(.code) | sort == ["dm", "mount", "process"]'
	expect_json '.vetoes[] | select(.code == "dm") | .lifted_by == "--evict=stop" and (.message | contains("vault"))'
	expect_json '.holders[] | select(.kind == "process") | .comm == "mkholder"'
	expect "the holder lives" test -e "/proc/$held"
	kill -KILL "$held"; wait "$held"
	umount "$mnt"
	dmsetup remove vault
	losetup /dev/loop0 /dev/pmem0
	retire namespace0.0
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands)] | map(.code) == ["loop"]'
	losetup -d /dev/loop0
	modprobe -q md-mod
	mdadm --create /dev/md7 --run --force --metadata=1.2 --level=1 --raid-devices=1 /dev/pmem0 >/dev/null 2>&1 || failed=1
	retire namespace0.0
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands)] | map(.code) == ["md"]'
	mdadm --stop /dev/md7 >/dev/null 2>&1
	mdadm --zero-superblock /dev/pmem0 >/dev/null 2>&1
	fresh_ext4
	truncate -s 64M "$mnt/image"
	losetup /dev/loop0 "$mnt/image"
	retire namespace0.0
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands)] | map(.code) == ["mount", "loop"]'
	losetup -d /dev/loop0
	umount "$mnt"
	retire namespace0.0
	expect_retired
}

scenario_swap_area_and_swap_file()
{
	mkswap -q /dev/pmem0 2>/dev/null || mkswap /dev/pmem0 >/dev/null
	swapon -p 7 /dev/pmem0 || failed=1
	retire namespace0.0
	expect_exit 2
	expect_json '.vetoes[] | select(.stands) | .code == "swap" and .lifted_by == "--evict=stop"'
	retire namespace0.0 --evict=stop
	expect_retired
	back
	mkfs.ext4 -q -F /dev/pmem0 && mount /dev/pmem0 "$mnt"
	dd if=/dev/zero of="$mnt/swap" bs=1M count=32 status=none
	chmod 600 "$mnt/swap"
	mkswap "$mnt/swap" >/dev/null
	swapon -p 5 "$mnt/swap" || failed=1
	retire namespace0.0 --evict=stop
	expect_retired
	expect_json '.steps | map(.step) | index("swap-off") < index("unmount")'
	expect "no swap is left" bash -c '! grep -q data /proc/swaps'
	holder_row swap-area named stop "a swap area"
	holder_row swap-file named stop "a swap file"
}

# the libraries that take a driver away are loaded when that is asked for
scenario_without_the_library_nothing_is_touched()
{
	local library
	library=$(ldconfig -p | sed -n 's/.*libndctl\.so\.6 .* => //p' | head -1)
	fresh_xfs
	hold map-write "$mnt/f"
	: >"$work/empty"
	mount --bind "$work/empty" "$(realpath "$library")" || failed=1
	retire namespace0.0 --evict=kill
	expect_exit 1
	expect_json '.message | contains("libndctl")'
	expect "the holder lives" test -e "/proc/$held"
	expect "it is still mounted" mountpoint -q "$mnt"
	"$program" ndctl list-holders namespace0.0 >"$work/out" || failed=1
	expect_json '.holders[] | select(.kind == "process") | .comm == "mkholder"'
	umount "$(realpath "$library")"
	retire namespace0.0 --evict=kill --grace=0.5
	expect_retired
}

scenario_the_block_device_itself_is_open()
{
	# through an alias that no list of names has
	mkdir -p /run/alias
	mknod /run/alias/x b $(tr : ' ' </sys/block/pmem0/dev)
	hold open /run/alias/x
	retire namespace0.0
	expect_exit 2
	expect_json '.vetoes[] | select(.stands) | .code == "process" and (.subject | startswith("mkholder["))'
	retire namespace0.0 --evict=term --grace=5
	expect_retired
	expect "it was asked" is_gone "$held"
}

scenario_two_namespaces_are_one_retirement()
{
	ndctl create-namespace -f -m fsdax -M mem -e namespace1.0 >/dev/null || failed=1
	wait_until 10 test -b /dev/pmem1
	fresh_xfs /dev/pmem0 /mnt/data
	mkdir -p /mnt/data/inner
	fresh_ext4 /dev/pmem1 /mnt/data/inner
	hold write /mnt/data/inner/f
	retire namespace0.0
	expect_exit 2
	retire namespace0.0 namespace1.0 --evict=kill --grace=0.5
	expect_exit 0
	expect_json '.result == "retired" and (.devices | length == 2) and all(.devices[]; .unused)'
	expect_json '[.steps[] | select(.step == "freeze") | .subject] == ["/mnt/data/inner", "/mnt/data"]'
	expect_json '.steps | map(.step) | rindex("claim") < index("unbind")'
	ndctl enable-namespace all >/dev/null 2>&1
	wait_until 10 test -b /dev/pmem1
	retire all -r region1
	expect_exit 0
	expect_json '.devices | map(.dev) == ["namespace1.0"]'
	expect "the other is left alone" test -b /dev/pmem0
	ndctl enable-namespace all >/dev/null 2>&1
	ndctl destroy-namespace -f namespace1.0 >/dev/null
}
