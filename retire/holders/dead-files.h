/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of file systems that answer no more. Private to this room. */
#ifndef RETIRE_HOLDERS_DEAD_FILES_H
#define RETIRE_HOLDERS_DEAD_FILES_H

#include <sys/types.h>

#include "util/array.h"

struct root;

/* Device numbers, each once. */
struct dev_list {
	ARRAY_OF(dev_t) list;
};

int dev_list_add(struct dev_list *list, dev_t dev); /* 0 or -ENOMEM */
void dev_list_free(struct dev_list *list);

/*
 * The st_dev of the file that the link `name` in `dir` (of /proc/PID) leads
 * to, where stat(2) answers EIO. Opens nothing of it. 0 or a negative errno.
 */
int dead_file_dev(int dir, const char *name, dev_t *dev);

/*
 * The numbers of all block devices of BLOCK_EXT_MAJOR (every pmem disk has
 * one of these) that processes have files of. 0 or a negative errno.
 */
int dead_files_list(const struct root *root, struct dev_list *devs);

#endif
