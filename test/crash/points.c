// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The system calls of the program that change files of its own, its clock and
 * its dice, intercepted by the linker (--wrap): those that write are points,
 * those that wait take no time.
 */
#include "test/crash/points.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "retire/kernel-log.h"
#include "test/crash/model-machine.h"
#include "util/child.h"

struct points *points;

void points_make(void)
{
	points = mmap(NULL, sizeof(*points), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (points == MAP_FAILED)
		abort();
	points_clear();
}

void points_clear(void)
{
	uint64_t time_us = points->time_us;
	unsigned chance = points->chance;
	bool trace = points->trace;

	*points = (struct points){ .cut = POINT_NEVER, .fault = POINT_NEVER, .meet = POINT_NEVER };
	points->kinds = POINT_EFFECT;
	points->time_us = time_us;
	points->chance = chance;
	points->trace = trace;
}

static void meet(void)
{
	struct points saved = *points;

	points->armed = false;
	saved.meeting(saved.argument);
	saved.time_us = points->time_us;
	saved.chance = points->chance;
	*points = saved;
}

static void die(void)
{
	points->dead = true;
	if (points->by_exit)
		_exit(POINT_DIED);
}

int point_pass(enum point_kind kind, const char *what, const char *about)
{
	long here = points->now;

	if (!points->armed)
		return 0;
	if (points->dead)
		return -EIO;
	if (points->trace)
		fprintf(stderr, "    %3ld %s %s\n", here, what, about);
	if (here == points->cut || here == points->fault)
		snprintf(points->last, sizeof(points->last), "%s %s", what, about);
	if (here < POINTS_SEEN)
		points->seen[here] = what;
	points->now++;
	if (here == points->meet || (points->meet_always && here > points->meet))
		meet();
	if (here == points->cut) {
		die();
		return -EIO;
	}
	if (!(points->kinds & kind))
		return 0;
	if (here == points->fault || (points->lasting && points->failed)) {
		points->failed = true;
		return points->error;
	}
	return 0;
}

static int file_point(const char *what, const char *about)
{
	int rc = point_pass(POINT_FILE, what, about);

	if (rc < 0)
		errno = -rc;
	return rc < 0 ? -1 : 0;
}

ssize_t __real_write(int fd, const void *data, size_t length);
ssize_t __wrap_write(int fd, const void *data, size_t length);
int __real_mkdirat(int directory, const char *name, mode_t mode);
int __wrap_mkdirat(int directory, const char *name, mode_t mode);
int __real_unlinkat(int directory, const char *name, int flags);
int __wrap_unlinkat(int directory, const char *name, int flags);
int __real_ftruncate64(int fd, off_t length);
int __wrap_ftruncate64(int fd, off_t length);
int __real_openat64(int directory, const char *name, int flags, ...);
int __wrap_openat64(int directory, const char *name, int flags, ...);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);

ssize_t __wrap_write(int fd, const void *data, size_t length)
{
	/* what a disk that is full, or a program that dies, leaves of a record */
	if (points->armed && !points->dead && points->torn && points->now == points->cut)
		__real_write(fd, data, points->torn < length ? points->torn : length);
	if (file_point("write", "") < 0)
		return -1;
	return __real_write(fd, data, length);
}

int __wrap_mkdirat(int directory, const char *name, mode_t mode)
{
	return file_point("mkdir", name) < 0 ? -1 : __real_mkdirat(directory, name, mode);
}

int __wrap_unlinkat(int directory, const char *name, int flags)
{
	return file_point("unlink", name) < 0 ? -1 : __real_unlinkat(directory, name, flags);
}

int __wrap_ftruncate64(int fd, off_t length)
{
	return file_point("truncate", "") < 0 ? -1 : __real_ftruncate64(fd, length);
}

int __wrap_openat64(int directory, const char *name, int flags, ...)
{
	int node = flags & O_PATH ? model_open_node(directory, name) : -2;
	mode_t mode = 0;
	va_list ap;

	if (node > -2)
		return node;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	if ((flags & O_CREAT) && file_point("create", name) < 0)
		return -1;
	return __real_openat64(directory, name, flags, mode);
}

/* Nothing here outlives the machine, so nothing needs a disk. */
int __wrap_fdatasync(int fd)
{
	(void)fd;
	return file_point("sync", "");
}

int __wrap_fsync(int fd)
{
	(void)fd;
	return file_point("sync", "");
}

int __real_close(int fd);
int __wrap_close(int fd);

/* Descriptors tell the model what the program still holds. */
int __wrap_close(int fd)
{
	model_closed(fd);
	return __real_close(fd);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
ssize_t __wrap_getrandom(void *data, size_t length, unsigned flags);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	/* a loop that only looks at the clock ends, too */
	points->time_us += 10;
	now->tv_sec = (time_t)(1000 + points->time_us / 1000000);
	now->tv_nsec = (long)(points->time_us % 1000000 * 1000);
	return 0;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	int n = __real_poll(fds, count, 0);

	if (n == 0 && timeout > 0)
		points->time_us += (uint64_t)timeout * 1000;
	return n;
}

/* The ids of one second are in the order in which they were made. */
ssize_t __wrap_getrandom(void *data, size_t length, unsigned flags)
{
	(void)flags;
	memset(data, 0, length);
	points->chance++;
	memcpy(data, &points->chance, sizeof(points->chance) < length ? sizeof(points->chance) : length);
	return (ssize_t)length;
}

int __wrap_kernel_log_start(struct kernel_log *log);
int __wrap_child_run(child_work *work, void *argument, int interrupt, struct deadline deadline, int *fd,
		     struct child *left);

/* The log of the kernel below is about another machine. */
int __wrap_kernel_log_start(struct kernel_log *log)
{
	log->fd = -1;
	return -ENOENT;
}

/* The journal's child: dies with the program, which is killed while it waits. */
int __wrap_child_run(child_work *work, void *argument, int interrupt, struct deadline deadline, int *fd,
		     struct child *left)
{
	int given = -1, rc = work(argument, &given);

	(void)interrupt;
	(void)deadline;
	*left = CHILD_NONE;
	if (fd)
		*fd = given;
	else if (given >= 0)
		close(given);
	return rc;
}
