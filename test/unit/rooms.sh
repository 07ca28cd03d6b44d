#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The check of rooms fails where it should: each line plants one #include.
#
#   rooms.sh TREE

set -eu
tree=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for folder in util retire ndctl daxctl cxl cli; do
	cp -r "$tree/$folder" "$scratch/"
done
"$tree/scripts/check-rooms" "$scratch"

refuses()
{
	local file=$1 include=$2
	cp "$tree/$file" "$scratch/$file"
	echo "#include $include" >>"$scratch/$file"
	if "$tree/scripts/check-rooms" "$scratch" 2>/dev/null; then
		echo "$file may include $include" >&2
		exit 1
	fi
	cp "$tree/$file" "$scratch/$file"
}

refuses retire/plan.c '<unistd.h>'
refuses retire/plan-vetoes.c '"util/root.h"'
refuses retire/model.c '<fcntl.h>'
refuses retire/holders/mount.c '<ndctl/libndctl.h>'
refuses retire/holders/process.c '"retire/effects.h"'
refuses retire/steps/unmount.c '"retire/effects-system.h"'
refuses retire/targets/pmem.c '"retire/holders/holders.h"'
refuses retire/report-json.c '"retire/effects.h"'
refuses util/text.c '"retire/model.h"'
refuses ndctl/retire-namespace.c '"retire/plan.h"'
touch "$scratch/retire/stray.c"
if "$tree/scripts/check-rooms" "$scratch" 2>/dev/null; then
	echo "a file that is in no room is let through" >&2
	exit 1
fi
