// SPDX-License-Identifier: GPL-2.0-or-later
/* References to pages and files that name nothing in /proc/PID/{fd,maps}. */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mkholder.h"

int open_ring(void)
{
	struct io_uring_params params = { 0 };
	int ring = (int)syscall(SYS_io_uring_setup, 4, &params);

	if (ring < 0)
		fail("io_uring_setup");
	return ring;
}

static void give_to_ring(unsigned what, const void *things)
{
	if (syscall(SYS_io_uring_register, open_ring(), what, things, 1) < 0)
		fail("io_uring_register");
}

static void make_uring_file(const char *path, const char *argument)
{
	int fd = open_or_fail(path, O_RDWR);

	(void)argument;
	give_to_ring(IORING_REGISTER_FILES, &fd);
	close(fd);
}

static void make_uring_buffer(const char *path, const char *argument)
{
	struct iovec part = { .iov_len = (size_t)number_or(argument, 4096) };

	part.iov_base = map_or_fail(path, part.iov_len, MAP_SHARED);
	give_to_ring(IORING_REGISTER_BUFFERS, &part);
	munmap(part.iov_base, part.iov_len);
}

/* One page of it into a pipe that nobody reads; `ends` are its two. */
static struct iovec pin_first_page(const char *path, const char *argument, int ends[2])
{
	struct iovec map = { .iov_len = (size_t)number_or(argument, 4096) }, page;

	map.iov_base = map_or_fail(path, map.iov_len, MAP_SHARED);
	page = (struct iovec){ map.iov_base, 4096 };
	if (pipe(ends) < 0 || vmsplice(ends[1], &page, 1, 0) < 0)
		fail("vmsplice");
	return map;
}

static void make_pin(const char *path, const char *argument)
{
	int ends[2];

	pin_first_page(path, argument, ends);
}

static void make_invisible_pin(const char *path, const char *argument)
{
	int ends[2];
	struct iovec map = pin_first_page(path, argument, ends);

	munmap(map.iov_base, map.iov_len);
}

static void make_flight_pinned(const char *path, const char *argument)
{
	int ends[2];
	struct iovec map = pin_first_page(path, argument, ends);

	munmap(map.iov_base, map.iov_len);
	close(ends[1]);
	send_away(ends[0]);
}

const struct kind kinds_pins[] = {
	{ "uring-file", make_uring_file, true, "a file registered with io_uring, and closed" },
	{ "uring-buffer", make_uring_buffer, true,
	  "a mapping registered as a buffer with io_uring, and unmapped" },
	{ "pin", make_pin, true, "a page of a mapping, spliced into a pipe" },
	{ "invisible-pin", make_invisible_pin, true,
	  "a page of a file in a pipe; mapping and descriptor are gone" },
	{ "flight-pinned", make_flight_pinned, true,
	  "a page of a file in a pipe that is in flight over a socket" },
	{ 0 },
};
