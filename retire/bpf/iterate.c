// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/bpf/iterate.h"

#include <bpf/skel_internal.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "util/cleanup.h"

/* As much as the kernel gathers before it answers: kernel/bpf/bpf_iter.c, bpf_seq_read(). */
enum { CHUNK = 8 * 4096 };

static int start(int program)
{
	_cleanup_close_ int link = skel_link_create(program, 0, BPF_TRACE_ITER);
	union bpf_attr attr = { .iter_create.link_fd = (uint32_t)link };
	int fd = link < 0 ? -1 : skel_sys_bpf(BPF_ITER_CREATE, &attr, sizeof(attr.iter_create));

	return fd < 0 ? -errno : fd;
}

/* After a million things of which none was written it says EAGAIN, so that it can be interrupted. */
static ssize_t read_chunk(int fd, char *to, size_t room)
{
	ssize_t n;

	do {
		n = read(fd, to, room);
	} while (n < 0 && (errno == EAGAIN || errno == EINTR));
	return n < 0 ? -errno : n;
}

int iterate(int program, size_t size, int (*found)(void *argument, const void *record), void *argument)
{
	_cleanup_close_ int fd = start(program);
	_Alignas(8) char chunk[CHUNK];
	size_t length = 0, at;
	ssize_t n;
	int rc = 0;

	if (fd < 0)
		return fd;
	while (rc == 0 && (n = read_chunk(fd, chunk + length, sizeof(chunk) - length)) != 0) {
		if (n < 0)
			return (int)n;
		length += (size_t)n;
		for (at = 0; rc == 0 && length - at >= size; at += size)
			rc = found(argument, chunk + at);
		length -= at;
		memmove(chunk, chunk + at, length);
	}
	return rc < 0 || !length ? rc : -EIO;
}
