/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which block devices a mounted file system uses. Private to this room. */
#ifndef RETIRE_HOLDERS_FILESYSTEM_DEVICES_H
#define RETIRE_HOLDERS_FILESYSTEM_DEVICES_H

#include <dirent.h>

#include "retire/holders/kinds.h"

/* /proc/filesystems, for filesystem_place(); the caller frees. NULL is allowed. */
char *filesystem_types(const struct root *root);

/*
 * 1 when the file system of `mount` is on a watched block device: by its own
 * number; by its sources where that number is anonymous (btrfs, bcachefs); or
 * because a part of it is there, which *part names: the log or the real-time
 * section of an XFS, the journal of an ext4. NULL: it is there itself. 0 when it
 * is elsewhere. What cannot be told is added to the unknowns; -ENOMEM.
 */
int filesystem_place(const struct root *root, struct look *look, const char *types, const struct mount *mount,
		     struct place *place, const char **part);

/* The journal of an ext4 that lies on `block`: the name of the disk of the ext4, which the caller frees, or NULL.
 */
char *filesystem_of_journal(const struct root *root, const char *block);

/* Does a file system keep its journal, and nothing else, on `block`? */
bool filesystem_journal_exists(const struct root *root, const char *block);

/*
 * Walks the btrfs that are alive; start with *cursor NULL, which is freed at
 * the end. 1: *block is the first watched device that is a member of the next
 * one, and *known says whether the look has it; 0: no more.
 */
int filesystem_next_btrfs(const struct root *root, const struct look *look, DIR **cursor, struct block *block,
			  bool *known);

#endif
