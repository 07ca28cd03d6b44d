# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
#
# Holders that are not where one looks first.

scenario_mounts_of_a_second_mount_namespace()
{
	fresh_xfs
	hold mount-ns "$mnt"
	umount "$mnt"
	expect "here it is not mounted" bash -c '! mountpoint -q /mnt/data'
	retire namespace0.0
	expect_exit 2
	expect_json '.vetoes[] | select(.stands and .code == "mount") | .subject == "/mnt/data"'
	retire namespace0.0 --evict=kill --grace=0.5
	expect_retired
}

scenario_the_process_in_a_second_namespace_that_does_not_use_it_lives()
{
	fresh_xfs
	unshare -m --propagation private sleep 1000 &
	local other=$!
	sleep 1
	umount "$mnt"
	retire namespace0.0 --evict=stop
	expect_retired
	expect "its process lives" test -e "/proc/$other"
	kill -KILL "$other"
}

scenario_a_bind_mount_and_mounts_below()
{
	fresh_xfs
	mkdir -p "$mnt/sub/deep" "$mnt/tmp" /mnt/bind
	mount --bind "$mnt/sub" /mnt/bind
	mount --bind "$mnt/sub" "$mnt/tmp"
	mount -t tmpfs none "$mnt/sub/deep"
	echo x >"$mnt/sub/deep/x"
	hold cwd /mnt/bind
	hold open "$mnt/sub/deep/x"
	retire namespace0.0 --evict=kill
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands)] | map(.code) | unique == ["volatile-mount"]'
	expect "its user lives" test -e "/proc/$held"
	retire namespace0.0 --evict=kill --grace=0.5 --allow=volatile-mount
	expect_retired
}

scenario_every_way_to_use_a_file_is_named()
{
	fresh_xfs
	mkdir -p "$mnt/dir"
	for kind in open map open-deleted; do
		hold "$kind" "$mnt/$kind"
	done
	hold cwd "$mnt/dir"
	hold exe "$mnt/program"
	hold root "$mnt/dir"
	list_holders namespace0.0
	expect_exit 0
	for use in open map cwd exe root; do
		expect_json "[.holders[] | select(.kind == \"process\") | .uses[]] | index(\"$use\") != null"
	done
	expect_json '[.holders[] | select(.kind == "process") | .pid] | unique | length >= 6'
	expect_json 'all(.holders[] | select(.kind == "process"); .starttime > 0 and .uid == 0)'
	list_holders namespace0.0 --exit-code
	expect_exit 2
	retire namespace0.0 --evict=kill --grace=0.5
	expect_retired
}

scenario_a_locked_mount_of_a_user_namespace_ends_with_its_processes()
{
	fresh_xfs
	hold user-ns "$mnt"
	umount "$mnt"
	retire namespace0.0 --evict=stop
	expect_exit 2
	retire namespace0.0 --evict=kill --grace=0.5
	expect_retired
	expect "it was ended" is_gone "$held"
}

scenario_our_own_shell_is_never_touched()
{
	fresh_xfs
	# this very process is an ancestor of the program
	cd "$mnt" || failed=1
	retire namespace0.0 --evict=kill
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands)] | all(.code == "self" and .severity == "critical" and .lifted_by == null)'
	cd /
	"$program" ndctl retire-namespace namespace0.0 --evict=kill >"$mnt/out" 2>"$work/err"
	rc=$?
	cp "$mnt/out" "$work/out"
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands)] | map(.code) | index("self") != null'
	retire namespace0.0 --evict=stop
	expect_retired
}

scenario_units_are_named()
{
	mkdir -p /sys/fs/cgroup/system.slice/bench.service
	fresh_xfs
	hold open "$mnt/f"
	echo "$held" >/sys/fs/cgroup/system.slice/bench.service/cgroup.procs
	list_holders namespace0.0
	expect_json '.holders[] | select(.kind == "process") | .unit == "bench.service"'
	retire namespace0.0 --evict=term --grace=5
	expect_retired
}

# The one exception to "never unbind while mounted": only where this kernel is known to end well.
scenario_a_mounted_unbind_only_where_the_kernel_tells()
{
	fresh_xfs
	hold map "$mnt/f"
	retire namespace0.0 --allow=mounted-unbind
	if [[ $(uname -r) == 6.12* ]]; then
		expect_exit 0
		expect_json '.steps[] | select(.step == "unbind") | .notify == "sent"'
		expect_json 'all(.verify[]; .ok != false)'
	else
		expect_exit 2
		expect_json '.vetoes[] | select(.code == "mounted-unbind") | .severity == "critical" and .stands'
		expect "the holder lives" test -e "/proc/$held"
		expect "it takes writes" can_write
	fi
}
