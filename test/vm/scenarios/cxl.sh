# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
# guest: --pmem 130M --cxl ram:512M --cxl ram:512M --cxl pmem:512M --cxl pmem:512M --cxl-switch ram:512M --cxl-switch pmem:512M --cxl both:512M --monitor
#
# Memory devices of CXL: 0 and 1 are volatile, 2 and 3 persistent, 4 and 5 one of each behind a switch, 6 has both.

. "$here/cxl-words.sh"

expect_region_retired()
{
	expect_exit 0
	expect_json '.result == "retired" and .changed and (.stuck // [] | length == 0)'
	expect_json 'all(.verify[]; .ok != false)'
	expect "it is not committed" test "$(cat "$cxl/$region/commit" 2>/dev/null || echo 0)" = 0
	expect "it has no driver" test -z "$(driver "$region")"
	expect "nothing of it is burned" bash -c '! grep -q "(kmem)" /proc/iomem'
	expect "cxl agrees" bash -c '! cxl list -R -r "$1" 2>/dev/null | jq -e ".[] | select(.decode_state == \"commit\")"' - "$region"
}

# retired and restored, again and again; what is_as_before says holds in between
in_rounds()
{
	local round
	for ((round = 1; round <= ROUNDS; round++)); do
		retire_region "$region" "${how[@]}"
		expect_region_retired
		echo "# figure: $region, $round: $ms ms: $(jq -c '[.steps[] | {(.step): (.ms | round)}] | add' "$work/out")"
		run cxl restore "$region"
		expect_exit 0
		expect "$round: as before" is_as_before
	done
}

same_blocks() { diff "$work/before" <(snapshot_blocks); }
ram_in_rounds()
{
	has_ram || return 0
	fresh_ram movable "$@"
	snapshot_blocks >"$work/before"
	how=()
	is_as_before() { same_blocks; }
	in_rounds
}

scenario_memory_of_a_region_leaves_and_comes_back()
{
	ram_in_rounds 0
}

scenario_memory_of_a_region_over_two_devices_leaves_and_comes_back()
{
	ram_in_rounds 0 1
}

scenario_memory_of_a_region_behind_a_switch_leaves_and_comes_back()
{
	ram_in_rounds 4
}


same_file() { is_mounted && cmp "$mnt/f" "$work/f"; }
pmem_in_rounds()
{
	fresh_cxl_pmem "$@"
	head -c 4M /dev/urandom >"$work/f"
	cp "$work/f" "$mnt/f"
	echo held >"$mnt/held"
	hold --ignore-term open "$mnt/held"
	how=(--evict=kill --grace=0.5)
	is_as_before() { same_file; }
	in_rounds
	holder_row cxl-open named kill "a file that a process has open which ignores SIGTERM"
}

scenario_a_file_system_on_a_region_leaves_and_comes_back()
{
	pmem_in_rounds 2
}

scenario_a_file_system_on_a_region_over_two_devices_leaves_and_comes_back()
{
	pmem_in_rounds 2 3
}

scenario_a_file_system_on_a_region_behind_a_switch_leaves_and_comes_back()
{
	pmem_in_rounds 5
}


scenario_whoever_is_on_a_device_is_named()
{
	fresh_cxl_pmem 2 3
	hold open "$mnt/f"
	retire_memdev "$(memdev 2)" "$(memdev 3)"
	expect_exit 2
	expect_json ".holders[] | select(.pid == $held) | .uses | index(\"open\")"
	expect "nothing has changed" test "$(<"$cxl/$region/commit")" = 1
	expect "it is mounted" is_mounted
}

scenario_a_device_that_shares_a_region_is_refused_without_the_others()
{
	fresh_cxl_pmem 2 3
	umount "$mnt"
	retire_memdev "$(memdev 2)"
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "interleave-siblings" and .stands)'
	expect "nothing has changed" test "$(<"$cxl/$region/commit")" = 1
	retire_memdev "$(memdev 2)" "$(memdev 3)"
	expect_exit 0
	expect "neither has a driver" test -z "$(driver "$(memdev 2)")$(driver "$(memdev 3)")"
	run cxl restore "$(memdev 2)"
	expect_exit 0
	expect "it can be mounted" mount -o dax=always "$disk" "$mnt"
}

scenario_a_mapped_device_dax_of_a_region_is_retired()
{
	local device what="the device-dax, mapped"
	has_ram || { holder_row cxl-dax-map impossible - "$what"; return 0; }
	fresh_ram movable 0
	device=$(dax)
	daxctl offline-memory "$device" >/dev/null 2>&1
	daxctl reconfigure-device -f -m devdax "$device" >/dev/null || failed=1
	hold map "/dev/$device" 2097152
	retire_region "$region"
	expect_exit 2
	expect_json ".holders[] | select(.pid == $held) | .uses | index(\"map\")"
	retire_region --evict=term "$region"
	expect_region_retired
	run cxl restore "$region"
	expect_exit 0
	expect "it is a device again" test "$(basename "$(readlink "/sys/bus/dax/devices/$(dax)/driver")")" = device_dax
	holder_row cxl-dax-map named term "$what"
}

scenario_memory_under_load_moves_away()
{
	has_ram || return 0
	fresh_ram movable 0 1
	# an emulator reaches memory of CXL very slowly
	hold memory "$(<"/sys/bus/dax/devices/$(dax)/target_node")" 16777216
	retire_region --timeout=200 "$region"
	expect_region_retired
	expect "who had it lives on" kill -0 "$held"
	echo "# figure: region in use: $ms ms"
}

scenario_a_pinned_page_refuses_a_card()
{
	has_ram || return 0
	fresh_ram movable 0
	hold memory-pin "$(<"/sys/bus/dax/devices/$(dax)/target_node")" 65536
	retire_memdev --power-off "$(memdev 0)"
	expect_exit 2
	expect_json ".vetoes[] | select(.stands) | .message | contains(\"[$held]\")"
	expect "all its blocks are online" test "$(blocks_in online)" = 4
	expect "it has its driver" test "$(driver "$(memdev 0)")" = cxl_mem
}

scenario_a_card_with_both_kinds_of_memory_leaves_and_comes_back()
{
	local card ram
	has_ram || return 0
	card=$(memdev 6)
	# in this order: drivers/cxl/core/hdm.c:cxl_dpa_alloc()
	fresh_ram movable 6
	ram=$region
	snapshot_blocks >"$work/before"
	fresh_cxl_pmem 6
	region=$ram
	head -c 1M /dev/urandom >"$work/f"
	cp "$work/f" "$mnt/f"
	retire_memdev "$card"
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands) | .code] | index("mount")'
	setpriv --reuid 65534 --clear-groups "$program" cxl list-holders "$card" >"$work/out" 2>"$work/err"
	rc=$?
	expect_exit 0
	expect_json '[.devices[] | select(.bus == "cxl") | .dev] | length == 3'
	expect "nothing has changed" same_blocks
	retire_memdev --evict=stop "$card"
	expect_exit 0
	expect_json '.result == "retired" and .ready_to_remove and ([.steps[] | select(.step == "decommit")] | length == 2)'
	expect "it has no driver" test -z "$(driver "$card")"
	retire_memdev "$card"
	expect_exit 0
	expect_json '.result == "already-retired"'
	run cxl restore "$card"
	expect_exit 0
	expect "its memory is as before" same_blocks
	expect "its file is there" same_file
}

# kmem on a namespace on a region: three kinds of device, one on the other
scenario_a_persistent_card_that_is_memory_of_the_system_leaves_and_comes_back()
{
	local card device block online
	card=$(memdev 3)
	echo offline >/sys/devices/system/memory/auto_online_blocks
	make_region pmem 4096 3 || failed=1
	expect "it has an nd region" wait_until 20 nd_region
	namespace=$(ndctl create-namespace -f -m devdax -M mem -r "$(nd_region)" | jq -r .dev)
	device=$(ndctl list -X -n "$namespace" | jq -r '.[0].daxregion.devices[0].chardev')
	echo "$device" >/sys/bus/dax/drivers/device_dax/unbind
	echo "$device" >/sys/bus/dax/drivers/kmem/new_id
	has_blocks() { compgen -G "/sys/devices/system/node/node*/memory$(basename "$(blocks | sed -n 2p)" | tr -dc 0-9)"; }
	expect "it has blocks" wait_until 20 has_blocks
	for block in $(blocks | tac); do
		[[ ! -e $block ]] || echo online_movable >"$block/state"
	done
	online=$(blocks_in online)
	expect "blocks are online" test "$online" -gt 0
	snapshot_blocks >"$work/before"
	retire_memdev "$card"
	expect_exit 0
	expect_json '.result == "retired" and .ready_to_remove and all(.verify[]; .ok != false)'
	expect "it has no driver" test -z "$(driver "$card")"
	expect "nothing of it is burned" bash -c '! grep -q "(kmem)" /proc/iomem'
	echo "# figure: kmem on a namespace: $online blocks, $ms ms: $(jq -c '[.steps[] | {(.step): (.ms | round)}] | add' "$work/out")"
	run cxl restore "$card"
	expect_exit 0
	expect "its memory is as before" same_blocks
}

scenario_two_regions_of_one_card_go_and_come_back_in_their_order()
{
	local card first
	has_ram || return 0
	card=$(memdev 0)
	PART=268435456 fresh_ram movable 0
	first=$region
	PART=268435456 fresh_ram movable 0
	retire_region "$first"
	expect_exit 2
	expect_json '.vetoes[] | select(.stands and .code == "decoder-order") | .message | contains("'"$region"'")'
	retire_memdev "$card"
	expect_exit 0
	expect_json '[.steps[] | select(.step == "decommit") | .subject] == ["'"$region"'", "'"$first"'"]'
	run cxl restore "$card"
	expect_exit 0
	expect "all blocks of the second are online" test "$(blocks_in online)" = 2
	region=$first
	expect "all blocks of the first are online" test "$(blocks_in online)" = 2
}

# Beside a file system on another card, which notices nothing
scenario_a_card_is_pulled_and_another_is_plugged()
{
	local was slot
	has_ram || return 0
	fresh_cxl_pmem 2
	head -c 1M /dev/urandom >"$work/f"
	cp "$work/f" "$mnt/f"
	fresh_ram movable 0
	was=$(memdev 0)
	slot=$(slot "$(pci_of "$was")")
	retire_memdev --power-off "$was"
	expect_exit 0
	expect_json '.result == "retired" and .ready_to_remove'
	echo "# figure: card: $ms ms: $(jq -c '[.steps[] | {(.step): (.ms | round)}] | add' "$work/out")"
	expect_json '[.verify[] | select(.check == "slot-off" or .check == "no-link-errors") | .ok] == [true, true]'
	expect "the slot is off" test "$(<"$slot/power")" = 0
	expect "it is no more" test ! -e "$cxl/$was"
	expect "nothing is burned" bash -c '! grep -q "(kmem)" /proc/iomem'
	expect "another one is plugged" plug 0 2000 536870912
	expect "it is found" wait_until 20 another_is_there
	run cxl restore "$was"
	expect_exit 2
	expect_json '.vetoes[] | select(.stands and .code == "identity") | .message | contains("serial was 0x3e8")'
	fresh_ram movable 1000
	expect "memory of the other card is online" test "$(blocks_in online)" = 4
	retire_memdev "$(memdev 1000)"
	expect_exit 0
	sync "$mnt/f"
	echo 1 >/proc/sys/vm/drop_caches
	expect "the file beside it is whole" same_file
}
another_is_there() { grep -qx 0x7d0 "$cxl"/mem*/serial; }

scenario_a_card_that_is_pulled_without_asking_is_told()
{
	has_ram || return 0
	fresh_ram movable 1
	touch "$work/spoils" "$work/warnings-expected"
	pull 1
	wait_until 20 test -z "$(memdev 1)"
	list_cxl "$region"
	echo "# exit $rc: $(jq -c . "$work/out" | cut -c1-600) $(head -3 "$work/err")"
	retire_region "$region"
	expect_json '.result == "refused" or .result == "stuck"'
	expect_json '[.vetoes[]?.message, .stuck[]?.message] | any(contains("burned"))'
}

scenario_a_deleted_region_is_made_again()
{
	fresh_cxl_pmem 2 3
	head -c 1M /dev/urandom >"$work/f"
	cp "$work/f" "$mnt/f"
	retire_region --evict=stop --delete "$region"
	expect_exit 0
	expect_json '.result == "retired"'
	expect "it is no more" test ! -e "$cxl/$region"
	run cxl restore "$region"
	expect_exit 0
	expect "its file is there" same_file
}

scenario_memory_that_is_not_movable_is_a_risk()
{
	has_ram || return 0
	fresh_ram kernel 0
	snapshot_blocks >"$work/before"
	retire_region "$region"
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "unmovable-zone" and .stands)'
	retire_region --allow=unmovable-zone --timeout=60 "$region"
	echo "# figure: zone Normal: exit $rc after $ms ms"
	if [[ $rc == 0 ]]; then
		expect_region_retired
	else
		expect_exit 3
		expect "all blocks are where they were" same_blocks
		touch "$work/spoils"
	fi
}

# The button of a slot is heard for five seconds before it counts. While its memory moves away, which takes its time in an
# emulator
scenario_a_card_that_vanishes_in_mid_run_is_told()
{
	local card
	has_ram || return 0
	fresh_ram movable 0
	card=$(memdev 0)
	touch "$work/spoils" "$work/warnings-expected"
	hold memory "$(<"/sys/bus/dax/devices/$(dax)/target_node")" 16777216
	pull 0
	sleep 3.5
	retire_memdev --timeout=60 "$card"
	echo "# figure: vanished: exit $rc: $(jq -c '[.result, .stuck[]?.message, .vetoes[]?.message, .error?.message]' "$work/out" | cut -c1-400)"
	expect "it has ended, and says how" test "$rc" -le 4
	expect "the card is gone" wait_until 20 is_gone "$card"
	run cxl recover
	expect "that has an end, too" test "$rc" -le 4
	retire_region "$region"
	expect "and the next one" test "$rc" -le 4
}
is_gone() { [[ ! -e $cxl/$1 ]]; }

scenario_a_card_that_is_pulled_under_a_file_system_is_told()
{
	fresh_cxl_pmem 2
	touch "$work/spoils" "$work/warnings-expected"
	fio --name=job --directory="$mnt" --size=16M --rw=randwrite --bs=4k --ioengine=mmap --time_based --runtime=600 \
		>"$work/fio" 2>&1 &
	wait_until 30 test -s "$mnt/job.0.0"
	was=$(memdev 2)
	pull 2
	expect "the card is gone" wait_until 40 is_gone "$was"
	for command in "cxl list-holders $region" "cxl retire-region $region" "cxl retire-memdev $was" "ndctl list-holders all" \
		"ndctl retire-namespace --evict=kill --grace=0.5 $namespace" "ndctl list-holders $namespace"; do
		# shellcheck disable=SC2086
		run $command
		echo "# figure: $command: exit $rc: $(jq -c '[.result, .vetoes[]?.message, .holders[]?.name, .stuck[]?.message]' "$work/out" | cut -c1-300) $(head -n 2 "$work/err" | cut -c1-200)"
		expect "$command has an end, and says how" test "$rc" -le 4
	done
	pkill -KILL fio
	if wait_until 20 bash -c '! pgrep -x fio' && timeout 20 umount "$mnt"; then
		echo "# figure: the kernel has taken it away; it could be unmounted"
	else
		# since Linux 6.14 it goes over the same page for ever: mm/memory-failure.c:mf_dax_kill_procs()
		echo "# figure: the kernel never comes back from taking it away"
	fi
}

# killed RECORD NUMBER: the tool, when its journal has so many records; then the card is pulled
killed()
{
	local was
	fresh_ram movable "$2"
	was=$(memdev "$2")
	"$build/test/helpers/cut" "$1" tool "$program" cxl retire-memdev "$was" >"$work/cut" 2>&1
	pull "$2"
	expect "$1: the card is gone" wait_until 40 is_gone "$was"
	run cxl recover
	echo "# figure: killed at $1: recover: exit $rc: $(jq -c '[.result, .stuck[]?.message]' "$work/out" | cut -c1-400) $(head -n 2 "$work/err" | cut -c1-200)"
	expect "$1: it has ended, and says how" test "$rc" -le 4
	[[ $rc != 0 ]] || expect "$1: nothing is burned" bash -c '! grep -q "(kmem)" /proc/iomem'
	run cxl restore "$was"
	echo "# figure: killed at $1: restore: exit $rc: $(jq -c '[.result, .vetoes[]?.message]' "$work/out" | cut -c1-400) $(head -n 2 "$work/err" | cut -c1-200)"
	expect "$1: a card that is not there is not restored" test "$rc" = 1 -o "$rc" = 2
}

# After the commit first: then nothing of it is in use
scenario_a_card_that_is_pulled_after_the_tool_was_killed_is_told()
{
	has_ram || return 0
	touch "$work/spoils" "$work/warnings-expected"
	killed 10 0
	killed 6 1
	killed 3 4
}

scenario_one_that_is_killed_is_recovered()
{
	local record
	fresh_cxl_pmem 2 3
	head -c 1M /dev/urandom >"$work/f"
	cp "$work/f" "$mnt/f"
	for record in 6 10 14 18 22 26; do
		"$build/test/helpers/cut" "$record" tool "$program" cxl retire-region --evict=stop "$region" >"$work/cut" 2>&1
		expect "$record: it can be recovered" wait_until 20 recovered
		expect_exit 0
		[[ $(<"$cxl/$region/commit") == 1 && $(driver "$region") ]] || {
			run cxl restore "$region"
			expect_exit 0
		}
		expect "$record: its file is there" same_file
	done
}
