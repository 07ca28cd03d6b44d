# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
#
# Processes that come and go while they are looked at, and those that this
# program may not see: unknown is never the same as nobody.

# storm PATH: processes that live for a moment, each child of one that is gone, with PATH open; ends with $storm
storm()
{
	bash -c 'while :; do (: & exec 7<"$1"; : & (:) ) & wait; done' - "$1" >/dev/null 2>&1 &
	storm=$!
}

# named_each_time WAY: who stays is named, and nothing is unknown, however often it is asked
named_each_time()
{
	local round
	for round in 1 2; do
		DAX_RETIRE_BPF=$1 list_holders namespace0.0
		expect_exit 0
		expect_json '.complete and .unknown == []'
		expect_json "[.holders[] | select(.pid == $held)] | length == 1"
	done
}

scenario_who_stays_is_named_while_others_come_and_go()
{
	fresh_ext4
	hold map "$mnt/stays"
	echo x >"$mnt/moment"
	storm "$mnt/moment"
	named_each_time never
	named_each_time asked
	kill "$storm"
	expect "it lives" test -e "/proc/$held"
	retire namespace0.0 --evict=kill --grace=1
	expect_retired
}

scenario_who_only_forks_and_ends_does_not_keep_a_device()
{
	fresh_ext4
	storm /etc/hostname
	retire namespace0.0 --evict=stop
	kill "$storm"
	expect_retired
}

# incompletely COMMAND...: the list says that it is not whole, and who retires is told why not
incompletely()
{
	local code=$1
	shift
	"$@" "$program" ndctl list-holders namespace0.0 >"$work/out" 2>"$work/err"
	expect_json '.complete == false'
	"$@" "$program" ndctl retire-namespace namespace0.0 --evict=kill >"$work/out" 2>"$work/err"
	rc=$?
	expect_exit 2
	expect_json ".changed == false and ([.vetoes[] | select(.stands) | .code] | index(\"$code\"))"
	expect "its user lives" test -e "/proc/$held"
	expect "it is mounted" is_mounted
}

without_tracing() { setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace "$@"; }

scenario_without_the_capability_to_see_processes_it_refuses()
{
	fresh_ext4
	hold open "$mnt/open"
	incompletely incomplete without_tracing
	DAX_RETIRE_BPF=never incompletely incomplete without_tracing
}

scenario_where_proc_hides_processes_it_refuses_unless_it_sees_them()
{
	fresh_ext4
	hold open "$mnt/open"
	mount -o remount,hidepid=invisible /proc || failed=1
	incompletely incomplete without_tracing
	DAX_RETIRE_BPF=never incompletely incomplete without_tracing
	# who may trace all of them is hidden nothing
	list_holders namespace0.0
	expect_json ".complete and ([.holders[] | select(.pid == $held)] | length == 1)"
	mount -o remount,hidepid=off /proc
}

contained() { unshare --pid --fork --mount --mount-proc "$@"; }

scenario_in_a_container_it_refuses()
{
	fresh_ext4
	hold open "$mnt/open"
	incompletely namespaces contained
	DAX_RETIRE_BPF=never incompletely namespaces contained
}
