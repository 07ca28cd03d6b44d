// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/bpf/iterate.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "util/cleanup.h"

/* As much as the kernel gathers before it answers: kernel/bpf/bpf_iter.c, bpf_seq_read(). */
enum { CHUNK = 8 * 4096 };

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

void bpf_be_quiet(void)
{
	libbpf_set_print(quiet);
}

static void cleanup_link(struct bpf_link **link)
{
	bpf_link__destroy(*link);
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

int iterate(const struct bpf_program *program, size_t size, int (*found)(void *argument, const void *record),
	    void *argument)
{
	_cleanup_(cleanup_link) struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	_cleanup_close_ int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
	_Alignas(8) char chunk[CHUNK];
	size_t length = 0, at;
	ssize_t n;
	int rc = 0;

	if (fd < 0)
		return -errno;
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
