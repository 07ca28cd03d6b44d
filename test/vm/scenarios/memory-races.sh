# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
# guest: --systemd --pmem-node --pmem 1026M
#
# Memory that somebody brings back while it is taken away, and a program that is killed meanwhile.

. "$here/memory-words.sh"

cut=$build/test/helpers/cut
rule=/usr/lib/udev/rules.d/40-memory-of-a-test.rules

# As distributions have it, and worse: at any event of a block
add_rule()
{
	echo 'SUBSYSTEM=="memory", ACTION!="remove", ATTR{state}=="offline", ATTR{state}="online_movable"' >"$rule"
	udevadm control --reload
}

drop_rule() { rm -f "$rule"; udevadm control --reload; }

scenario_a_rule_that_brings_memory_online_is_kept_off()
{
	local block
	fresh_memory movable
	add_rule
	block=$(printf '%s\n' /sys/devices/system/node/node1/memory[0-9]* | sort -V | head -1)
	echo offline >"$block/state"
	expect "the rule does its work" wait_until 10 grep -qx online "$block/state"
	snapshot_blocks >"$work/before"
	retire_device dax0.0
	expect_device_retired
	run daxctl restore dax0.0
	expect_exit 0
	expect "all blocks are where they were" diff "$work/before" <(snapshot_blocks)
	echo offline >"$block/state"
	expect "the rule does its work again" wait_until 10 grep -qx online "$block/state"
	drop_rule
}

# An administrator, as fast as a shell can be
bring_back()
{
	local state
	while :; do
		for state in /sys/devices/system/node/node1/memory[0-9]*/state; do
			[[ $(<"$state") != offline ]] || echo online_movable >"$state"
		done
	done 2>/dev/null
}

# Every way to end is a right one but to burn it and say nothing
scenario_who_brings_memory_back_all_the_time_is_noticed()
{
	local admin
	fresh_memory movable
	snapshot_blocks >"$work/before"
	bring_back &
	admin=$!
	retire_device dax0.0 --timeout=40
	kill "$admin"
	wait "$admin" 2>/dev/null
	echo "# figure: against somebody who brings it back: exit $rc after $ms ms"
	case $rc in
	0) expect_device_retired ;;
	3)
		expect "it is not burned" test "$(driver_of dax0.0)" = kmem
		expect "all blocks are where they were" diff "$work/before" <(snapshot_blocks)
		;;
	4) if is_burned; then
		expect_json '.stuck[] | .message | startswith("burned")'
		expect_json '.verify[] | select(.check == "not-burned") | .ok == false'
	   else
		run daxctl recover
		expect_exit 0
	   fi ;;
	*) expect_exit 3 ;;
	esac
	expect "udev has its rules back" no_rule_is_left
}

scenario_a_block_that_comes_back_once_goes_offline_again()
{
	local states
	fresh_memory movable
	states=(/sys/devices/system/node/node1/memory[0-9]*/state)
	# the highest goes first: it is back while the others go
	(
		wait_until 20 grep -qx offline "${states[-1]}"
		echo online_movable >"${states[-1]}"
	) &
	retire_device dax0.0
	wait
	expect_device_retired
}

# Killed at each record of its journal, or at those that CUTS draws
scenario_the_tool_is_killed_at_any_record()
{
	local record every=${CUTS:-1}
	for ((record = 1 + RANDOM % every; ; record += every)); do
		fresh_memory movable
		add_rule
		snapshot_blocks >"$work/before"
		"$cut" "$record" tool "$program" daxctl retire-device dax0.0 >"$work/cut" 2>"$work/cut.err"
		rc=$?
		echo "# $(cut -c1-150 "$work/cut")"
		((rc == 0)) || break
		expect "$record: it can be recovered" wait_until 20 recovered
		expect_exit 0
		expect "$record: udev has its rules back" no_rule_is_left
		if [[ $(driver_of dax0.0) == kmem ]]; then
			expect "$record: all blocks are where they were" diff "$work/before" <(snapshot_blocks)
		else
			expect "$record: no block is left" test "$(blocks_in online)$(blocks_in offline)" = 00
		fi
		drop_rule
		((failed == 0)) || return
	done
	expect "the last one was not cut" test "$(blocks_in online)$(blocks_in offline)" = 00
	drop_rule
}

# Nobody else would stop a child of it that waits for a page
scenario_killed_while_a_block_does_not_go_it_is_online_again()
{
	fresh_memory movable
	hold memory-pin 1
	snapshot_blocks >"$work/before"
	DAX_RETIRE_BPF=never "$program" daxctl retire-device dax0.0 --timeout=100 >"$work/out" 2>"$work/err" &
	tool=$!
	expect "it waits for a block" wait_until 40 grep -lqx going-offline /sys/devices/system/node/node1/memory[0-9]*/state
	kill -KILL "$tool"
	wait "$tool" 2>/dev/null
	expect "it waits no more" wait_until 20 bash -c '! grep -lqx going-offline /sys/devices/system/node/node1/memory[0-9]*/state'
	expect "it can be recovered" wait_until 20 recovered
	expect_exit 0
	expect "all blocks are where they were" diff "$work/before" <(snapshot_blocks)
	expect "udev has its rules back" no_rule_is_left
}

# Who races: all in the background, ended by end_race
race_admin() { bring_back & }
race_admin_once()
{
	local states=(/sys/devices/system/node/node1/memory[0-9]*/state) zone
	zone=$([[ $((RANDOM % 2)) == 0 ]] && echo movable || echo kernel)
	{
		wait_until 20 grep -qx offline "${states[@]}"
		sleep "0.$((RANDOM % 1000))"
		for state in "${states[@]}"; do
			[[ $(<"$state") != offline ]] || { echo "online_$zone" >"$state"; break; }
		done
	} 2>/dev/null &
}
race_rule()
{
	add_rule
	while :; do udevadm trigger --subsystem-match=memory --action=change; sleep 0.2; done 2>/dev/null &
}
race_kill() { { sleep "$((RANDOM % 4)).$((RANDOM % 1000))"; kill -KILL "$tool"; } 2>/dev/null & }
race_term() { { sleep "$((RANDOM % 4)).$((RANDOM % 1000))"; kill -TERM "$tool"; } 2>/dev/null & }
race_pin()
{
	local pin
	hold memory-pin 1
	pin=$held
	{ sleep "$((RANDOM % 12))"; kill -KILL "$pin"; } 2>/dev/null &
}
race_hog() { "$mkholder" memory 1 $((RANDOM % 8 * 33554432 + 4096)) >/dev/null 2>&1 & }

end_race()
{
	local job
	for job in $(jobs -p); do
		kill -KILL "$job" && wait "$job"
	done
	[[ ! -e $rule ]] || drop_rule
} 2>/dev/null

# How it ended, in a word; what is neither of these words fails
race_outcome()
{
	case $rc in
	0) if [[ $(driver_of dax0.0)$(blocks_in online) == 0 ]]; then echo retired; else echo "retired, not so"; fi ;;
	2) echo refused ;;
	3) if [[ $(driver_of dax0.0) == kmem ]]; then echo rolled-back; else echo "rolled back, not so"; fi ;;
	4)
		if ! is_burned; then
			echo stuck
		elif jq -e '.stuck[] | .message | startswith("burned")' "$work/out" >/dev/null; then
			echo detected
		else
			echo "burned, not told"
		fi
		;;
	137 | 143) echo killed ;;
	*) echo "exit $rc" ;;
	esac
}

# One of them, or in every third race two
draw_racers()
{
	local all=(admin admin_once rule kill term pin hog)
	racers=("${all[RANDOM % ${#all[@]}]}")
	((RANDOM % 3)) || racers+=("${all[RANDOM % ${#all[@]}]}")
	[[ ${racers[0]} != "${racers[1]-}" ]] || unset 'racers[1]'
}

# start_racers before|after: those that signal the tool have to know it
start_racers()
{
	local racer
	for racer in "${racers[@]}"; do
		case $1-$racer in
		after-kill | after-term) "race_$racer" ;;
		before-kill | before-term | after-*) ;;
		*) "race_$racer" ;;
		esac
	done
}

# RACES of them (6), drawn by SEED; each ends retired, rolled back or detected. Where memory is burned the guest has no
# more to race for.
scenario_races_end_in_one_of_the_right_ways()
{
	local racers outcome who i bpf
	fresh_memory movable
	snapshot_blocks >"$work/before"
	RANDOM=${SEED:-$$}
	for ((i = 0; i < ${RACES:-6}; i++)); do
		draw_racers
		who=$(IFS=+ && echo "${racers[*]}")
		# or who pins is seen, and refused at once
		[[ $who == *pin* ]] && bpf=never || bpf=
		start_racers before
		DAX_RETIRE_BPF=$bpf "$program" daxctl retire-device dax0.0 --timeout=30 >"$work/out" 2>"$work/err" &
		tool=$!
		start_racers after
		wait "$tool" 2>/dev/null
		rc=$?
		end_race
		outcome=$(race_outcome)
		echo "# race: $who $outcome"
		expect "$i: $who ends as it may: $outcome" test "${outcome%,*}" = "$outcome" -a "${outcome#exit}" = "$outcome"
		[[ $outcome != detected ]] || break
		if [[ $outcome == @(killed|stuck) ]]; then
			expect "$i: $who can be recovered" wait_until 30 recovered
			expect "$i: nothing is burned" eval '! is_burned'
			# a block in zone Normal may stay, and is told then
			[[ $who != *admin_once* || $rc != 4 ]] || {
				expect_json 'any(.stuck[]; .message | contains("zone Normal"))'
				break
			}
		fi
		expect "$i: udev has its rules back" no_rule_is_left
		[[ $(driver_of dax0.0) == kmem ]] || run daxctl restore dax0.0
		expect "$i: $who, $outcome: all blocks are where they were" diff "$work/before" <(snapshot_blocks)
		((failed == 0)) || { sed 's/^/#   /' "$work/err"; break; }
	done
}
