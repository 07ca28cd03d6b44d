# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
# guest: --pmem 594M --pmem 594M
#
# shellcheck disable=SC2154
#
# Every kind of mkholder: what the program sees of it, what moves it, and that
# nobody else is touched. A neighbour device has the same files, by name and
# inode number, and processes that use them. All kinds of a family hold at the
# same time, so that one look and one retirement tell of all.

# the pids of a family, and what each is; in the order made
declare -A kind_of=() uses_of=() level_of=()
canaries=()

# Two file systems that are alike; users of the second one must live.
fresh_twins()
{
	local dev place kind
	fresh_ext4
	dev=$(setup_fsdax namespace1.0) || failed=1
	fresh_ext4 "$dev" /mnt/twin
	for place in "$mnt" /mnt/twin; do
		mkdir "$place/dir"
		echo content >"$place/dir/file"
	done
	expect "the twins are alike" test "$(stat -c %i "$mnt/dir/file")" = "$(stat -c %i /mnt/twin/dir/file)"
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
	kill -KILL "${canaries[@]}"
	wait "${canaries[@]}" 2>/dev/null
	umount /mnt/twin
}

# make KIND [OPTION]: on the first file system, by the sort of path that it wants; its pid goes to $held
make()
{
	local path=$mnt/dir/file.$1
	case $1 in
	cwd | root | thread-cwd) path=$mnt/dir ;;
	fscontext) path=$mnt ;;
	socket-bound | epoll) ;;
	*) echo content >"$path" ;;
	esac
	hold "$1" "${@:2}" "$path"
	kind_of[$held]=$1
}

# what the last list-holders says of each process: its uses, in one line
read_uses()
{
	local pid uses
	uses_of=()
	while read -r pid uses; do
		uses_of[$pid]=$uses
	done < <(jq -r '.holders[] | select(.kind == "process") | "\(.pid) \(.uses | sort | join(" "))"' "$work/out")
}

# and of what stands in the way: what lifts it
read_levels()
{
	local pid level
	level_of=()
	while read -r pid level; do
		level_of[$pid]=$level
	done < <(jq -r '. as $all | .vetoes[] | select(.stands and .holder) | .holder as $id |
		"\($all.holders[] | select(.id == $id) | .pid // empty) \(.lifted_by)"' "$work/out")
}

# refused, and nothing is other than it was
expect_refusal()
{
	local pid before
	before=$(snapshot)
	retire namespace0.0 "$@"
	expect_exit 2
	expect "nothing has changed" test "$before" = "$(snapshot)"
	for pid in "${!kind_of[@]}"; do
		expect "${kind_of[$pid]} still holds" test -e "/proc/$pid"
	done
}

# The kinds of processes that are seen, and what they are named for; what only watches is not named. Those that keep a
# processor busy come last.
seen_kinds()
{
	cat <<-EOF
	open open
	open-path open
	mount-fd open
	open-deleted open
	dup-many open
	lock open
	lease open
	uffd-write open
	thread-files open
	thread-ring open pin
	leader-gone open
	leader-gone-ring open pin
	map map
	map-private map
	pin map
	map-deleted map
	leader-gone-map map
	cwd cwd
	thread-cwd cwd
	root root
	exe exe map
	socket-bound socket
	inotify
	fanotify
	epoll
	write open
	map-write map
	EOF
}

scenario_processes_are_named_for_what_they_do_and_end_with_term()
{
	local kind uses pid named=0
	local -A wanted=()
	fresh_twins
	while read -r kind uses; do
		make "$kind"
		wanted[$held]=$uses
		[[ ! $uses ]] || named=$((named + 1))
	done < <(seen_kinds)
	list_holders namespace0.0
	expect_exit 0
	expect_json '.complete'
	read_uses
	expect_refusal --evict=stop
	read_levels
	retire namespace0.0 --evict=term
	expect_retired
	for pid in "${!wanted[@]}"; do
		kind=${kind_of[$pid]} uses=${wanted[$pid]}
		expect "$kind is named for '$uses'" test "${uses_of[$pid]-}" = "$uses"
		expect "the level of $kind" test "${level_of[$pid]-}" = "${uses:+--evict=term}"
		if [[ $uses ]]; then
			expect "$kind has ended" is_gone "$pid"
			holder_row "$kind" named term
		else
			expect "$kind lives" test -e "/proc/$pid/exe"
			holder_row "$kind" lets-go -
		fi
	done
	expect "nobody else is named" test ${#uses_of[@]} = "$named"
	expect_canaries
}

# Who was named is gone before the kill, and somebody who uses the twin has its number.
scenario_who_ignores_sigterm_is_killed_but_not_who_has_the_pid_of_one_that_heeds_it()
{
	local first
	fresh_twins
	make map --ignore-term
	retire namespace0.0 --evict=term --grace=0.3
	expect_exit 3
	expect "it lives" test -e "/proc/$held/exe"
	expect "it takes writes" can_write
	make open
	first=$held
	(
		while [[ -d /proc/$first ]]; do :; done
		echo $((first - 1)) >/proc/sys/kernel/ns_last_pid
		"$mkholder" --ignore-term open /mnt/twin/dir/file >"$work/taker" 2>&1 &
		wait
	) &
	retire namespace0.0 --evict=kill --grace=3
	expect_retired
	for held in "${!kind_of[@]}"; do
		[[ $held == "$first" ]] || expect "it was ended" is_gone "$held"
	done
	expect "the pid was taken while the other one was waited for" grep -q "^ready $first$" "$work/taker"
	expect "who has it lives" test -e "/proc/$first/exe"
	expect_json "[.losses[] | select(.name | endswith(\"[$first]\")) | .reason] == [\"SIGTERM\"]"
	kill -KILL "$first"
	holder_row ignores-term named kill "a mapping of a process that ignores SIGTERM"
	expect_canaries
}

# expect_holds KIND: it, and nothing else, keeps the file system when that is unmounted
expect_holds()
{
	mount /dev/pmem0 "$mnt"
	make "$1"
	umount -l "$mnt"
	expect "$1 holds" test -e /sys/fs/ext4/pmem0
	kill -KILL "$held"
	wait "$held" 2>/dev/null
	unset "kind_of[$held]"
	# what was in flight to nobody is collected when the kernel gets to it
	expect "$1 holds no more" wait_until 10 test ! -e /sys/fs/ext4/pmem0
}

# No file of /proc shows which file these keep. Where it is seen by other means they are named and end with
# --evict=term; else what lives on is seen and refuses, and the process is pointed at.
scenario_what_no_file_of_proc_shows_is_named_or_pointed_at()
{
	local kind pid named=() unseen=() kinds=(flight flight-received flight-unaccepted flight-nested uring-file fanotify-event
		detached-mount fscontext)
	fresh_ext4
	mkdir "$mnt/dir"
	umount "$mnt"
	for kind in "${kinds[@]}"; do
		expect_holds "$kind"
	done
	fresh_twins
	for kind in "${kinds[@]}"; do
		make "$kind"
	done
	umount -l "$mnt"
	list_holders namespace0.0
	expect_exit 0
	read_uses
	expect_refusal --evict=stop
	for pid in "${!kind_of[@]}"; do
		if [[ ${uses_of[$pid]-} ]]; then
			named+=("$pid")
			holder_row "${kind_of[$pid]}" named term
		else
			unseen+=("$pid")
			holder_row "${kind_of[$pid]}" unknown-holder never
		fi
	done
	if ((${#unseen[@]} && ${#named[@]})); then
		retire namespace0.0 --evict=term
		expect_exit 3
		for pid in "${named[@]}"; do
			expect "${kind_of[$pid]} has ended" is_gone "$pid"
			unset "kind_of[$pid]"
		done
	fi
	if ((${#unseen[@]})); then
		expect_refusal --evict=kill
		expect_json '.vetoes[] | select(.code == "unknown-holder" and .stands) | .severity == "critical"'
		for pid in "${unseen[@]}"; do
			expect "${kind_of[$pid]} is pointed at" grep -q "; likely: .*mkholder\[$pid\]" "$work/out"
		done
		kill -KILL "${unseen[@]}"
		wait "${unseen[@]}" 2>/dev/null
	fi
	expect "who was not named is gone" wait_until 10 retired_with_term
	expect_retired
	expect_canaries
}

# what was in flight goes when the kernel gets to it
retired_with_term()
{
	retire namespace0.0 --evict=term
	[[ $rc == 0 ]]
}

# namespace_of PID: the inode number of its mount namespace, or of the one that only a thread of it has
namespace_of()
{
	local task inode main
	main=$(stat -Lc %i "/proc/$1/ns/mnt")
	for task in "/proc/$1/task/"*; do
		inode=$(stat -Lc %i "$task/ns/mnt")
		[[ $inode == "$main" ]] || break
	done
	echo "$inode"
}

# Copies of the mounts that nobody uses are unmounted; one that its owner is not allowed to unmount goes with its process.
scenario_mounts_that_only_other_namespaces_have()
{
	local kind number level
	local -A of_namespace=()
	fresh_twins
	for kind in mount-ns thread-mount-ns user-ns; do
		make "$kind"
	done
	umount "$mnt"
	expect_refusal
	while read -r number level; do
		of_namespace[$number]=$level
	done < <(jq -r '. as $all | .vetoes[] | select(.stands and .code == "mount") | .holder as $id |
		"\($all.holders[] | select(.id == $id) | .mnt_ns) \(.lifted_by)"' "$work/out")
	for held in "${!kind_of[@]}"; do
		number=$(namespace_of "$held")
		expect_json ".holders[] | select(.kind == \"mount\" and .mnt_ns == $number) | .name == \"/mnt/data\""
		level=stop
		[[ ${kind_of[$held]} != user-ns ]] || level=term
		expect "the level of ${kind_of[$held]}" test "${of_namespace[$number]-}" = "--evict=$level"
		holder_row "${kind_of[$held]}" named "$level"
	done
	retire namespace0.0 --evict=term
	expect_retired
	for held in "${!kind_of[@]}"; do
		if [[ ${kind_of[$held]} == user-ns ]]; then
			expect "the process of a locked mount has ended" is_gone "$held"
		else
			expect "the process of ${kind_of[$held]} lives" test -e "/proc/$held/exe"
		fi
	done
	expect_canaries
}

scenario_a_lazily_unmounted_file_system_goes_with_its_users()
{
	fresh_twins
	mkdir -p /mnt/bind
	mount --bind "$mnt/dir" /mnt/bind
	make map
	hold cwd /mnt/bind
	kind_of[$held]=cwd
	umount -l /mnt/bind
	umount -l "$mnt"
	list_holders namespace0.0
	expect_exit 0
	read_uses
	for held in "${!kind_of[@]}"; do
		expect "${kind_of[$held]} is named" test "${uses_of[$held]-}" = "${kind_of[$held]}"
	done
	expect_refusal --evict=stop
	retire namespace0.0 --evict=term
	expect_retired
	holder_row lazy-unmount named term "a file system that was lazily unmounted, by its users"
	expect_canaries
}

# nodes_of NODE WORD WHAT LEVEL: open and mapped, by this node and by one elsewhere with the same number
nodes_of()
{
	local node=$1 alias=$work/alias kind type=b where
	local -A name=()
	[[ -b $node ]] || type=c
	mknod "$alias" "$type" "$((0x$(stat -c %t "$node")))" "$((0x$(stat -c %T "$node")))"
	for kind in open map; do
		for where in "$node" "$alias"; do
			hold "$kind" "$where" 2097152
			kind_of[$held]=$kind
			name[$held]="$2-$kind$([[ $where != "$alias" ]] || echo -alias)"
		done
	done
	list_holders namespace0.0
	expect_exit 0
	read_uses
	expect_refusal --evict=stop
	read_levels
	for held in "${!kind_of[@]}"; do
		expect "${name[$held]} is named" test "${uses_of[$held]-}" = "${kind_of[$held]}"
		expect "what moves ${name[$held]}" test "${level_of[$held]-}" = "$4"
		where="by its node"
		[[ ${name[$held]} != *-alias ]] || where="by a node elsewhere with its number"
		where="the $3, ${kind_of[$held]}, $where"
		holder_row "${name[$held]}" named "${4#*=}" "${where/map/mapped}"
	done
}

scenario_the_block_device_by_any_node()
{
	local canary
	setup_fsdax namespace1.0 >/dev/null || failed=1
	hold open /dev/pmem1
	canary=$held
	nodes_of /dev/pmem0 block "block device" --evict=term
	retire namespace0.0 --evict=term
	expect_retired
	for held in "${!kind_of[@]}"; do
		expect "${kind_of[$held]} has ended" is_gone "$held"
	done
	expect "a user of the neighbour lives" test -e "/proc/$canary/exe"
}

scenario_a_device_dax_by_any_node()
{
	local dev
	ndctl disable-namespace namespace0.0 >/dev/null
	dev=$(setup_devdax) || failed=1
	nodes_of "$dev" dax "device-dax" --evict=term
	retire namespace0.0 --evict=term
	expect_exit 0
	expect_json '.result == "retired" and all(.verify[]; .ok != false)'
	for held in "${!kind_of[@]}"; do
		expect "${kind_of[$held]} has ended" is_gone "$held"
	done
	ndctl enable-namespace namespace0.0 >/dev/null
	setup_fsdax >/dev/null || failed=1
}
