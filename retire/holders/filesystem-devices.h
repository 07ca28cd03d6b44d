/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which block devices a mounted file system uses. Private to this room. */
#ifndef RETIRE_HOLDERS_FILESYSTEM_DEVICES_H
#define RETIRE_HOLDERS_FILESYSTEM_DEVICES_H

#include "retire/holders/kinds.h"

/* /proc/filesystems, for filesystem_place(); the caller frees. NULL is allowed. */
char *filesystem_types(const struct root *root);

/*
 * True when the file system of `mount` is on a watched block device: by its
 * own number; by its sources where that number is anonymous (btrfs, bcachefs);
 * or because XFS keeps its log or its real-time section there.
 */
bool filesystem_place(const struct root *root, const struct look *look, const char *types,
		      const struct mount *mount, struct place *place);

#endif
