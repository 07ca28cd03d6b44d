# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
# guest: --pmem 1026M --pmem 514M
#
# Regions with several namespaces: all of them are one retirement.

retire_region() { run ndctl retire-region "$@"; }

# fresh_region MODE...: region0 has a namespace of each mode, namespace0.0 and on
fresh_region()
{
	local mode extra
	{
		ndctl destroy-namespace -f -r region0 all
		# the first namespace is number 0 again
		ndctl disable-region all
		# without labels a region is one namespace
		[[ -e /run/labels ]] || ndctl init-labels -f all && touch /run/labels
		ndctl enable-region all
		ndctl destroy-namespace -f -r region0 all
	} >"$work/fresh" 2>&1
	for mode; do
		extra=()
		[[ $mode != @(fsdax|devdax) ]] || extra=(-M mem)
		ndctl create-namespace -r region0 -m "$mode" -s 384M "${extra[@]}" >>"$work/fresh" 2>&1 && continue
		failed=1
		sed 's/^/# /' "$work/fresh"
	done
	wait_until 10 test -b /dev/pmem0 || failed=1
}

back()
{
	ndctl enable-region region0 >/dev/null
	wait_until 10 test -b /dev/pmem0 || failed=1
}

region_state() { ndctl list -R -i -r "${1:-region0}" | jq -r '.[0].state // "enabled"'; }

expect_region_retired()
{
	expect_exit 0
	expect_json '.result == "retired" and .changed and all(.devices[]; .unused) and (.stuck // [] | length == 0)'
	expect_json '.devices[-1] | .dev == "region0" and .type == "pmem-region" and .bus == "nd" and (has("mode") | not)'
	expect_json '.steps[-1] | .step == "unbind" and .subject == "region0" and .state == "done" and (has("notify") | not)'
	expect_json 'all(.verify[]; .ok != false)'
	expect "ndctl agrees that it is disabled" test "$(region_state)" = disabled
	expect "no block device is left" bash -c '! ls /sys/block | grep "^pmem0"'
}

scenario_a_busy_and_an_idle_namespace()
{
	local sum raw
	fresh_region fsdax raw
	head -c 1M /dev/urandom >"$work/raw"
	dd if="$work/raw" of=/dev/pmem0.1 bs=1M oflag=direct status=none || failed=1
	fresh_xfs
	dd if=/dev/urandom of="$mnt/kept" bs=64k count=16 status=none
	sync -f "$mnt/kept"
	sum=$(sha256sum <"$mnt/kept")
	hold write "$mnt/f"
	snapshot >"$work/before"
	list_holders region0 --exit-code
	expect_exit 2
	expect_json '(.devices | map(.dev)) == ["namespace0.0", "namespace0.1", "region0"]'
	expect_json '.holders | map(.kind) | index("mount") and index("process")'
	retire_region region0
	expect_exit 2
	expect_json '.result == "refused" and (.changed | not)'
	expect_json '[.vetoes[] | select(.stands) | .code] | sort == ["mount", "process"]'
	expect "people see the command to go on" grep -q 'retire-region --evict=term region0$' "$work/err"
	snapshot >"$work/after"
	expect "nothing changed" diff "$work/before" "$work/after"
	expect "the holder lives" test -e "/proc/$held"
	retire_region region0 --evict=kill --grace=0.5
	expect_region_retired
	expect_json '(.devices | map(.dev)) == ["namespace0.0", "namespace0.1", "region0"]'
	expect_json '.steps | map(.step) | rindex("claim") < index("unbind")'
	expect_json '.verify[] | select(.check == "no-references") | .ok and .pages > 0'
	echo "# figure: region with two namespaces: $ms ms, frozen $(jq .frozen_ms "$work/out") ms"
	retire_region region0
	expect_exit 0
	expect_json '.result == "already-retired" and (.changed | not) and (.devices | map(.dev)) == ["region0"]'
	expect_json '.devices[0].state == "disabled"'
	back
	mount -o dax=always /dev/pmem0 "$mnt" || failed=1
	expect "what was synced is intact" test "$sum" = "$(sha256sum <"$mnt/kept")"
	expect "the raw one is intact" cmp -n 1048576 "$work/raw" /dev/pmem0.1
}

# Nothing shows a detached mount until the claim of the second meets it
scenario_a_failure_in_the_second_puts_the_first_back()
{
	fresh_region fsdax fsdax
	fresh_xfs /dev/pmem0 /mnt/data
	mkdir -p /mnt/data/sub /mnt/other
	echo kept >/mnt/data/kept
	fresh_ext4 /dev/pmem0.1 /mnt/other
	hold_unseen /mnt/other
	snapshot >"$work/before"
	for what in region0 "namespace0.0 namespace0.1"; do
		# shellcheck disable=SC2086
		if [[ $what == region0 ]]; then
			retire_region region0 --evict=stop
		else
			retire $what --evict=stop
		fi
		expect_exit 3
		expect_json '.result == "rolled-back" and (.stuck // [] | length == 0) and .losses == []'
		expect_json '[.steps[] | select(.state == "failed") | .step + " " + .subject] == ["claim pmem0.1"]'
		expect_json '[.steps[] | select(.step == "unmount")] | length == 2 and all(.state == "undone")'
		expect_json '[.steps[] | select(.step == "unbind")] == [] or all(.steps[] | select(.step == "unbind"); .state == "planned")'
		snapshot >"$work/after"
		expect "everything is as it was" diff "$work/before" "$work/after"
		expect "it takes writes" can_write
		expect "what was written is there" grep -q kept /mnt/data/kept
		expect "the region is enabled" test "$(region_state)" = enabled
	done
	kill -KILL "$held"
	wait "$held" 2>/dev/null
	retire_region region0 --evict=stop
	expect_region_retired
	back
}

scenario_several_namespaces_are_all_or_nothing()
{
	fresh_region fsdax raw
	fresh_ext4
	hold cwd "$mnt"
	snapshot >"$work/before"
	# the busy one is the last: nothing is done to the idle one
	retire namespace0.1 namespace0.0 --evict=stop
	expect_exit 2
	snapshot >"$work/after"
	expect "nothing changed" diff "$work/before" "$work/after"
	retire all -r region0 --evict=kill --grace=0.5
	expect_exit 0
	expect_json '.result == "retired" and (.devices | map(.dev)) == ["namespace0.0", "namespace0.1"]'
	expect "the region is left" test "$(region_state)" = enabled
	# and then has nothing but its driver
	retire_region region0
	expect_region_retired
	expect_json '.steps | length == 1'
	back
}

scenario_a_busy_device_dax_refuses_all()
{
	local node
	fresh_region fsdax devdax
	node=/dev/$(cd /sys/bus/dax/devices && echo dax0.*)
	wait_until 10 test -c "$node" || failed=1
	hold map "$node" $((2 << 20))
	snapshot >"$work/before"
	retire_region region0 --evict=stop
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands and .lifted_by == "--evict=term" and .code == "process")] | length == 1'
	snapshot >"$work/after"
	expect "nothing changed" diff "$work/before" "$work/after"
	expect "the user lives" test -e "/proc/$held"
	retire_region region0 --evict=kill --grace=1
	expect_region_retired
	expect "the user was ended" is_gone "$held"
	expect "the device-dax is gone" test ! -e "$node"
	back
	expect "it comes back" wait_until 10 test -c "$node"
}

scenario_all_regions_and_one_without_a_namespace()
{
	fresh_region raw
	ndctl destroy-namespace -f -r region1 all >/dev/null 2>&1
	retire_region -n all
	expect_exit 0
	expect_json '.result == "planned" and (.devices | map(.dev)) == ["namespace0.0", "region0", "region1"]'
	retire_region -b ndbus0 all
	expect_exit 0
	expect_json '.result == "retired" and (.steps | map(.step + " " + .subject)) ==
		["claim pmem0", "unbind namespace0.0", "unbind region0", "unbind region1"]'
	expect "both are disabled" test "$(region_state region0) $(region_state region1)" = "disabled disabled"
	ndctl enable-region region1 >/dev/null
	retire_region region0 region1
	expect_exit 0
	expect_json '.result == "retired" and (.steps | map(.subject)) == ["region1"]'
	ndctl enable-region all >/dev/null
	wait_until 10 test -b /dev/pmem0 || failed=1
}

scenario_missing_and_misspelt_regions()
{
	local name
	for name in region9 0 0garbage region0x region00 namespace0.0 pmem0 /dev/pmem0 ../region0; do
		retire_region "$name"
		expect_exit 1
		expect_json '.result == "error" and (.message | length > 0)'
	done
	# one bad name, and nothing is done to the others
	retire_region region0 region9
	expect_exit 1
	retire namespace0.0 region0
	expect_exit 1
	retire_region all -b ndbus7
	expect_exit 1
	retire_region
	expect_exit 129
	expect "it is enabled" test "$(region_state)" = enabled
}
