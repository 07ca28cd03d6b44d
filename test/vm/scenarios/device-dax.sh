# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
# guest: --pmem 514M --pmem 514M
#
# shellcheck disable=SC2154
#
# Users of a device-dax: asked, killed, and nothing is taken away under a page that somebody references.

node=/dev/dax0.0 neighbour=/dev/dax1.0
driver_of() { basename "$(readlink "/sys/bus/dax/devices/$1/driver" 2>/dev/null)"; }
has_driver() { [[ $(driver_of dax0.0) == device_dax ]]; }

# fresh: both are device-dax, and somebody has the neighbour mapped, with something of his own in it
fresh()
{
	has_driver || { ndctl disable-namespace namespace0.0 >/dev/null 2>&1; setup_devdax >/dev/null || failed=1; }
	[[ $(driver_of dax1.0) ]] || { ndctl disable-namespace namespace1.0 >/dev/null 2>&1; setup_devdax namespace1.0 >/dev/null || failed=1; }
	python3 -c '
import mmap, os, signal, sys
memory, data = mmap.mmap(os.open(sys.argv[1], os.O_RDWR), 2 << 20), os.urandom(2 << 20)
memory[:] = data
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
print("ready", flush=True)
signal.sigwait({signal.SIGUSR1})
sys.exit(memory[:] != data)' "$neighbour" >"$work/canary" 2>&1 &
	canary=$!
	wait_until 60 grep -q ready "$work/canary" || { failed=1; sed 's/^/# canary: /' "$work/canary"; }
}

is_whole() { kill -USR1 "$canary" && wait "$canary"; }
expect_canary() { expect "the user of the neighbour, and what it wrote there, is as before" is_whole; }

# leave TOOL ARG...: by daxctl the device, by ndctl its namespace
leave()
{
	case $1 in
	daxctl) run daxctl retire-device dax0.0 "${@:2}" ;;
	ndctl) retire namespace0.0 "${@:2}" ;;
	esac
}

expect_left()
{
	expect_exit 0
	expect_json '.result == "retired" and .changed and .devices[0].unused and (.stuck // [] | length == 0)'
	expect_json 'all(.verify[]; .ok != false)'
	expect_json '.verify[] | select(.check == "no-references") | .ok == true and .pages > 200'
	expect_json '.steps | map(.step) | index("claim") < index("count-references") and index("count-references") < index("unbind")'
	expect "it has no driver" test -z "$(driver_of dax0.0)"
	expect "nobody maps it" bash -c '! grep -qs "/dax0\.0$" /proc/[0-9]*/maps'
}

# still_there PID...: nothing was done
still_there()
{
	local pid
	expect "it has its driver" has_driver
	for pid; do
		expect "$pid lives" test -e "/proc/$pid/exe"
	done
}

# back TOOL: what was retired is there again, in its mode, and can be mapped
back()
{
	case $1 in
	daxctl) run daxctl restore dax0.0 ;;
	ndctl) restore namespace0.0 ;;
	esac
	expect_exit 0
	expect "it has its driver again" has_driver
	wait_until 10 test -c "$node" || failed=1
	hold map "$node" 2097152
	expect "it can be mapped" test "$failed" = 0
	kill -KILL "$held"
	wait "$held" 2>/dev/null
}

users_are_ended_by()
{
	local obedient stubborn
	fresh
	hold map "$node" 2097152
	obedient=$held
	leave "$1" --evict=stop
	expect_exit 2
	expect_json ".holders[] | select(.pid == $obedient) | .uses | index(\"map\") != null"
	expect_json '.vetoes[] | select(.code == "process") | .severity == "holder" and .lifted_by == "--evict=term"'
	still_there "$obedient"
	leave "$1" --evict=term --grace=20
	expect_left
	expect_json '.losses == [{"kind": "process", "name": "mkholder['"$obedient"']", "reason": "SIGTERM"}]'
	expect "it was ended" is_gone "$obedient"
	back "$1"
	hold map "$node" 2097152
	obedient=$held
	hold --ignore-term open "$node"
	stubborn=$held
	leave "$1" --evict=term --grace=2
	expect_exit 3
	expect_json '.result == "rolled-back" and (.losses | map(.name)) == ["mkholder['"$obedient"']"]'
	still_there "$stubborn"
	leave "$1" --evict=kill --grace=0.5
	expect_left
	expect_json '.losses | any(.name == "mkholder['"$stubborn"']" and .reason == "SIGKILL")'
	expect "it was killed" is_gone "$stubborn"
	back "$1"
	expect_canary
}

scenario_users_of_a_device_dax_are_ended_by_daxctl()
{
	users_are_ended_by daxctl
}

scenario_users_of_a_device_dax_are_ended_by_ndctl()
{
	users_are_ended_by ndctl
}

# pins_of KIND: refused, and left alone, where the kernel does not tell whose they are; else ended with whoever has them
pins_of()
{
	local tool
	for tool in daxctl ndctl; do
		hold "$1" "$node" 2097152
		leave "$tool"
		expect_exit 2
		expect_json '.vetoes[] | select(.code == "page-reference") | .severity == "holder" and .lifted_by == "--evict=term"'
		expect_json ".holders[] | select(.pid == $held) | .uses | index(\"pages\") != null"
		if [[ $1 != pin ]]; then
			DAX_RETIRE_BPF=never leave "$tool" --force
			expect_exit 2
			expect_json '.vetoes[] | select(.stands) | .code == "pinned" and .severity == "critical"'
		fi
		still_there "$held"
		if [[ $tool == daxctl ]]; then
			leave "$tool" --evict=term --grace=20
		else
			kill -STOP "$held"
			leave "$tool" --evict=kill --grace=0.5
		fi
		expect_left
		expect "$1: it was ended" is_gone "$held"
		back "$tool"
	done
}

scenario_pins_of_a_device_dax_go_with_their_holder()
{
	fresh
	pins_of pin
	pins_of invisible-pin
	expect_canary
}

scenario_pins_in_flight_and_in_a_ring_go_with_their_holder()
{
	fresh
	pins_of flight-pinned
	# 6.1 takes no file's memory as a buffer
	[[ $(uname -r) == 6.1.* ]] || pins_of uring-buffer
	expect_canary
}

# It is not the one that is ended, but one that nobody sees: the processes are lost, the device is not
scenario_a_pin_of_somebody_else_rolls_back()
{
	local pinner
	fresh
	hold --ignore-term invisible-pin "$node" 2097152
	pinner=$held
	hold map "$node" 2097152
	DAX_RETIRE_BPF=never leave daxctl --evict=kill --grace=1
	expect_exit 3
	expect_json '.result == "rolled-back" and (.message | contains("references 1 page"))'
	expect_json '[.steps[] | select(.state == "failed") | .step] == ["count-references"]'
	expect_json '[.losses[] | .name] == ["mkholder['"$held"']"]'
	still_there "$pinner"
	kill -KILL "$pinner"
	wait "$pinner" 2>/dev/null
	leave daxctl
	expect_left
	back daxctl
	expect_canary
}

scenario_who_can_pin_pages_of_a_device_dax_says_so()
{
	local locker pinner
	modprobe vhost_net
	fresh
	bash -c 'exec 7<>/dev/vhost-net 8<>/dev/dax0.0; exec sleep 1000' &
	pinner=$!
	python3 -c '
import ctypes, mmap, os, sys, time
memory = mmap.mmap(-1, 65536)
here = ctypes.addressof(ctypes.c_char.from_buffer(memory))
if ctypes.CDLL(None).mlock(ctypes.c_void_p(here), ctypes.c_size_t(65536)):
    sys.exit(1)
os.open(sys.argv[1], os.O_RDWR)
print("ready", flush=True)
time.sleep(1000)' "$node" >"$work/locker" 2>&1 &
	locker=$!
	wait_until 60 grep -q ready "$work/locker" || failed=1
	hold open "$node"
	run daxctl list-holders dax0.0
	expect_exit 0
	expect_json "[.holders[] | select(.uses | index(\"pin\")) | .pid] | sort == ([$pinner, $locker] | sort)"
	leave daxctl --evict=term --grace=20
	expect_left
	back daxctl
	expect_canary
}

# In a mount and pid namespace of its own, by a node that is there only: the first process of a pid namespace heeds no
# SIGTERM from outside
scenario_a_user_in_a_container_by_a_node_of_its_own()
{
	local id=3f2a9c1b7d204e5f8a6b3c9d0e1f2a4b5c6d7e8f90a1b2c3d4e5f60718293a4b group number user
	fresh
	group=/sys/fs/cgroup/system.slice/docker-$id.scope
	mkdir -p "$group"
	number="$((0x$(stat -c %t "$node"))) $((0x$(stat -c %T "$node")))"
	# shellcheck disable=SC2016
	unshare --mount --pid --fork --mount-proc bash -c '
		mkdir -p /run/inside && mount -t tmpfs none /run/inside && mknod /run/inside/memory c '"$number"' &&
			exec "$0" map /run/inside/memory 2097152' "$mkholder" >"$work/inside" 2>&1 &
	wait_until 30 grep -q ready "$work/inside" || failed=1
	user=$(pgrep -f '^[^ ]*mkholder map /run/inside/memory')
	echo "$user" >"$group/cgroup.procs"
	leave daxctl
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "process") | .message | contains("(container 3f2a9c1b7d20)")'
	leave daxctl --evict=term --grace=1
	expect_exit 3
	still_there "$user"
	leave daxctl --evict=kill --grace=0.5
	expect_left
	expect "it was killed" is_gone "$user"
	expect "nobody maps it by another node" bash -c '! grep -qs "/memory$" /proc/[0-9]*/maps'
	back daxctl
	expect_canary
	holder_row dax-map-container named kill "the device-dax, mapped in a container by a node of its own"
}

scenario_a_virtual_machine_on_a_device_dax()
{
	local tool vm
	fresh
	for tool in daxctl ndctl; do
		qemu-system-x86_64 -machine none -display none -nodefaults -name guest=web1,debug-threads=on -S \
			-object memory-backend-file,id=m,size=64M,align=2M,share=on,mem-path="$node" >"$work/vm" 2>&1 &
		vm=$!
		wait_until 90 grep -qs "$node" "/proc/$vm/maps" || { failed=1; sed 's/^/# vm: /' "$work/vm"; }
		leave "$tool"
		expect_exit 2
		expect_json '.holders[] | select(.kind == "process") | .vm == "web1" and (.uses | index("map") != null)'
		expect_json '.vetoes[] | select(.code == "process") | .message | contains("(vm web1)")'
		still_there "$vm"
		leave "$tool" "--evict=$([[ $tool == daxctl ]] && echo term || echo kill)" --grace=20
		expect_left
		expect "it was ended" is_gone "$vm"
		back "$tool"
	done
	expect_canary
	holder_row dax-vm named term "a virtual machine with a device-dax as its memory"
}

# One that does not go keeps all of them
scenario_several_devices_are_one_retirement()
{
	fresh
	kill -KILL "$canary"
	hold --ignore-term map "$neighbour" 2097152
	run daxctl retire-device all --evict=term --grace=0.5
	expect_exit 3
	expect "the first has its driver" has_driver
	expect "and the second" test "$(driver_of dax1.0)" = device_dax
	run daxctl retire-device all --evict=kill --grace=0.5
	expect_exit 0
	expect_json '.result == "retired" and all(.devices[]; .unused)'
	expect "no driver is left" test "$(driver_of dax0.0)$(driver_of dax1.0)" = ""
	run daxctl retire-device all
	expect_json '.result == "already-retired"'
	run daxctl list-retirements
	run daxctl restore "$(jq -r '.retirements[] | select(.state == "retired") | .id' "$work/out")"
	expect_exit 0
	expect "both are back" test "$(driver_of dax0.0) $(driver_of dax1.0)" = "device_dax device_dax"
}

scenario_a_retired_device_can_be_given_to_kmem_and_back()
{
	local policy
	fresh
	hold map "$node" 2097152
	leave daxctl --force --grace=1
	expect_left
	modprobe kmem
	policy=$(cat /sys/devices/system/memory/auto_online_blocks)
	echo offline >/sys/devices/system/memory/auto_online_blocks
	echo dax0.0 >/sys/bus/dax/drivers/kmem/new_id
	expect "kmem takes it" test "$(driver_of dax0.0)" = kmem
	echo dax0.0 >/sys/bus/dax/drivers/kmem/remove_id
	echo dax0.0 >/sys/bus/dax/drivers/kmem/unbind
	echo "$policy" >/sys/devices/system/memory/auto_online_blocks
	back daxctl
	expect_canary
}

scenario_a_name_of_a_dax_device_is_matched_exactly()
{
	fresh
	for name in dax0.0x dax00.0 dax0 dax9.9 namespace0.0 "$node" ''; do
		run daxctl retire-device --force "$name"
		expect_exit 1
		expect_json '.result == "error" and (.message | length > 0)'
	done
	run daxctl retire-device --force -r 1 dax0.0
	expect_exit 1
	expect "it has its driver" has_driver
	expect_canary
}
