/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A set of inodes: most files are mapped by many processes, and are judged once. Private to this room. */
#ifndef RETIRE_HOLDERS_INODE_SET_H
#define RETIRE_HOLDERS_INODE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct inode_set {
	struct inode {
		dev_t dev;
		uint64_t ino; /* 0: free */
	} * slots;
	size_t count, room; /* room is 0 or a power of two */
};

bool inode_set_has(const struct inode_set *set, dev_t dev, uint64_t ino);

/* `ino` is not 0. 0 or -ENOMEM. */
int inode_set_add(struct inode_set *set, dev_t dev, uint64_t ino);

void inode_set_free(struct inode_set *set);

#endif
