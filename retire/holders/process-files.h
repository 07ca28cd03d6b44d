/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files of ours one process uses. Private to this room. */
#ifndef RETIRE_HOLDERS_PROCESS_FILES_H
#define RETIRE_HOLDERS_PROCESS_FILES_H

#include "retire/holders/dead-files.h"
#include "retire/holders/inode-set.h"
#include "retire/holders/matcher.h"

/* One use of one target; all uses of files with the same key are merged. */
struct match {
	struct target target;
	unsigned uses; /* enum use */
	char *path;    /* of the first file found; NULL when it cannot be read */
};

struct file_scan {
	const struct root *root;
	const struct matcher *matcher;
	struct inode_set plain;		/* mapped files that are known not to be ours */
	ARRAY_OF(struct match) matches; /* of the process at hand */
	struct dev_list shut_down;	/* file systems of ours that answered EIO */
	int denied;			/* negative errno of what was refused there, 0: nothing */
};

/*
 * Fills matches and denied for the process whose directory in /proc is `dir`.
 * `own`: our own process, of which only what the user gave it counts. 0 or
 * -ENOMEM. A process that ends meanwhile just has less.
 */
int file_scan_process(struct file_scan *scan, int dir, bool own);

void file_scan_free(struct file_scan *scan);

#endif
