# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
#
# The kernel itself is asked which processes could matter. That is only a
# faster way: the answer is the one of a look at all.

# answer WAY NAME [ARG...]: what list-holders says of the machine, to $work/NAME; but for what only a kernel that
# answers tells
answer()
{
	DAX_RETIRE_BPF=$1 list_holders "${@:3}"
	expect_exit 0
	jq -S '{unknown, holders: [.holders[] | select(.uses != ["in-flight"]) | del(.id)]}' "$work/out" >"$work/$2"
}

in_flight() { jq '[.holders[] | select(.uses == ["in-flight"])] | length' "$work/out"; }

# same_both_ways LEAST PATH: the two agree, on LEAST processes or more; that the kernel did answer is known by a
# descriptor of PATH in flight, which nothing else shows
same_both_ways()
{
	hold flight "$2"
	answer never plain namespace0.0
	expect "nobody knows what is in flight" test "$(in_flight)" = 0
	answer asked bpf namespace0.0
	expect "the kernel was asked" test "$(in_flight)" = 1
	expect "the same, both ways" diff "$work/plain" "$work/bpf"
	expect_json "[.holders[] | select(.kind == \"process\") | .pid] | unique | length > $1"
}

scenario_asked_of_the_kernel_the_holders_of_a_file_system_are_the_same()
{
	fresh_xfs
	mkdir -p "$mnt"/{dir,upper,work,inside} /mnt/{merged,lower}
	mount -t tmpfs none "$mnt/inside"
	for kind in open open-path open-deleted dup-many map map-private map-deleted; do
		echo content >"$mnt/$kind"
		hold "$kind" "$mnt/$kind"
	done
	hold cwd "$mnt/dir"
	hold root "$mnt/dir"
	hold exe "$mnt/program"
	hold open "$mnt/inside/file"
	hold map "$mnt/inside/mapped"
	hold cwd "$mnt/inside"
	hold open /dev/pmem0
	hold user-ns
	# a descriptor of a namespace of which a mount is ours
	sleep 1000 8<"/proc/$held/ns/mnt" &
	# on overlayfs the mapped file and the one that is shown are two
	mount -t overlay -o "lowerdir=/mnt/lower,upperdir=$mnt/upper,workdir=$mnt/work" none /mnt/merged || failed=1
	hold open /mnt/merged/opened
	hold map /mnt/merged/mapped
	same_both_ways 14 "$mnt/open"
}

scenario_asked_of_the_kernel_the_holders_of_a_device_dax_are_the_same()
{
	local dev other
	dev=$(setup_devdax) || failed=1
	other=/tmp/another-node
	mknod "$other" c $((0x$(stat -c %t "$dev"))) $((0x$(stat -c %T "$dev")))
	hold open "$dev"
	hold map "$other" $((2 << 20))
	hold open-path "$dev"
	same_both_ways 3 "$dev"
}

scenario_asked_of_the_kernel_the_users_of_a_file_system_that_is_shut_down_are_the_same()
{
	fresh_xfs
	hold open "$mnt/open"
	hold map "$mnt/map"
	hold cwd "$mnt"
	same_both_ways 3 "$mnt/open"
	xfs_io -x -c shutdown "$mnt"
	answer never plain namespace0.0
	answer asked bpf namespace0.0
	expect "the same of what does not answer" diff "$work/plain" "$work/bpf"
}

# uses_of PID: of the last list
uses_of() { jq -r --argjson pid "$1" '[.holders[] | select(.pid == $pid) | .uses[]] | join(" ")' "$work/out"; }

scenario_files_that_proc_does_not_show_are_named_and_let_go()
{
	local kind
	local -A pids
	fresh_ext4
	for kind in flight flight-received flight-nested flight-twice-nested flight-unaccepted uring-file; do
		echo content >"$mnt/$kind"
		hold "$kind" "$mnt/$kind"
		pids[$kind]=$held
	done
	list_holders namespace0.0
	for kind in flight flight-received flight-nested flight-twice-nested flight-unaccepted; do
		expect "$kind is in flight" test "$(uses_of "${pids[$kind]}")" = in-flight
	done
	expect "registered with a ring" test "$(uses_of "${pids[uring-file]}")" = io_uring
	expect_json 'all(.holders[] | select(.kind == "process"); .lifted_by == "--evict=term")'
	retire namespace0.0 --evict=stop
	expect_exit 2
	retire namespace0.0 --evict=term --grace=10
	expect_retired
	for kind in "${!pids[@]}"; do
		holder_row "$kind" named term
	done
}

scenario_without_bpf_files_that_proc_does_not_show_are_refused_with_who_may_have_them()
{
	fresh_ext4
	echo content >"$mnt/flight"
	hold flight-nested "$mnt/flight"
	export DAX_RETIRE_BPF=never
	umount -l "$mnt"
	retire namespace0.0 --evict=kill
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands) | .code] == ["unknown-holder"]'
	expect "who may have it is named" grep -q "mkholder\[$held\] (descriptors in flight" "$work/err"
	holder_row flight-without-bpf unknown-holder never "a descriptor in flight, where BPF cannot be asked; who may have it is told"
	kill -KILL "$held"
	expect "it is gone" wait_until 20 is_gone "$held"
	retire namespace0.0 --evict=stop
	expect_retired
}

scenario_a_kernel_that_does_not_answer_changes_nothing()
{
	fresh_ext4
	hold open "$mnt/open"
	hold map "$mnt/map"
	answer never plain namespace0.0
	mount -t tmpfs none /sys/kernel/btf
	answer asked without namespace0.0
	expect "the same answer" diff "$work/plain" "$work/without"
	expect "without a word" bash -c '! grep -qi bpf "$1"' - "$work/err"
	expect_json '[.holders[] | select(.kind == "process")] | length == 2'
}

# pinned_by PID [FIRST END]: the descriptors of it that keep pages, in $work/pins
pinned_by()
{
	"$build/test/helpers/find-pins" "${@:2}" >"$work/all-pins" && awk -v pid="$1" '$1 == pid' "$work/all-pins" >"$work/pins"
	[[ -s $work/pins ]]
}

# keeps_a_page KIND PATH: it is named, by a descriptor that it has; and not when pages next to it are asked for
keeps_a_page()
{
	local pid fd page
	hold "$@"
	expect "$1 is named" pinned_by "$held"
	read -r pid fd page _ <"$work/pins"
	expect "by its descriptor" bash -c '[[ $(readlink "$1") == @(pipe:*|anon_inode:?io_uring?) ]]' - "/proc/$pid/fd/$fd"
	expect "by the range of that page" pinned_by "$held" "$page" $((page + 1))
	expect "not by the one before" bash -c '! "$@"' - pinned_by "$held" $((page - 64)) "$page"
}

scenario_who_keeps_a_page_in_a_pipe_or_a_ring_is_named()
{
	local dev
	dev=$(setup_devdax) || failed=1
	keeps_a_page pin "$dev" $((2 << 20))
	keeps_a_page invisible-pin "$dev" $((2 << 20))
	# 6.1 does not register what is mapped from a file, unless it is in memory
	if [[ $(uname -r) == 6.1.* ]]; then
		keeps_a_page uring-buffer /dev/zero
	else
		keeps_a_page uring-buffer "$dev" $((2 << 20))
	fi
}

# kept_by KIND PATH [ARG]: it is named for the pages that no list shows, with its descriptor; $lifted_by says what moves it
kept_by()
{
	hold "$@"
	list_holders --pages namespace0.0
	expect_json ".devices[0].pages.referenced > 0"
	expect_json ".holders[] | select(.pid == $held) | (.uses | index(\"pages\")) and .pages_fd > 2"
	lifted_by=$(jq -r "[.holders[] | select(.pid == $held) | .lifted_by // \"never\"][0]" "$work/out")
	kill "$held"
	wait_until 10 is_gone "$held" || failed=1
}

# ended_for: who holds is named for pages alone, refused without a level, and goes like any other holder
ended_for()
{
	retire namespace0.0
	expect_exit 2
	expect_json ".holders[] | select(.pid == $held) | .uses == [\"pages\"] and .pages_fd > 2"
	expect_json ".vetoes[] | select(.code == \"process\") | .lifted_by == \"--evict=term\" and (.message | contains(\"keeps pages of\"))"
	expect_json '[.vetoes[] | select(.code == "pinned")] == []'
	expect "it lives" test -e "/proc/$held"
	retire namespace0.0 --evict=term --grace=10
	expect_retired
	expect_json '.verify[] | select(.check == "no-references") | .ok'
	expect "it has ended" is_gone "$held"
}

scenario_who_keeps_pages_in_a_pipe_is_ended_like_any_holder()
{
	fresh_ext4
	kept_by pin "$mnt/pinned"
	hold invisible-pin "$mnt/pinned"
	ended_for
	holder_row invisible-pin named term
}

scenario_who_keeps_pages_in_a_pipe_that_is_in_flight_is_ended_like_any_holder()
{
	fresh_ext4
	hold flight-pinned "$mnt/pinned"
	ended_for
	holder_row flight-pinned named term
}

scenario_who_keeps_pages_of_a_device_dax_is_named()
{
	local dev kind
	local -A what=(
		[invisible-pin]="a page of a device-dax in a pipe; mapping and descriptor are gone"
		[uring-buffer]="a mapping of a device-dax that is registered as a buffer with io_uring, and unmapped"
	)
	dev=$(setup_devdax) || failed=1
	for kind in "${!what[@]}"; do
		# 6.1 takes no file's memory as a buffer
		if [[ $kind == uring-buffer && $(uname -r) == 6.1.* ]]; then
			holder_row "dax-$kind" impossible - "${what[$kind]}"
		else
			kept_by "$kind" "$dev" $((2 << 20))
			holder_row "dax-$kind" named "${lifted_by#*=}" "${what[$kind]}"
		fi
	done
}
