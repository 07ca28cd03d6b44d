#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: completion.sh [PROGRAM]
#
# What bash offers for a line that is typed, where /sys is a recorded tree.
# Prints TAP. PROGRAM is build/cli/dax-retire unless it is given.

set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
program=$(realpath -e "${1:-$here/../../build/cli/dax-retire}") || exit 99

# In the tree: what is offered for the line, one a line
if [[ ${2-} == --inside ]]; then
	. "$here/../../contrib/completion/dax-retire"
	# outside of a completion there is nothing that it could set
	compopt() { :; }
	COMP_LINE=$3
	COMP_POINT=${#3}
	_dax_retire
	printf '%s\n' "${COMPREPLY[@]}"
	exit
fi

. "$here/tap.sh"
"$here/in-tree" devdax true 2>/dev/null
case $? in
0) ;;
77) echo "1..0 # SKIP needs root, to mount a recorded tree over /sys"; exit 0 ;;
*) exit 99 ;;
esac
work=$(mktemp -d "${TMPDIR:-/tmp}/completion.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
ln -s "$program" "$work/dax-retire"

# offers TREE LINE WORD...: for LINE, behind the program's name, these are offered and no others
offers()
{
	local tree=$1 line=$2 offered
	shift 2
	offered=$(PATH=$work:/usr/bin:/bin "$here/in-tree" "$tree" "$here/completion.sh" "$program" --inside \
		"dax-retire $line" 2>"$work/why" | sed 's/ *$//' | sort | paste -sd ' ')
	echo "# offered: $offered" >>"$work/why"
	if [[ $offered == "$(printf '%s\n' "$@" | sort | paste -sd ' ')" ]]; then
		report ok "$tree: '$line'"
	else
		report 'not ok' "$tree: '$line'"
	fi
}

offers devdax 'daxctl retire-d' retire-device
offers devdax 'daxctl list-h' list-holders
offers devdax 'daxctl retire-device ' all dax0.0
offers devdax 'daxctl retire-device --force d' dax0.0
offers devdax 'daxctl list-holders ' all dax0.0
offers modes 'daxctl list-holders ' all
offers devdax 'daxctl retire-device --e' --each --events --evict=
offers devdax 'daxctl retire-device --evict=' none stop term kill
offers devdax 'daxctl retire-device --allow=incomplete,unm' incomplete,unmovable-zone
offers devdax 'daxctl list-holders --b'
offers devdax 'ndctl retire-namespace n' namespace0.0 namespace0.1
offers devdax 'ndctl retire-region ' all region0
offers devdax 'ndctl list-holders r' region0
end_report
