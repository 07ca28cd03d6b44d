# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
# guest: --pmem-node --pmem 1026M
#
# Dax devices by themselves: as devices, and as memory of this system.

. "$here/memory-words.sh"

scenario_an_idle_device_is_retired_and_restored()
{
	fresh_devdax
	retire_device dax0.0
	expect_device_retired
	retire_device dax0.0
	expect_json '.result == "already-retired"'
	run daxctl restore dax0.0
	expect_exit 0
	expect "it has its driver" test "$(driver_of dax0.0)" = device_dax
}

scenario_users_of_a_device_are_named()
{
	fresh_devdax
	hold map /dev/dax0.0 2097152
	retire_device dax0.0
	expect_exit 2
	expect_json ".holders[] | select(.pid == $held) | .uses | index(\"map\")"
	expect "it has its driver" test "$(driver_of dax0.0)" = device_dax
}

scenario_memory_leaves_block_by_block_and_comes_back()
{
	fresh_memory movable
	list_dax dax0.0
	expect_json '.holders[0] | .kind == "memory" and .blocks == 7 and .online == 939524096 and .zone == "Movable"'
	retire_device dax0.0
	expect_device_retired
	echo "# figure: 7 blocks idle: $ms ms, offline $(jq '.steps[] | select(.step == "offline-memory") | .ms' "$work/out") ms"
	run daxctl restore dax0.0
	expect_exit 0
	expect "it is kmem's again" test "$(driver_of dax0.0)" = kmem
	expect "all blocks are online" test "$(blocks_in online)" = 7
	list_dax dax0.0
	expect_json '.holders[0] | .online == 939524096 and .zone == "Movable"'
}

scenario_memory_goes_offline_and_keeps_its_driver()
{
	fresh_memory movable
	snapshot_blocks >"$work/before"
	retire_device dax0.0 --no-unbind
	expect_exit 0
	expect_json '.result == "retired" and all(.steps[]; .step != "unbind")'
	expect_json '.verify[] | select(.check == "memory-offline") | .ok'
	expect "it is kmem's still" test "$(driver_of dax0.0)" = kmem
	expect "all blocks are offline" test "$(blocks_in online) $(blocks_in offline)" = "0 7"
	expect "udev has its rules back" no_rule_is_left
	retire_device dax0.0 --no-unbind
	expect_json '.result == "already-retired"'
	run daxctl restore dax0.0
	expect_exit 0
	expect "all blocks are where they were" diff "$work/before" <(snapshot_blocks)
	retire_device dax0.0
	expect_device_retired
}

# From Linux 7.3 on: what is out of the system nobody can bring back
scenario_memory_that_can_be_unplugged_is_back_after_a_kill()
{
	local state=/sys/bus/dax/devices/dax0.0/state record
	fresh_memory movable
	[[ -e $state ]] || { echo "# $(uname -r) has no such attribute"; return; }
	snapshot_blocks >"$work/before"
	# killed when the memory has gone, before anything is unbound
	for record in 5 6; do
		"$build/test/helpers/cut" "$record" tool "$program" daxctl retire-device dax0.0 >"$work/cut" 2>&1
		echo "# record $record: $(<"$state"), $(blocks_in offline) blocks offline, $(driver_of dax0.0)"
		expect "$record: it can be recovered" wait_until 20 recovered
		expect_exit 0
		[[ $(driver_of dax0.0) == kmem ]] || break
		expect "$record: all blocks are where they were" diff "$work/before" <(snapshot_blocks)
	done
}

scenario_memory_in_use_moves_away()
{
	fresh_memory movable
	hold memory 1 209715200
	user=$held
	hold memory-lock 1 67108864
	retire_device dax0.0 --timeout=200
	expect_device_retired
	expect "who had it lives on" kill -0 "$user" "$held"
	echo "# figure: 7 blocks with 264 MiB in use: $ms ms"
}

scenario_memory_of_a_namespace_leaves_with_it()
{
	fresh_memory movable
	retire namespace0.0
	expect_exit 0
	expect_json '.result == "retired" and all(.verify[]; .ok != false)'
	expect "no block is left" test "$(blocks_in online)$(blocks_in offline)" = 00
	restore namespace0.0
	expect_exit 0
	expect "it is kmem's again" test "$(driver_of dax0.0)" = kmem
	expect "all blocks are online" test "$(blocks_in online)" = 7
}

scenario_memory_that_is_not_movable_is_a_risk()
{
	fresh_memory kernel
	retire_device dax0.0
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "unmovable-zone") | .severity == "risk" and .stands'
	expect "nothing was touched" test "$(blocks_in online)" = 7
	retire_device dax0.0 --allow=unmovable-zone --timeout=100
	case $rc in
	0) expect_device_retired ;;
	3) expect "all is online again" test "$(blocks_in online)" = 7 ;;
	*) expect_exit 3 ;;
	esac
	echo "# figure: zone Normal: exit $rc after $ms ms"
}

scenario_who_keeps_a_page_is_named_and_nothing_is_touched()
{
	fresh_memory movable
	hold memory-pin 1
	list_dax dax0.0
	expect_json ".holders[] | select(.pid == $held) | (.uses | index(\"pages\")) and .pinned_pages == 16"
	snapshot_blocks >"$work/before"
	retire_device dax0.0
	expect_exit 2
	expect_json ".vetoes[] | select(.code == \"process\") | .stands and .lifted_by == \"--evict=term\""
	expect "nothing was touched" diff "$work/before" <(snapshot_blocks)
}

scenario_who_keeps_a_page_is_ended_when_asked_for()
{
	fresh_memory movable
	hold memory-pin 1
	retire_device dax0.0 --evict=kill --grace=1
	expect_device_retired
	expect_json '.losses[] | select(.kind == "process")'
}

# with_a_late_pin OPTION...: somebody pins a page when the first block is offline; the events in $work/events
with_a_late_pin()
{
	local states=(/sys/devices/system/node/node1/memory[0-9]*/state) tool
	"$program" daxctl retire-device dax0.0 --events "$@" >"$work/events" 2>"$work/err" &
	tool=$!
	wait_until 60 grep -qx offline "${states[@]}"
	hold memory-pin 1
	wait "$tool"
	rc=$?
	tail -1 "$work/events" >"$work/out"
}

scenario_who_pins_a_page_meanwhile_is_named_within_a_second()
{
	fresh_memory movable
	hold memory 1 419430400
	snapshot_blocks >"$work/before"
	with_a_late_pin --timeout=60
	expect_exit 3
	expect_json ".steps[] | select(.step == \"offline-memory\") | .message | contains(\"mkholder[$held]\")"
	jq -c 'select(.event == "wait") | { elapsed_ms, message }' "$work/events" | sed 's/^/# /'
	expect "it is named while it goes on" \
		jq -se "any(.[]; .event == \"wait\" and (.message | contains(\"mkholder[$held]\")))" "$work/events"
	echo "# figure: named $(jq -s '([.[] | select(.event == "wait")][0].elapsed_ms) as $told |
		$told - ([.[] | select(.event == "progress" and .elapsed_ms < $told)] | group_by(.bytes)[-1][0].elapsed_ms)' \
		"$work/events") ms after it stood still"
	expect "all blocks are where they were" diff "$work/before" <(snapshot_blocks)
}

scenario_who_pins_a_page_meanwhile_is_ended_when_asked_for()
{
	fresh_memory movable
	hold memory 1 419430400
	with_a_late_pin --timeout=100 --evict=kill --grace=1
	expect_device_retired
	expect_json ".losses[] | select(.name == \"mkholder[$held]\")"
}

# Where the kernel does not say who it is
scenario_a_pinned_page_rolls_back()
{
	fresh_memory movable
	hold memory-pin 1
	snapshot_blocks >"$work/before"
	DAX_RETIRE_BPF=never retire_device dax0.0 --timeout=40
	expect_exit 3
	expect_json '.result == "rolled-back"'
	expect_json '.steps[] | select(.step == "offline-memory") | .message | contains("anonymous")'
	echo "# figure: a pinned page, rolled back after $ms ms"
	expect "all blocks are where they were" diff "$work/before" <(snapshot_blocks)
	expect "udev has its rules back" no_rule_is_left
	list_dax dax0.0
	expect_json '.holders[0] | .zone == "Movable"'
	expect "it is kmem's still" test "$(driver_of dax0.0)" = kmem
}

scenario_memory_that_somebody_burned_is_named()
{
	fresh_memory movable
	echo dax0.0 >/sys/bus/dax/drivers/kmem/unbind
	expect "it is burned" is_burned
	list_dax dax0.0
	expect_json '.devices[0].state == "disabled" and .holders[0].kind == "memory"'
	retire_device dax0.0
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "burned") | .severity == "critical"'
	for block in /sys/devices/system/node/node1/memory[0-9]*; do
		echo offline >"$block/state"
	done
	retire_device dax0.0
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "burned") | .severity == "critical"'
}

scenario_a_block_in_another_zone_goes_back_there()
{
	fresh_memory movable
	block=$(printf '%s\n' /sys/devices/system/node/node1/memory[0-9]* | sort -V | tail -1)
	echo offline >"$block/state" && echo online_kernel >"$block/state" || failed=1
	hold memory-pin 1
	snapshot_blocks >"$work/before"
	DAX_RETIRE_BPF=never retire_device dax0.0 --allow=unmovable-zone --timeout=40
	expect_exit 3
	expect "all blocks are where they were" diff "$work/before" <(snapshot_blocks)
}

scenario_free_huge_pages_are_no_obstacle()
{
	fresh_memory movable
	echo 16 >/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages
	echo "# $(</sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages) huge pages there"
	list_dax dax0.0
	echo "# use: $(jq -c '.holders[0].use' "$work/out")"
	retire_device dax0.0
	expect_device_retired
}

scenario_no_block_is_lost_in_rounds()
{
	local round
	fresh_memory movable
	snapshot_blocks >"$work/before"
	for round in $(seq $((${ROUNDS:-20} / 4))); do
		retire_device dax0.0
		expect_device_retired
		run daxctl restore dax0.0
		expect_exit 0
		expect "round $round: all blocks are where they were" diff "$work/before" <(snapshot_blocks)
		((failed == 0)) || return
	done
}

scenario_who_is_bound_to_the_node_is_a_risk()
{
	fresh_memory movable
	hold memory-bound 1 67108864
	list_dax dax0.0
	expect_json ".holders[0].processes[] | select(.pid == $held) | .bound and .bytes >= 67108864"
	retire_device dax0.0
	expect_exit 2
	expect_json ".vetoes[] | select(.code == \"policy-broken\") | .message | contains(\"mkholder[$held]\")"
	retire_device dax0.0 --allow=policy-broken
	expect_device_retired
	expect "it lives on" kill -0 "$held"
}

# In a machine without swap, which fills up on the other node
# Where there are very many blocks the sums of the node are believed: do they say what the blocks say?
scenario_the_sums_of_a_node_agree_with_its_blocks()
{
	local -a blocks
	fresh_memory movable
	mapfile -t blocks < <(printf '%s\n' /sys/devices/system/node/node1/memory[0-9]* | sort -V)
	zone_is() { [[ $("$build/test/helpers/node-zone" 1) == "$1" ]]; }
	expect "all online" zone_is Movable
	echo offline >"${blocks[3]}/state"
	expect "one is offline" zone_is unknown
	echo online_kernel >"${blocks[3]}/state" || echo online_movable >"${blocks[3]}/state"
	if grep -qx Normal "${blocks[3]}/valid_zones"; then
		expect "one is in another zone" zone_is unknown
	else
		expect "all online again" zone_is Movable
	fi
	for block in "${blocks[@]}"; do
		echo offline >"$block/state"
	done
	expect "all offline" zone_is unknown
	for block in "${blocks[@]}"; do
		echo online_kernel >"$block/state"
	done
	expect "all in zone Normal" zone_is Normal
	expect "that of firmware has holes, or more than one zone" bash -c '[[ $("$1" 0) != Movable ]]' - "$build/test/helpers/node-zone"
}

scenario_what_does_not_fit_elsewhere_is_not_tried()
{
	local free
	fresh_memory movable
	# more than an emulated machine fills in the time that holders have
	"$mkholder" memory 1 734003200 >"$work/fill" 2>&1 &
	expect "the node is full" wait_until 120 grep -q ready "$work/fill"
	free=$(awk '/MemFree/ { print $4 * 1024 }' /sys/devices/system/node/node0/meminfo)
	"$mkholder" memory-lock 0 $((free - 314572800)) >"$work/lock" 2>&1 &
	expect "the other node is full" wait_until 120 grep -q ready "$work/lock"
	list_dax dax0.0
	echo "# use: $(jq -c '.holders[0].use' "$work/out"), free there: $(awk '/MemFree/ { print $4 / 1024 " MiB" }' /sys/devices/system/node/node0/meminfo)"
	retire_device dax0.0 --force
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "would-not-fit") | .severity == "critical" and .stands'
	expect "nothing was touched" test "$(blocks_in online)" = 7
}

# poison_a_page: a free one of the highest block, which is the first to go
poison_a_page()
{
	local block size
	block=$(printf '%s\n' /sys/devices/system/node/node1/memory[0-9]* | sort -V | tail -1)
	size=$((16#$(</sys/devices/system/memory/block_size_bytes)))
	printf '%#x' $((${block##*/memory} * size + 65536)) >/sys/devices/system/memory/hard_offline_page
}

# does a block with a poisoned page stay offline? 0: this kernel knows no such thing
stays_offline() { case $(uname -r) in 6.1.*) echo 0 ;; *) echo 1 ;; esac; }

scenario_poisoned_pages_are_a_risk()
{
	fresh_memory movable
	snapshot_blocks >"$work/before"
	expect "a page is poisoned" poison_a_page
	list_dax dax0.0
	expect_json '.holders[0].use.poisoned == 4096'
	retire_device dax0.0 --force
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "poison") | .severity == "risk" and .stands and .lifted_by == "--allow=poison"'
	expect "nothing was touched" diff "$work/before" <(snapshot_blocks)
	retire_device dax0.0 --allow=poison
	expect_device_retired
	run daxctl restore dax0.0
	expect_exit 0
	expect "all blocks are online" test "$(blocks_in online)" = 7
}

scenario_a_poisoned_block_that_stays_offline_is_named()
{
	fresh_memory movable
	snapshot_blocks >"$work/before"
	expect "a page is poisoned" poison_a_page
	retire_device dax0.0 --allow=poison --no-unbind
	expect_exit 0
	run daxctl restore dax0.0
	if (($(stays_offline))); then
		expect_exit 4
		expect_json '.result == "stuck" and any(.stuck[]; .message | contains("has a poisoned page"))'
	else
		expect_exit 0
	fi
	expect "the others are online" test "$(blocks_in offline)" = "$(stays_offline)"
}

scenario_a_rollback_over_a_poisoned_page_is_not_called_whole()
{
	fresh_memory movable
	expect "a page is poisoned" poison_a_page
	hold memory 1 419430400
	with_a_late_pin --timeout=30 --allow=poison
	expect_exit $((3 + $(stays_offline)))
	expect "the others are online" test "$(blocks_in offline)" = "$(stays_offline)"
	expect "it is kmem's still" test "$(driver_of dax0.0)" = kmem
}
