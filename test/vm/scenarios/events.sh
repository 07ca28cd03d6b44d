# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
#
# What is told while it runs, and that nobody who reads it can hold it up.

check_schema=$here/../cli/check-schema
is_unlocked() { flock -n /run/dax-retire/lock true; }
is_retired() { [[ ! -e /sys/block/pmem0 ]]; }
no_teller() { ! pgrep -x dax-retire-tel; }

# events_of NAME: the events of that name in the last output, as an array
events_of() { jq -s --arg event "$1" 'map(select(.event == $event))' "$work/out"; }

# the last line alone is what the words for results look at
keep_result()
{
	cp "$work/out" "$work/lines"
	tail -n 1 "$work/lines" >"$work/out"
}

is_stopped() { grep -q ') T' "/proc/$1/stat"; }

# stopped_reader FILE: descriptor 7 is a pipe that is full; nobody reads it until
# SIGCONT comes to $reader, which then writes what comes into the file
stopped_reader()
{
	exec 7> >(exec python3 -c '
import fcntl, os, shutil, signal, sys
fcntl.fcntl(0, fcntl.F_SETPIPE_SZ, 4096)
os.kill(os.getpid(), signal.SIGSTOP)
sys.stdin.buffer.read(4096)
shutil.copyfileobj(sys.stdin.buffer, open(sys.argv[1], "wb"))' "$1")
	reader=$!
	wait_until 30 is_stopped "$reader" || failed=1
	printf '%4096s' '' >&7
}

# start OUT ERR ARG...: in the background, with these descriptors; $tool is its pid
start()
{
	"$program" ndctl retire-namespace namespace0.0 "${@:3}" >&"$1" 2>&"$2" 7>&- &
	tool=$!
}

finish()
{
	wait "$tool"
	rc=$?
	ms=0
}

some_holders()
{
	local i
	for i in 1 2 3; do
		sleep 1000 9>"$mnt/f$i" 7>&- &
	done
}

scenario_events_of_a_retirement()
{
	fresh_xfs
	echo content >"$mnt/f"
	hold --ignore-term open "$mnt/f"
	retire namespace0.0 --evict=kill --grace=12 --events
	expect_exit 0
	expect "every line fits the schema" "$check_schema" --events <"$work/out"
	expect "the first begins" jq -es '.[0] | .event == "begin" and .command == "retire-namespace" and .subject == "namespace0.0"' "$work/out"
	expect "all is of one retirement" jq -es 'map(.id) | unique | length == 1' "$work/out"
	expect "there are heartbeats in the grace" jq -es 'any(.[]; .event == "heartbeat" and .phase == "ask" and .step == "grace")' "$work/out"
	expect "phases come in their order" \
		jq -es 'map(select(.event == "phase") | .phase) == ["lock", "look", "ask", "look", "settle", "claim", "unbind", "verify"]' "$work/out"
	expect "each step begins and ends, as the result has it" \
		jq -es '.[-1].steps as $steps | [.[] | select(.event == "step") | [.step, .subject, .state]] == [$steps[] | [.step, .subject, .state]]
			and ([.[] | select(.event == "step-begun")] | length) == ($steps | length)' "$work/out"
	expect "people see the steps as ever" grep -q '^freeze /mnt/data ... ' "$work/err"
	keep_result
	expect_retired
	expect "no teller is left" no_teller
}

scenario_events_of_a_rollback()
{
	fresh_ext4
	echo content >"$mnt/f"
	hold --ignore-term map "$mnt/f"
	retire namespace0.0 --evict=term --grace=0.5 --events
	expect_exit 3
	expect "every line fits the schema" "$check_schema" --events <"$work/out"
	expect "it was asked to end" jq -es 'any(.[]; .event == "step" and .step == "terminate")' "$work/out"
	keep_result
	expect_json '.result == "rolled-back"'
	expect "it takes writes" can_write
}

scenario_a_reader_of_stdout_that_stops()
{
	fresh_xfs
	some_holders
	stopped_reader "$work/out"
	start 7 2 --evict=kill --grace=0.5 --events 2>"$work/err"
	exec 7>&-
	expect "it is retired all the same" wait_until 60 is_retired
	expect "the lock is free" wait_until 20 is_unlocked
	expect "another is not held up" "$program" ndctl retire-namespace namespace0.0
	expect "it waits for its reader" kill -0 "$tool"
	kill -CONT "$reader"
	finish
	wait "$reader"
	expect_exit 0
	expect "every line fits the schema" "$check_schema" --events <"$work/out"
	expect "nothing is missing" jq -es '(.[-1].steps | length) == ([.[] | select(.event == "step")] | length)' "$work/out"
	expect "no teller is left" no_teller
}

scenario_a_reader_of_stderr_that_stops()
{
	fresh_xfs
	some_holders
	stopped_reader "$work/err"
	start 1 7 --evict=kill --grace=0.5 >"$work/out"
	exec 7>&-
	expect "it is retired all the same" wait_until 60 is_retired
	expect "the lock is free" wait_until 20 is_unlocked
	expect "the result is there already" wait_until 20 jq -e '.result == "retired"' "$work/out"
	expect "it waits for its reader" kill -0 "$tool"
	# a signal ends it then, as any program
	kill -TERM "$tool"
	finish
	expect "it was ended" test "$rc" == 143
	expect "no teller is left" wait_until 10 no_teller
	kill -KILL "$reader"
}

# Both go away before it begins: all that is left is the exit code
scenario_readers_that_go_away()
{
	fresh_xfs
	some_holders
	"$program" ndctl retire-namespace namespace0.0 --evict=kill --grace=0.5 --events 2>&1 1> >(exec sleep 0) | sleep 0
	rc=${PIPESTATUS[0]} ms=0
	expect_exit 0
	expect "it is retired" is_retired
	expect "the lock is free" is_unlocked
	expect "no teller is left" no_teller
}

scenario_a_tool_that_is_killed_leaves_no_teller()
{
	fresh_xfs
	echo content >"$mnt/f"
	hold --ignore-term open "$mnt/f"
	stopped_reader "$work/out"
	start 7 7 --evict=term --grace=60 --events
	exec 7>&-
	wait_until 20 pgrep -x dax-retire-tel >/dev/null || failed=1
	kill -KILL "$tool"
	wait "$tool"
	expect "no teller is left" wait_until 10 no_teller
	kill -KILL "$reader"
}

scenario_each_is_a_retirement_of_its_own()
{
	hold open /dev/pmem0
	retire namespace9.9 namespace0.0 --each
	expect_exit 2
	expect_json 'map(.result) == ["error", "refused"] and (map(.id) | unique | length == 2)'
	kill "$held"
	wait "$held"
	retire all --each
	expect_exit 0
	expect_json '[.[] | select(.devices[0].dev == "namespace0.0") | .result] == ["retired"]'
	retire namespace9.9 namespace0.0 --each --events
	expect_exit 1
	expect "every line fits the schema" "$check_schema" --events <"$work/out"
	expect "each has its result" jq -es 'map(.result // empty) == ["error", "already-retired"]' "$work/out"
}
