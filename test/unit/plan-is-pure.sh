#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# plan-is-pure.sh LIBPLAN.a: the plan does no I/O, reads no clock and calls no
# library. Its objects may need memory and string functions, what compilers
# add for checks, each other, and those functions of the project that only
# look at plain data.
set -eu
export LC_ALL=C

memory='malloc|calloc|realloc|reallocarray|free'
strings='(mem|str)[a-z]+|v?snprintf'
checks="__(($strings)_chk|stack_chk_(fail|guard))|__(asan|ubsan|gcov)_[a-z0-9_]+|_GLOBAL_OFFSET_TABLE_"
data='array_grow|mount_why_once|device_has_pages|device_is_burned|cxl_has_cards|process_owner|holder_lowers|references_where|look_(holder|references|rests_on|is_on_disk|is_pinned_mount|on_name|filesystem|place)|evict_level_name|memory_(online|online_outside|used|use_name|zone_name)|kernel_mounted_unbind|kernel_dead_filesystem'
allowed="$memory|$strings|$checks|$data"

# What the objects of $1 need from elsewhere; nm answers "SYMBOL U" and "SYMBOL T ADDRESS SIZE".
needs()
{
	nm -P "$1" >"$scratch/symbols"
	awk 'NF > 1 && $2 ~ /^[UTDBRVW]$/ { if ($2 == "U") needed[$1]; else here[$1] }
		END { for (name in needed) if (!(name in here)) print name }' "$scratch/symbols" | sort
}

impure()
{
	needs "$1" | grep -Evx "$allowed" || true
}

# A check that cannot fail proves nothing: plants a call of $2 in the archive $1.
plant()
{
	printf 'int %s(void);\nint planted(void);\nint planted(void)\n{\n\treturn %s();\n}\n' "$2" "$2" >"$scratch/planted.c"
	# word splitting: CC may have options
	${CC:-cc} -w -fno-builtin -c "$scratch/planted.c" -o "$scratch/planted.o"
	rm -f "$1"
	ar cr "$1" "$scratch/planted.o"
}

expect_planted()
{
	plant "$scratch/planted.a" "$1"
	[ "$(impure "$scratch/planted.a")" = "$2" ] && return
	echo "plan-is-pure: the check itself is wrong about $1()" >&2
	exit 1
}

if [ $# -ne 1 ] || [ ! -r "$1" ]; then
	echo "usage: plan-is-pure.sh LIBPLAN.a" >&2
	exit 2
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for name in open memfd_create clock_gettime strdup_and_open ndctl_new look_add_holder; do
	expect_planted "$name" "$name"
done
expect_planted strdup ""

needs "$1" >"$scratch/needs"
if [ ! -s "$scratch/needs" ]; then
	echo "plan-is-pure: $1 shows no symbols" >&2
	exit 1
fi
found=$(impure "$1")
if [ -n "$found" ]; then
	echo "the plan is not pure, it needs:" >&2
	echo "$found" >&2
	exit 1
fi
