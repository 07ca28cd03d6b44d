# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
# guest: --systemd
#
# Where systemd runs: units have names, and the guardian outlives the unit that
# the program was started from.

scenario_the_unit_of_a_holder_is_named()
{
	fresh_xfs
	systemd-run -q --unit bench "$mkholder" write "$mnt/f"
	wait_until 30 test -s "$mnt/f" || failed=1
	retire namespace0.0
	expect_exit 2
	expect_json '.holders[] | select(.kind == "process") | .unit == "bench.service"'
	expect "people see it" grep -q bench.service "$work/err"
	retire namespace0.0 --evict=kill --grace=5
	expect_retired
}

scenario_a_unit_that_is_killed_while_frozen_leaves_nothing_frozen()
{
	fresh_xfs
	# the flush of the frozen file system is held up, so that there is time to kill
	systemd-run -q --unit retiring strace -f -o /dev/null -e trace=syncfs -e inject=syncfs:delay_enter=60000000 \
		"$program" ndctl retire-namespace namespace0.0 --evict=stop
	expect "there is a guardian" wait_until 60 pgrep -x dax-retire-grd
	expect "it has a scope of its own" wait_until 10 \
		bash -c 'grep -q "dax-retire-guardian-.*scope" /proc/$(pgrep -x dax-retire-grd)/cgroup'
	expect "it is frozen" wait_until 60 is_frozen
	systemctl kill --kill-whom=all -s KILL retiring.service
	expect "it takes writes again" within 10 write_there "$mnt"
	expect "the guardian has gone" wait_until 10 bash -c '! pgrep -x dax-retire-grd'
	expect "it is still mounted" is_mounted
}

# The fields of our records in the journal, as an array
records()
{
	journalctl -q -o json MESSAGE_ID=8c3068f8eee74c5cb212f78a64e096c2 | jq -s .
}

are_records() { (($(records | jq length) == $1)); }

scenario_the_journal_has_a_record_of_each_retirement()
{
	journalctl --vacuum-time=1s --rotate >/dev/null 2>&1
	before=$(records | jq length)
	fresh_xfs
	hold open "$mnt/f"
	retire -n namespace0.0
	retire namespace0.0
	expect_exit 2
	id=$(jq -r .id "$work/out")
	expect "a refusal is one, a dry run none" wait_until 20 are_records $((before + 1))
	retire namespace0.0 --evict=kill --grace=0.5
	expect_retired
	expect "a retirement is one" wait_until 20 are_records $((before + 2))
	records >"$work/records"
	expect "the refusal says who" jq -e --arg id "$id" --arg held "mkholder[$held]" '.[-2] | .DAX_RETIRE_ID == $id
		and .DAX_RETIRE_RESULT == "refused" and .PRIORITY == "5" and (.DAX_RETIRE_HOLDER | index($held) != null)' "$work/records"
	expect "the retirement says what" jq -e --arg id "$(jq -r .id "$work/out")" '.[-1] | .DAX_RETIRE_ID == $id
		and .DAX_RETIRE_RESULT == "retired" and .PRIORITY == "6" and .DAX_RETIRE_DEVICE == "namespace0.0"
		and .DAX_RETIRE_COMMAND == "retire-namespace" and .SYSLOG_IDENTIFIER == "dax-retire"
		and .MESSAGE == "retire-namespace namespace0.0: retired"' "$work/records"
}
