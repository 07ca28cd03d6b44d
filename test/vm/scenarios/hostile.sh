# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
#
# shellcheck disable=SC2154
#
# Names that are made to deceive: of files, mount points and programs. What the
# program says stays valid JSON that fits the schema, and safe for a terminal;
# whom it means is not touched by them.

line=$'new\nline'
ghost='gone (deleted)'
bytes=$'bytes\xff\xfe'
escape=$'\e]0;title\a\e[31mred'
quotes='"quoted\", {} \\ '
names=("$line" "$ghost" "$bytes" "$escape" "$quotes")

# deep DEPTH: a process in directories of 200 characters, that many, with a file open there
deep()
{
	(cd "$mnt" && exec python3 -c '
import os, sys
for i in range(int(sys.argv[2])):
    name = "d" * 199 + sys.argv[2][-1]
    os.mkdir(name)
    os.chdir(name)
os.execv(sys.argv[1], ["mkholder", "open-deleted", "f"])' "$mkholder" "$1") >"$work/hold.deep$1" 2>&1 &
	held=$!
	expect "it is ready" wait_until 30 grep -q ready "$work/hold.deep$1"
}

# program_called NAME: runs under it, and has a file open
program_called()
{
	cp "$mkholder" "$work/$1"
	: >"$work/hold.called"
	"$work/$1" open "$mnt/file" >"$work/hold.called" 2>&1 &
	held=$!
	wait_until 20 grep -q ready "$work/hold.called" || failed=1
}

# no control character but the end of a line, and nothing that is not UTF-8
is_safe() { iconv -f UTF-8 -t UTF-8 "$1" >/dev/null && ! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$1"; }

fits_schema() { "$here/../cli/check-schema" <"$work/out"; }

expect_safe()
{
	expect "$1: it fits the schema" fits_schema
	expect "$1: stdout is safe" is_safe "$work/out"
	expect "$1: stderr is safe" is_safe "$work/err"
}

scenario_hostile_names_of_files_and_programs()
{
	local name pid pids=()
	fresh_ext4
	echo content >"$mnt/file"
	for name in "${names[@]}"; do
		echo content >"$mnt/$name"
		hold map "$mnt/$name"
		pids+=("$held")
		hold open-deleted "$mnt/deleted $name"
		pids+=("$held")
	done
	for name in 'a) S 1 1 1 (b' $'a\nb' '((((' $'\xff\e[1m' '1 (x) Z 0 0'; do
		program_called "$name"
		pids+=("$held")
	done
	# one path that fits into 4096 bytes, and one that does not
	for name in 20 24; do
		deep "$name"
		pids+=("$held")
	done
	list_holders namespace0.0
	expect_exit 0
	expect_safe list-holders
	expect_json '.complete'
	expect "all are named, and nobody else" test "$(printf '%s\n' "${pids[@]}" | sort -n | xargs)" = \
		"$(jq -r '.holders[] | select(.kind == "process") | .pid' "$work/out" | sort -nu | xargs)"
	run ndctl list-holders --tree namespace0.0
	expect "the tree is safe" is_safe "$work/out"
	run ndctl list-holders --dot namespace0.0
	expect "the picture is safe" is_safe "$work/out"
	retire namespace0.0
	expect_exit 2
	expect_safe refused
	retire namespace0.0 --evict=kill --grace=2
	expect_retired
	expect_safe retired
	for pid in "${pids[@]}"; do
		expect "$pid has ended" is_gone "$pid"
	done
	holder_row hostile-names named term "processes and files with hostile names, and paths of more than 4096 bytes"
}

# long_point: a mount point whose path is almost as long as a path can be
long_point()
{
	local path=/mnt
	while ((${#path} < 3900)); do
		path+=/$(printf '%0180d' 7)
	done
	mkdir -p "$path"
	echo "$path"
}

scenario_hostile_mount_points_are_unmounted_and_mounted_again()
{
	local name point points=()
	fresh_ext4
	echo content >"$mnt/file"
	for name in "${names[@]}"; do
		mkdir -p "/mnt/$name"
		points+=("/mnt/$name")
	done
	points+=("$(long_point)")
	for point in "${points[@]}"; do
		mount --bind "$mnt" "$point" || failed=1
	done
	list_holders namespace0.0
	expect_exit 0
	expect_safe list-holders
	expect_json "[.holders[] | select(.kind == \"mount\")] | length == $((${#points[@]} + 1))"
	retire namespace0.0
	expect_exit 2
	expect_safe refused
	retire namespace0.0 --evict=stop
	expect_retired
	expect_safe retired
	restore namespace0.0
	expect_exit 0
	expect_safe restored
	for point in "${points[@]}"; do
		expect "it is mounted again" grep -q content "$point/file"
	done
	retire namespace0.0 --evict=stop
	expect_retired
	holder_row hostile-mounts named stop "mount points with hostile names, and of almost 4096 bytes"
}
