/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every mount namespace of the machine. Private to this room. */
#ifndef RETIRE_HOLDERS_NAMESPACES_H
#define RETIRE_HOLDERS_NAMESPACES_H

#include "retire/model.h"

/*
 * Adds those that are not yet in look->namespaces, our own first. `proc` is a
 * descriptor of /proc. *pids gets, for each namespace by its index, a process
 * that lives in it, 0 where none was seen; the caller frees it. *walked: the
 * kernel has listed all, also those without a process. 0 or a negative errno.
 */
int namespaces_find(struct look *look, int proc, pid_t **pids, bool *walked);

/* Index of the namespace with this inode number, or -ENOENT. */
int namespaces_index(const struct look *look, uint64_t ino);

/* Adds one by a descriptor of its file, which it takes over. Its index or a negative errno. */
int namespaces_add(struct look *look, uint64_t ino, int fd);

/* A recorded tree has one namespace, without a descriptor. */
int namespaces_recorded(struct look *look);

#endif
