# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The main job: a mounted file system under load.

is_mapped() { grep -qs " $1\$" /proc/[0-9]*/maps; }

busy_fio()
{
	fio --name=job --directory="$mnt" --size=24M --numjobs=2 --rw=randwrite --bs=4k --ioengine=mmap --time_based \
		--runtime=600 --group_reporting >"$work/fio" 2>&1 &
	wait_until 30 is_mapped "$mnt/job.0.0" && wait_until 30 is_mapped "$mnt/job.1.0" || failed=1
}

scenario_busy_xfs_is_retired()
{
	fresh_xfs
	dd if=/dev/urandom of="$mnt/kept" bs=64k count=16 status=none
	sync -f "$mnt/kept"
	sum=$(sha256sum <"$mnt/kept")
	busy_fio
	retire namespace0.0 --evict=kill --grace=1
	expect_retired
	expect_json '[.losses[] | select(.kind == "process")] | length >= 2'
	expect_json '.steps | map(.step) | index("freeze") < index("unmount")'
	expect_json '.steps[] | select(.step == "unbind") | .notify == "not-needed" or .notify == "unsupported"'
	echo "# figure: busy XFS: $ms ms, frozen $(jq .frozen_ms "$work/out") ms"
	ndctl enable-namespace namespace0.0 >/dev/null
	mount -o dax=always /dev/pmem0 "$mnt"
	expect "what was synced is intact" test "$sum" = "$(sha256sum <"$mnt/kept")"
}

scenario_busy_ext4_is_retired()
{
	fresh_ext4
	dd if=/dev/urandom of="$mnt/kept" bs=64k count=16 status=none
	sync -f "$mnt/kept"
	sum=$(sha256sum <"$mnt/kept")
	stress-ng --hdd 2 --hdd-bytes 8M --mmap 1 --mmap-file --mmap-bytes 8M --temp-path "$mnt" --timeout 600 \
		>"$work/stress" 2>&1 &
	wait_until 30 bash -c 'pgrep stress-ng-hdd && pgrep stress-ng-mmap' >/dev/null || failed=1
	retire namespace0.0 --force --grace=1
	expect_retired
	echo "# figure: busy ext4: $ms ms, frozen $(jq .frozen_ms "$work/out") ms"
	ndctl enable-namespace namespace0.0 >/dev/null
	mount -o dax=always /dev/pmem0 "$mnt"
	expect "what was synced is intact" test "$sum" = "$(sha256sum <"$mnt/kept")"
}

scenario_busy_xfs_again_and_again()
{
	local i
	fresh_xfs
	for ((i = 1; i <= ${ROUNDS:-20}; i++)); do
		busy_fio
		retire namespace0.0 --evict=kill --grace=0
		expect_exit 0
		expect_json '.result == "retired" and all(.verify[]; .ok != false)'
		echo "# figure: round $i: $ms ms, frozen $(jq .frozen_ms "$work/out") ms"
		((failed == 0)) || return
		ndctl enable-namespace namespace0.0 >/dev/null
		wait_until 10 test -b /dev/pmem0
		mount -o dax=always /dev/pmem0 "$mnt" || failed=1
	done
}

scenario_without_evict_every_holder_is_named_and_nothing_changes()
{
	fresh_xfs
	busy_fio
	hold cwd "$mnt"
	before=$(snapshot)
	retire namespace0.0
	expect_exit 2
	expect_json '.result == "refused" and (.changed | not)'
	expect_json '[.vetoes[] | select(.stands and .severity == "holder")] | length >= 4'
	expect_json '[.holders[] | select(.kind == "process") | .comm] | index("fio") and index("mkholder")'
	expect_json '.holders[] | select(.kind == "mount") | .name == "/mnt/data"'
	expect "people see each name" grep -q "fio\[" "$work/err"
	expect "and what would lift it" grep -q -- "--evict" "$work/err"
	expect "nothing changed" test "$before" = "$(snapshot)"
	expect "the holders live" test -e "/proc/$held"
	expect "it takes writes" can_write
}

scenario_idle_mount()
{
	fresh_xfs
	retire namespace0.0
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands)] | length == 1 and .[0].code == "mount" and .[0].lifted_by == "--evict=stop"'
	retire namespace0.0 --evict=stop
	expect_retired
	expect_json '.losses == []'
	retire namespace0.0 --evict=stop
	expect_exit 0
	expect_json '.result == "already-retired" and (.changed | not)'
	holder_row mount named stop "a mount that nobody uses"
}

scenario_not_mounted()
{
	retire namespace0.0
	expect_retired
	ndctl enable-namespace namespace0.0 >/dev/null
	expect "it comes back" wait_until 10 test -b /dev/pmem0
}
