/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A unix socket that is bound to a file keeps that file and its mount, and its
 * descriptor shows nothing but "socket:[…]". Private to this room.
 */
#ifndef RETIRE_HOLDERS_BOUND_SOCKETS_H
#define RETIRE_HOLDERS_BOUND_SOCKETS_H

#include <sys/types.h>

#include "retire/holders/inode-set.h"

/* Sockets that have a name, in the network namespaces that were looked at. */
struct bound_sockets {
	struct inode_set namespaces, named;
	pid_t learned; /* that of this thread is among them; 0: look again */
};

/*
 * The file that socket `ino` is bound to, as an O_PATH descriptor. It is
 * descriptor `name` in `dir`, /proc/…/fd of `thread`. -ENOENT: it is bound to
 * none, or gone; -ENOMEM; else it cannot be told.
 */
int bound_socket_open(struct bound_sockets *sockets, pid_t thread, int dir, const char *name, uint64_t ino);

void bound_sockets_free(struct bound_sockets *sockets);

#endif
