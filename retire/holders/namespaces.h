/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every mount namespace of the machine. Private to this room. */
#ifndef RETIRE_HOLDERS_NAMESPACES_H
#define RETIRE_HOLDERS_NAMESPACES_H

#include "retire/model.h"

/*
 * Adds those that are not yet in look->namespaces, our own first. `proc` is a
 * descriptor of /proc. *pids gets, for each namespace by its index, a process
 * that lives in it, 0 where none was seen; the caller frees it. 0 or a negative
 * errno.
 */
int namespaces_find(struct look *look, int proc, pid_t **pids);

/* A recorded tree has one namespace, without a descriptor. */
int namespaces_recorded(struct look *look);

#endif
