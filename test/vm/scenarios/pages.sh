# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
#
# References to pages: those that no list shows are counted, and name their file.

listed_pages() { list_holders --pages namespace0.0; }
is_idle() { listed_pages; jq -e '.devices[0].pages.referenced == 0' "$work/out" >/dev/null; }

scenario_a_mapping_is_no_reference()
{
	fresh_ext4
	listed_pages
	expect_json '.devices[0].pages | .referenced == 0 and .counted > 250000'
	hold map "$mnt/mapped" 8388608
	listed_pages
	expect_json '.devices[0].pages.referenced == 0'
}

scenario_an_invisible_pin_is_counted_and_names_its_file()
{
	fresh_ext4
	mkdir "$mnt/dir"
	hold invisible-pin "$mnt/dir/pinned"
	listed_pages
	expect_json '.devices[0].pages | .referenced == 1 and .runs[0].path == "/dir/pinned"'
	expect_json ".devices[0].pages.runs[0].inode == $(stat -c %i "$mnt/dir/pinned")"
	kill "$held"
	expect "it goes with its process" wait_until 10 is_idle
}

scenario_without_the_privilege_it_is_unknown()
{
	setpriv --bounding-set=-bpf,-perfmon,-sys_admin "$program" ndctl list-holders --pages namespace0.0 \
		>"$work/out" 2>"$work/err"
	expect_json '.devices[0].pages | .referenced == null and (.reason | length > 0)'
}

scenario_pins_of_a_device_dax_are_counted()
{
	ndctl disable-namespace namespace0.0 >/dev/null
	dev=$(setup_devdax) || failed=1
	for kind in map pin invisible-pin uring-buffer; do
		# 6.1 takes no file's memory as a buffer
		[[ $kind != uring-buffer || $(uname -r) != 6.1* ]] || continue
		hold "$kind" "$dev" 2097152
		listed_pages
		expect_json ".devices[0].pages.referenced == $([[ $kind == map ]] && echo 0 || echo 1)"
		kill "$held"
		expect "it goes with its process" wait_until 10 is_idle
	done
	ndctl disable-namespace namespace0.0 >/dev/null
	setup_fsdax >/dev/null || failed=1
}
