/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One message, with or without a descriptor, over a SOCK_SEQPACKET pair
 * between two processes of this program.
 */
#ifndef UTIL_SOCKET_H
#define UTIL_SOCKET_H

#include <stddef.h>
#include <sys/types.h>

/* At most 256 bytes; `fd` -1: none. 0 or a negative errno; never raises SIGPIPE. */
int socket_send(int socket, const void *data, size_t size, int fd);

/* Bytes received, 0 at the end, or a negative errno. *fd: the descriptor (O_CLOEXEC) or -1; the caller closes it.
 */
ssize_t socket_receive(int socket, void *data, size_t size, int *fd);

#endif
