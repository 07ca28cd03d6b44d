# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
#
# References to pages: those that no list shows are counted, name their file,
# and nothing is taken away under them.

listed_pages() { list_holders --pages namespace0.0; }
is_idle() { listed_pages; jq -e '.devices[0].pages.referenced == 0' "$work/out" >/dev/null; }

scenario_what_is_retired_was_counted()
{
	fresh_ext4
	hold map "$mnt/mapped" 8388608
	listed_pages
	expect_json '.devices[0].pages | .referenced == 0 and .counted > 250000'
	retire namespace0.0 --evict=kill --grace=1
	expect_retired
	expect_json '.verify[] | select(.check == "no-references") | .ok == true and .pages > 250000'
	expect_json '.steps | map(.step) | index("foresee-references") < index("unmount") and
		index("claim") < index("count-references") and index("count-references") < index("unbind")'
}

scenario_an_invisible_pin_refuses_and_names_its_file()
{
	fresh_ext4
	mkdir "$mnt/dir"
	hold invisible-pin "$mnt/dir/pinned"
	listed_pages
	expect_json '.devices[0].pages | .referenced == 1 and .runs[0].path == "/dir/pinned"'
	expect_json ".devices[0].pages.runs[0].inode == $(stat -c %i "$mnt/dir/pinned")"
	before=$(snapshot)
	retire namespace0.0 --force
	expect_exit 2
	expect_json '.result == "refused" and (.changed | not) and (.steps | length == 0)'
	expect_json '.vetoes[] | select(.code == "pinned") | .severity == "critical" and .stands'
	expect "its file is named" grep -q "$mnt/dir/pinned, inode" "$work/err"
	expect "nothing was touched" test "$before" = "$(snapshot)"
	expect "it can be written to" can_write
	kill "$held"
	wait_until 10 is_idle || failed=1
	retire namespace0.0 --force
	expect_retired
}

scenario_a_pin_of_a_process_that_is_seen_goes_with_it()
{
	fresh_ext4
	hold pin "$mnt/pinned"
	retire namespace0.0
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "page-reference") | .severity == "holder" and .lifted_by == "--evict=term"'
	retire namespace0.0 --force --grace=1
	expect_retired
	expect_json '.verify[] | select(.check == "no-references") | .ok'
}

# Somebody who is seen is ended; what is not seen stays, and nothing is unmounted under it
scenario_a_pin_that_stays_when_all_are_gone_rolls_back()
{
	fresh_ext4
	hold invisible-pin "$mnt/pinned"
	pinner=$held
	hold open "$mnt/other"
	retire namespace0.0 --force --grace=1
	expect_exit 3
	expect_json '.result == "rolled-back" and (.stuck // [] | length == 0)'
	expect_json '[.steps[] | select(.step == "unmount" and .state == "done")] | length == 0'
	expect "it is still mounted" is_mounted
	expect "it can be written to" can_write
	kill "$pinner"
	wait_until 10 is_idle || failed=1
	retire namespace0.0 --force
	expect_retired
}

scenario_without_the_privilege_it_is_unknown_and_says_so()
{
	fresh_ext4
	echo x >"$mnt/file"
	sync -f "$mnt"
	setpriv --bounding-set=-bpf,-perfmon,-sys_admin --inh-caps=-bpf,-perfmon,-sys_admin \
		"$program" ndctl list-holders --pages namespace0.0 >"$work/out" 2>"$work/err"
	expect_json '.devices[0].pages | .referenced == null and (.reason | length > 0)'
}

# What the kernel does not let be looked at refuses; who takes the risk is told that it was not known
scenario_where_it_cannot_be_told_it_is_a_risk()
{
	fresh_ext4
	mount --bind /dev/null /sys/kernel/btf/vmlinux
	retire namespace0.0 --force
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands)] | length == 1 and .[0].code == "references-unknown" and
		.[0].severity == "risk" and .[0].lifted_by == "--allow=references-unknown"'
	retire namespace0.0 --force --allow=references-unknown
	umount /sys/kernel/btf/vmlinux
	expect_retired
	expect_json '.verify[] | select(.check == "no-references") | .ok == null and (.reason | length > 0)'
}

# The rest leaves the namespace in another mode, and goes last
scenario_pins_of_a_device_dax_are_counted()
{
	ndctl disable-namespace namespace0.0 >/dev/null
	dev=$(setup_devdax) || failed=1
	for kind in invisible-pin uring-buffer; do
		# 6.1 takes no file's memory as a buffer
		[[ $kind != uring-buffer || $(uname -r) != 6.1* ]] || continue
		hold "$kind" "$dev" 2097152
		listed_pages
		expect_json '.devices[0].pages.referenced == 1'
		retire namespace0.0 --force
		expect_exit 2
		expect_json '[.vetoes[] | select(.stands) | .code] | inside(["pinned", "page-reference", "process"])'
		kill "$held"
		wait_until 10 is_idle || failed=1
	done
	retire namespace0.0
	expect_exit 0
	expect_json '.verify[] | select(.check == "no-references") | .ok == true and .pages > 250000'
}

scenario_sector_mode_has_no_pages()
{
	ndctl disable-namespace namespace0.0 >/dev/null
	ndctl create-namespace -f -m sector -e namespace0.0 >/dev/null || failed=1
	retire namespace0.0
	expect_exit 0
	expect_json '.verify[] | select(.check == "no-references") | .ok == true and .pages == 0'
	expect_json '.steps | map(.step) | index("count-references") == null'
}
