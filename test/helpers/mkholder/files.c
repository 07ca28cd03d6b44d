// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mkholder.h"

static void make_open(const char *path, const char *argument)
{
	(void)argument;
	open_or_fail(path, O_RDONLY);
}

static void make_open_path(const char *path, const char *argument)
{
	(void)argument;
	open_or_fail(path, O_PATH);
}

static void make_deleted(const char *path, const char *argument)
{
	(void)argument;
	open_or_fail(path, O_RDWR | O_CREAT);
	if (unlink(path) < 0)
		fail("unlink");
}

static void make_dups(const char *path, const char *argument)
{
	int fd = open_or_fail(path, O_RDONLY);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	for (long left = number_or(argument, 1); left > 1; left--)
		if (dup(fd) < 0)
			fail("dup");
}

static void make_write(const char *path, const char *argument)
{
	int fd = open_or_fail(path, O_WRONLY | O_CREAT | O_APPEND);
	char block[512];

	(void)argument;
	memset(block, 'w', sizeof(block));
	ready();
	for (;;) {
		if (write(fd, block, sizeof(block)) < 0 || fdatasync(fd) < 0)
			fail("write");
		usleep(1000);
	}
}

const struct kind kinds_files[] = {
	{ "open", make_open, true, "an open descriptor" },
	{ "open-path", make_open_path, true, "an O_PATH descriptor" },
	{ "open-deleted", make_deleted, true, "a file that is made, opened and unlinked" },
	{ "dup-many", make_dups, true, "NUMBER descriptors of one file" },
	{ "write", make_write, true, "appends and syncs in a loop" },
	{ 0 },
};
