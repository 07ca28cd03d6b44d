# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
# guest: --pmem 594M --pmem 594M
#
# Every kind of mkholder: what the program sees of it, what moves it, and that
# nobody else is touched. A neighbour device has the same files, by name and
# inode number, and processes that use them.

# Two file systems that are alike; users of the second one must live.
fresh_twins()
{
	local dev file
	fresh_xfs /dev/pmem0
	dev=$(setup_fsdax namespace1.0) || failed=1
	fresh_xfs "$dev" /mnt/twin
	for file in "$mnt" /mnt/twin; do
		mkdir "$file/dir"
		echo content >"$file/dir/file"
	done
	expect "the twins are alike" test "$(stat -c %i "$mnt/dir/file")" = "$(stat -c %i /mnt/twin/dir/file)"
	canaries=()
	local kind
	for kind in open map; do
		hold "$kind" /mnt/twin/dir/file
		canaries+=("$held")
	done
	hold cwd /mnt/twin/dir
	canaries+=("$held")
}

expect_canaries()
{
	local pid
	for pid in "${canaries[@]}"; do
		expect "a user of the twin lives" test -e "/proc/$pid/exe"
	done
	expect "the twin is mounted" is_mounted /mnt/twin
}

# make KIND: on the first file system, by the sort of path that it wants; says so in $held and $made
make()
{
	local path=$mnt/dir/file.$1
	case $1 in
	cwd | root | thread-cwd) path=$mnt/dir ;;
	socket-bound | epoll) ;;
	*) echo content >"$path" ;;
	esac
	hold "$1" "$path" "${@:2}"
}

# what list-holders says of process $held: its uses, in one line; empty when it is not named
uses_of_held() { jq -r --argjson pid "$held" '[.holders[] | select(.kind == "process" and .pid == $pid) | .uses[]] | unique | join(" ")' "$work/out"; }

# refused, by name or not, and nothing is other than it was
expect_refusal()
{
	local before
	before=$(snapshot)
	retire namespace0.0 "$@"
	expect_exit 2
	expect "nothing has changed" test "$before" = "$(snapshot)"
	expect "the holder lives" test -e "/proc/$held"
}

# named_kinds USE KIND...: each is named, refused, and all of them end with --evict=term
named_kinds()
{
	local kind use=$1
	shift
	fresh_twins
	for kind; do
		make "$kind"
		list_holders namespace0.0
		expect_exit 0
		expect "$kind is named for $use" test "$(uses_of_held)" = "$use"
		expect_refusal
		expect_json ".vetoes[] | select(.subject == \"mkholder[$held]\") | .stands and .lifted_by == \"--evict=term\""
		holder_row "$kind" named term
	done
	retire namespace0.0 --evict=term
	expect_retired
	expect_canaries
}

scenario_open_descriptors()
{
	named_kinds open open open-path open-deleted dup-many lock lease
}

scenario_mappings()
{
	named_kinds map map map-private map-deleted map-write pin
}

scenario_directories()
{
	named_kinds cwd cwd thread-cwd
}

scenario_the_root_directory()
{
	named_kinds root root
}

scenario_a_program_that_runs()
{
	named_kinds "exe map" exe
}

scenario_threads_with_tables_of_their_own()
{
	named_kinds open thread-files leader-gone
}

scenario_a_mapping_whose_main_thread_has_ended()
{
	named_kinds map leader-gone-map
}

scenario_sockets_that_are_bound_to_a_file()
{
	named_kinds socket socket-bound
}

# says_likely: the program points at $held
says_likely()
{
	grep -q "; likely: .*mkholder\[$held\]" "$work/out"
}

# hidden_kinds KIND...: no file of /proc names the file that each keeps. Where the program sees it by other means it is
# named; else what lives on is seen, and the process is pointed at.
hidden_kinds()
{
	local kind
	for kind; do
		fresh_xfs
		mkdir "$mnt/dir"
		make "$kind"
		list_holders namespace0.0
		if [[ $(uses_of_held) ]]; then
			expect_refusal
			retire namespace0.0 --evict=term
			expect_retired
			holder_row "$kind" named term
		else
			umount -l "$mnt"
			expect_refusal --evict=kill
			expect_json '.vetoes[] | select(.stands) | .code == "unknown-holder" and .severity == "critical"'
			expect "$kind is pointed at" says_likely
			holder_row "$kind" unknown-holder never
			kill -KILL "$held"
			wait_until 10 test ! -e /sys/fs/xfs/pmem0
			retire namespace0.0
			expect_retired
		fi
		restore namespace0.0
		expect_exit 0
		umount "$mnt"
	done
}

scenario_descriptors_in_flight()
{
	hidden_kinds flight flight-received flight-unaccepted
}

# Of the outer socket it is seen that something is in flight
scenario_a_descriptor_in_flight_in_a_socket_in_flight()
{
	hidden_kinds flight-nested
}

scenario_registered_with_io_uring_or_in_an_unread_event()
{
	hidden_kinds uring-file fanotify-event
}

# The unmount fails, all is as before, and the message points at the process
scenario_what_keeps_a_mount_unseen_is_pointed_at()
{
	fresh_xfs
	mkdir "$mnt/dir"
	make flight
	retire namespace0.0 --evict=kill --grace=0.5
	if [[ $rc != 0 ]]; then
		expect_exit 3
		expect "it is pointed at" says_likely
		expect "the holder lives" test -e "/proc/$held"
		expect "it is mounted and takes writes" can_write
	fi
}

scenario_what_only_watches_holds_nothing()
{
	local kind watchers=()
	fresh_xfs
	mkdir "$mnt/dir"
	for kind in inotify fanotify epoll; do
		make "$kind"
		watchers+=("$held")
		holder_row "$kind" lets-go -
	done
	retire namespace0.0 --evict=stop
	expect_retired
	for held in "${watchers[@]}"; do
		expect "the watcher lives" test -e "/proc/$held/exe"
	done
}

# A block device by its usual node and by one elsewhere with the same number
scenario_nodes_of_the_block_device()
{
	local node kind
	mknod "$work/alias" b "$((0x$(stat -c %t /dev/pmem0)))" "$((0x$(stat -c %T /dev/pmem0)))"
	for node in /dev/pmem0 "$work/alias"; do
		for kind in open map; do
			hold "$kind" "$node"
			list_holders namespace0.0
			expect "$kind of $node is named" test "$(uses_of_held)" = "$kind"
			expect_refusal
			holder_row "$kind of ${node/#$work/…}" named term "of the block device, by $([[ $node == /dev/* ]] && echo 'its node' || echo 'a node elsewhere')"
		done
	done
	retire namespace0.0 --evict=term
	expect_retired
}
