#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: recorded.sh [--update] [LIST-RECORDED]
#
# Draws the holders of the recorded trees, processes and mounts included, and
# compares with recorded/NAME; prints TAP. Where Graphviz is there, it has to
# take every graph. --update writes recorded/ anew: read the difference.
# LIST-RECORDED is build/test/helpers/list-recorded unless it is given.

set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
update=
[[ ${1-} != --update ]] || { update=yes; shift; }
program=$(realpath -e "${1:-$here/../../build/test/helpers/list-recorded}") || exit 99
trees=(fsdax two-regions modes)
dax_trees=(system-ram dax) # as daxctl has them
. "$here/tap.sh"

"$here/in-tree" fsdax true 2>/dev/null
case $? in
0) ;;
77) echo "1..0 # SKIP needs root, to mount a recorded tree over /sys"; exit 0 ;;
*) exit 99 ;;
esac
work=$(mktemp -d "${TMPDIR:-/tmp}/recorded.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT

# draw NAME TREE LOCALE COLUMNS ARG...: one drawing
draw()
{
	local name=$1 tree=$work/tree-$2
	[[ -d $tree ]] || { mkdir "$tree" && tar -xJf "$here/trees/$2.tar.xz" -C "$tree"; } || exit 99
	if ! LC_ALL=$3 COLUMNS=$4 timeout 60 "$here/in-tree" "$tree" "$program" "${@:5}" >"$work/now" 2>"$work/why" </dev/null; then
		report 'not ok' "$name"
	else
		compare_or_update "$name" "$here/recorded/$name"
	fi
}

taken_by_graphviz()
{
	if dot -Tsvg -o "$work/svg" "$work/now" 2>"$work/why" && [[ -s $work/svg && ! -s $work/why ]]; then
		report ok "$1 is taken by Graphviz"
	else
		report 'not ok' "$1 is taken by Graphviz"
	fi
}

# draw_all NAME TREE ARG...: as people may see it
draw_all()
{
	local columns
	for columns in 40 80 200; do
		draw "$1-$columns.txt" "$2" C.UTF-8 $columns "${@:3}" --tree
	done
	draw "$1-ascii.txt" "$2" C 80 "${@:3}" --tree
	draw "$1.dot" "$2" C.UTF-8 80 "${@:3}" --dot
	if command -v dot >/dev/null; then
		taken_by_graphviz "$1.dot"
	fi
}

[[ ! $update ]] || mkdir -p "$here/recorded"
for tree in "${trees[@]}"; do
	draw_all "$tree" "$tree"
done
for tree in "${dax_trees[@]}"; do
	draw_all "dax-$tree" "$tree" --dax
done
end_report
