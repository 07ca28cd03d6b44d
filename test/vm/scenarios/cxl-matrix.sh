# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled by kernel
# guest: --pmem 130M --cxl ram:512M --cxl ram:512M --cxl pmem:512M --cxl pmem:512M --cxl-switch ram:512M --cxl-switch pmem:512M --monitor
#
# The table of cards: volatile and persistent, by themselves, two of them interleaved, behind a switch; idle, loaded,
# with a page pinned. Each is retired cleanly, or refused by a veto with a name, and then retired and restored.

. "$here/cxl-words.sh"

# Who is on a card in each state, and what it is (holder_row)
declare -gA what=(
	[ram-loaded]="memory of the system that processes use: it moves away"
	[ram-pinned]="a page of memory of the system that is pinned in a pipe"
	[pmem-loaded]="files that are mapped and written all the time"
	[pmem-pinned]="a page of a file, spliced into a pipe"
)
row() { holder_row "cxl-$kind-$state" "$1" "$2" "${what[$kind-$state]}"; }

# What no card can be on this kernel
none()
{
	for state in idle loaded pinned; do
		echo "# matrix: $kind | $layout | $state | no such regions"
		[[ $state == idle ]] || row impossible -
	done
}

load_ram() { hold memory "$node" 8388608; }
pin_ram() { hold memory-pin "$node" 65536; }
load_pmem()
{
	fio --name=job --directory="$mnt" --size=16M --numjobs=2 --rw=randwrite --bs=4k --ioengine=mmap --time_based \
		--runtime=600 >"$work/fio" 2>&1 &
	wait_until 30 test -s "$mnt/job.1.0"
}
pin_pmem()
{
	head -c 64k /dev/zero >"$mnt/pinned"
	hold pin "$mnt/pinned"
}

fresh_card()
{
	if [[ $kind == ram ]]; then
		fresh_ram movable "$@"
		node=$(<"/sys/bus/dax/devices/$(dax)/target_node")
		snapshot_blocks >"$work/before"
	else
		fresh_cxl_pmem "$@"
		head -c 1M /dev/urandom >"$work/f"
		cp "$work/f" "$mnt/f"
	fi
}

is_as_before()
{
	if [[ $kind == ram ]]; then diff "$work/before" <(snapshot_blocks); else cmp "$mnt/f" "$work/f"; fi
}

others_agree()
{
	[[ $(cxl list -R 2>/dev/null | jq '[.[]? | select(.region == "'"$region"'" and .decode_state == "commit")] | length') != [1-9]* ]] &&
		[[ $(daxctl list 2>/dev/null | jq '[.[]? | select(.mode == "system-ram")] | length') != [1-9]* ]] &&
		[[ $kind == ram || -z $(nd_region) ]]
}

# restored, and all is as it was
expect_back()
{
	run cxl restore "${cards[0]}"
	expect_exit 0
	expect "$state: as before" is_as_before
	expect "$state: cxl agrees" test "$(cxl list -R -r "$region" 2>/dev/null | jq -r '.[0].decode_state // .[0].regions[0].decode_state')" != reset
}

expect_gone()
{
	expect_exit 0
	expect_json '.result == "retired" and .ready_to_remove and (.stuck // [] | length == 0) and all(.verify[]; .ok != false)'
	expect "$state: no card has a driver" test -z "$(for card in "${cards[@]}"; do driver "$card"; done)"
	expect "$state: nothing is burned" bash -c '! grep -q "(kmem)" /proc/iomem'
	expect "$state: cxl, daxctl and ndctl agree" others_agree
}

# card KIND LAYOUT NUMBER...: a column of the table
card()
{
	local number state veto
	kind=$1 layout=$2
	shift 2
	[[ $kind == pmem ]] || has_ram || { none; return; }
	fresh_card "$@"
	cards=()
	for number; do
		cards+=("$(memdev "$number")")
	done
	for state in idle loaded pinned; do
		veto=
		[[ $state != loaded ]] || "load_$kind"
		[[ $state != pinned ]] || "pin_$kind"
		how=()
		[[ $kind == ram ]] || how=(--evict=stop)
		if [[ $state == pinned || $state$kind == loadedpmem ]]; then
			retire_memdev "${how[@]}" "${cards[@]}"
			expect_exit 2
			veto=$(jq -r '[.vetoes[] | select(.stands) | .code] | unique | join(", ")' "$work/out")
			expect "$state: the veto has a name" test -n "$veto"
			expect "$state: nothing has changed" is_as_before
			how=(--evict=kill --grace=0.5)
		fi
		retire_memdev --timeout=120 "${how[@]}" "${cards[@]}"
		expect_gone
		echo "# matrix: $kind | $layout | $state | ${veto:+refused: $veto; then }clean, $ms ms"
		case $state-$veto in
		idle-*) ;;
		*process*) row named kill ;;
		loaded-) row lets-go - ;;
		esac
		expect_back
		pkill -KILL -x 'mkholder|fio'
	done
}

scenario_volatile_by_itself()
{
	card ram single 0
}

scenario_volatile_over_two()
{
	card ram interleaved 0 1
}

scenario_volatile_behind_a_switch()
{
	card ram switch 4
}

scenario_persistent_by_itself()
{
	card pmem single 2
}

scenario_persistent_over_two()
{
	card pmem interleaved 2 3
}

scenario_persistent_behind_a_switch()
{
	card pmem switch 5
}
