/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mounts of any mount namespace: reached, taken away and put back by a child
 * that enters the namespace. A mount is told by its id, never by its path
 * alone: what is mounted over it, or moved there meanwhile, is not touched.
 *
 * These run in a child of effects-system.c (struct child_work), since each
 * can hang in the kernel. All return 0, 1 ("not there any more" or "there
 * already"), or a negative errno.
 */
#ifndef RETIRE_EFFECTS_MOUNT_H
#define RETIRE_EFFECTS_MOUNT_H

#include "retire/model.h"

struct mount_work {
	const struct mount *mount;
	int ns;	  /* descriptor of its mount namespace */
	int kept; /* mount_attach: a detached clone to put back, or -1 */
};

/* *fd: its root, opened for reading; follows no link, crosses no other mount. */
int mount_open(void *work, int *fd);

/* umount2() of it. *fd: for a foreign mount, a detached clone of it; else -1. */
int mount_detach(void *work, int *fd);

/* Puts it back where it was, with its options and propagation. */
int mount_attach(void *work, int *fd);

#endif
