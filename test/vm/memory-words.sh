# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the scenarios of memory have in common, beyond scenario.sh: one device, on a node of its own.

retire_device() { run daxctl retire-device "$@"; }
list_dax() { run daxctl list-holders "$@"; }
blocks_in() { grep -lx "$1" /sys/devices/system/node/node1/memory[0-9]*/state 2>/dev/null | wc -l; }
driver_of() { basename "$(readlink "/sys/bus/dax/devices/$1/driver" 2>/dev/null)"; }
# burned: memory of the device is the system's although no driver has it
is_burned() { [[ -z $(driver_of dax0.0) ]] && grep -A1 'dax0.0$' /proc/iomem | grep -q 'System RAM'; }

# nothing of it is memory any more; what is burned stays so until a reboot
drop_memory()
{
	local state
	for state in /sys/devices/system/node/node1/memory[0-9]*/state; do
		[[ ! -e $state ]] || timeout 30 bash -c 'echo offline >"$1"' - "$state"
	done
	if [[ $(driver_of dax0.0) == kmem && $(blocks_in online) == 0 ]]; then
		echo dax0.0 >/sys/bus/dax/drivers/kmem/remove_id
		echo dax0.0 >/sys/bus/dax/drivers/kmem/unbind
	fi
	! compgen -G '/sys/devices/system/node/node1/memory[0-9]*'
} >/dev/null 2>&1

# as the next scenario wants to find it
leave_memory()
{
	pkill -KILL -x mkholder
	rm -f /usr/lib/udev/rules.d/40-memory-of-a-test.rules
	drop_memory && ndctl disable-namespace namespace0.0 && setup_fsdax && return
	touch "$work/spoils"
} >/dev/null 2>&1
trap leave_memory EXIT

fresh_devdax()
{
	drop_memory
	ndctl disable-namespace namespace0.0 >/dev/null 2>&1
	setup_devdax >/dev/null || failed=1
}

# fresh_memory ZONE: dax0.0 is memory of this system, its blocks online in that zone (movable, kernel)
fresh_memory()
{
	fresh_devdax
	modprobe kmem
	echo offline >/sys/devices/system/memory/auto_online_blocks
	echo dax0.0 >/sys/bus/dax/drivers/device_dax/unbind
	echo dax0.0 >/sys/bus/dax/drivers/kmem/new_id
	wait_until 10 compgen -G '/sys/devices/system/node/node1/memory[0-9]*' >/dev/null || failed=1
	for block in $(printf '%s\n' /sys/devices/system/node/node1/memory[0-9]* | sort -Vr); do
		echo "online_$1" >"$block/state"
	done
	[[ $(blocks_in online) == 7 ]] || { failed=1; echo "# $(blocks_in online) blocks online"; }
}

# block:state:zone of each
snapshot_blocks()
{
	local block
	for block in $(printf '%s\n' /sys/devices/system/node/node1/memory[0-9]* | sort -V); do
		echo "${block##*/}:$(<"$block/state"):$(<"$block/valid_zones")"
	done
}

# what the rules of udev are kept off by is gone
no_rule_is_left() { [[ ! -e /run/dax-retire/offline ]] && ! grep -ls dax-retire /run/udev/rules.d/*; }

expect_device_retired()
{
	expect_exit 0
	expect_json '.result == "retired" and .changed and .devices[0].unused and (.stuck // [] | length == 0)'
	expect_json 'all(.verify[]; .ok != false)'
	expect "it has no driver" test -z "$(driver_of dax0.0)"
	expect "nothing of it is burned" bash -c '! grep -A1 "dax0.0$" /proc/iomem | grep -q "System RAM"'
	expect_json '[.verify[] | select(.check == "not-burned")] | all(.ok)'
	expect_json '[.verify[] | select(.check == "node-total")] | all(.ok)'
	expect "udev has its rules back" no_rule_is_left
	expect "no block is left" test "$(blocks_in online)$(blocks_in offline)" = 00
}
