# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# shellcheck disable=SC2154
#
# For tests that compare with files and print TAP. Sourced; they set $work, a
# directory, and $update, "yes" to write the files anew.

count=0
failed=0

# report ok|'not ok' NAME: one result; of what is not ok, $work/why says why
report()
{
	count=$((count + 1))
	[[ $1 == ok ]] || { failed=$((failed + 1)); sed 's/^/# /' "$work/why"; }
	echo "$1 $count - $2"
}

# compare_or_update NAME FILE: $work/now is what FILE is to hold
compare_or_update()
{
	if [[ $update ]]; then
		cp "$work/now" "$2"
		report ok "$1"
	elif diff -u "$2" "$work/now" >"$work/why" 2>&1; then
		report ok "$1"
	else
		report 'not ok' "$1"
	fi
}

# the plan; fails when a result did
end_report()
{
	echo "1..$count"
	[[ $failed == 0 ]]
}
