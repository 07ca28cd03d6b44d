/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks that have vanished, with something still on them. Private to this room. */
#ifndef RETIRE_HOLDERS_GONE_H
#define RETIRE_HOLDERS_GONE_H

#include "retire/holders/kinds.h"

/*
 * For each disabled device of the look: when a mount, or a superblock without
 * one, is left on a disk that it had, sets gone, blockdev and dev, so that
 * every probe finds what is there by the number of the dead disk. What is on a
 * partition of it gets that as a holder. 0 or a negative errno.
 */
int gone_find(const struct root *root, struct look *look, struct err *err);

/* Is `name` the disk of a device that calls it `disk`, or a partition of it? Both with and without a btt. */
enum disk_name { DISK_OTHER, DISK_WHOLE, DISK_PART };
enum disk_name disk_name_is(const char *name, const char *disk);

#endif
