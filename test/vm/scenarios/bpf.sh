# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
#
# The kernel itself is asked which processes could matter. That is only a
# faster way: the answer is the one of a look at all.

# answer WAY NAME: what list-holders says of the machine, to $work/NAME
answer()
{
	DAX_RETIRE_BPF=$1 list_holders "${@:3}"
	expect_exit 0
	jq -S '{holders, vetoes, unknown}' "$work/out" >"$work/$2"
}

# same_both_ways LEAST [ARG...]: the two agree, on LEAST processes or more, and the kernel did answer
same_both_ways()
{
	answer never plain "${@:2}"
	strace -qq -e trace=bpf -o "$work/asked" env DAX_RETIRE_BPF=always \
		"$program" ndctl list-holders "${@:2}" >"$work/out" 2>"$work/err"
	rc=$?
	expect_exit 0
	jq -S '{holders, vetoes, unknown}' "$work/out" >"$work/bpf"
	expect "the same, both ways" diff "$work/plain" "$work/bpf"
	expect "asked for tasks, descriptors and mappings" \
		bash -c '[[ $(grep -c "BPF_ITER_CREATE.*= [0-9]" "$1") == 3 ]] || { cat "$1"; exit 1; }' - "$work/asked"
	expect_json "[.holders[] | select(.kind == \"process\") | .pid] | unique | length >= $1"
}

scenario_asked_of_the_kernel_the_holders_of_a_file_system_are_the_same()
{
	fresh_xfs
	mkdir -p "$mnt"/{dir,upper,work,inside} /mnt/{merged,lower}
	mount -t tmpfs none "$mnt/inside"
	for kind in open open-path open-deleted dup-many map map-private map-deleted; do
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
	same_both_ways 14 namespace0.0
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
	same_both_ways 2 namespace0.0
}

scenario_asked_of_the_kernel_the_users_of_a_file_system_that_is_shut_down_are_the_same()
{
	fresh_xfs
	hold open "$mnt/open"
	hold map "$mnt/map"
	hold cwd "$mnt"
	xfs_io -x -c shutdown "$mnt"
	same_both_ways 3 namespace0.0
}

scenario_a_kernel_that_does_not_answer_changes_nothing()
{
	fresh_ext4
	hold open "$mnt/open"
	hold map "$mnt/map"
	answer never plain namespace0.0
	mount -t tmpfs none /sys/kernel/btf
	answer always without namespace0.0
	expect "the same answer" diff "$work/plain" "$work/without"
	expect "without a word" test ! -s "$work/err"
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
	read -r pid fd page <"$work/pins"
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
