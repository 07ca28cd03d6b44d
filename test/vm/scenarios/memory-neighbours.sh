# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
# guest: --pmem-node --pmem 386M --pmem 386M
#
# Two dax devices whose memory is on one node: what belongs to the other one is not touched.

. "$here/memory-words.sh"

# of the node: memory of one device by its resource
blocks_of()
{
	local size first last
	size=$((16#$(</sys/devices/system/memory/block_size_bytes)))
	first=$(($(<"/sys/bus/dax/devices/$1/resource") / size))
	last=$((($(<"/sys/bus/dax/devices/$1/resource") + $(<"/sys/bus/dax/devices/$1/size")) / size))
	for ((; first < last; first++)); do
		[[ ! -e /sys/devices/system/memory/memory$first ]] ||
			echo "$first:$(<"/sys/devices/system/memory/memory$first/state"):$(<"/sys/devices/system/memory/memory$first/valid_zones")"
	done
}

leave_both()
{
	umount /mnt/canary
	drop_memory
	echo dax1.0 >/sys/bus/dax/drivers/kmem/unbind
	touch "$work/spoils"
} >/dev/null 2>&1
trap leave_both EXIT

scenario_memory_of_a_neighbour_on_the_node_is_left_alone()
{
	local device
	ndctl disable-namespace namespace1.0 >/dev/null 2>&1
	setup_devdax namespace1.0 >/dev/null || failed=1
	fresh_devdax
	modprobe kmem
	echo offline >/sys/devices/system/memory/auto_online_blocks
	for device in dax0.0 dax1.0; do
		echo $device >/sys/bus/dax/drivers/device_dax/unbind
		echo $device >/sys/bus/dax/drivers/kmem/new_id
	done
	wait_until 10 test -e /sys/bus/dax/drivers/kmem/dax1.0 || failed=1
	for device in $(printf '%s\n' /sys/devices/system/node/node1/memory[0-9]* | sort -Vr); do
		echo online_movable >"$device/state"
	done
	blocks_of dax0.0 >"$work/mine"
	blocks_of dax1.0 >"$work/neighbour"
	expect "both have blocks" test -s "$work/mine" -a -s "$work/neighbour"
	# more data than one of them has room for
	mkdir -p /mnt/canary
	mount -t tmpfs -o mpol=bind:1,size=400M canary /mnt/canary
	head -c 300M /dev/urandom >/mnt/canary/data
	sum=$(sha256sum </mnt/canary/data)
	retire_device dax0.0 --allow=policy-broken --timeout=300
	expect_exit 0
	expect_json '.result == "retired" and all(.verify[]; .ok != false)'
	expect "nothing of it is left" test -z "$(blocks_of dax0.0)"
	expect "the neighbour has what it had" diff "$work/neighbour" <(blocks_of dax1.0)
	expect "it is kmem's still" test "$(driver_of dax1.0)" = kmem
	expect "the data is what it was" test "$sum" = "$(sha256sum </mnt/canary/data)"
	run daxctl restore dax0.0
	expect_exit 0
	expect "all blocks are where they were" diff "$work/mine" <(blocks_of dax0.0)
	expect "the neighbour has what it had" diff "$work/neighbour" <(blocks_of dax1.0)
	expect "the data is what it was" test "$sum" = "$(sha256sum </mnt/canary/data)"
}
