// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mkholder.h"

char *map_or_fail(const char *path, size_t size, int flags)
{
	int fd = open_or_fail(path, O_RDWR | O_CREAT);
	struct stat st;
	char *map;

	if (fstat(fd, &st) < 0 ||
	    (S_ISREG(st.st_mode) && st.st_size < (off_t)size && ftruncate(fd, (off_t)size) < 0))
		fail("size");
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (map == MAP_FAILED)
		fail("mmap");
	close(fd);
	memset(map, 'm', size);
	return map;
}

static void make_map(const char *path, const char *argument)
{
	map_or_fail(path, (size_t)number_or(argument, 4096), MAP_SHARED);
}

/* Touched, its pages are the process's own; the mapping still has the file. */
static void make_map_private(const char *path, const char *argument)
{
	map_or_fail(path, (size_t)number_or(argument, 4096), MAP_PRIVATE);
}

static void make_map_deleted(const char *path, const char *argument)
{
	map_or_fail(path, (size_t)number_or(argument, 4096), MAP_SHARED);
	if (unlink(path) < 0)
		fail("unlink");
}

static void make_map_write(const char *path, const char *argument)
{
	size_t size = (size_t)number_or(argument, 4096);
	volatile char *map = map_or_fail(path, size, MAP_SHARED);

	ready();
	for (size_t i = 0;; i = (i + 64) % size)
		map[i]++;
}

static void *unserved_page(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (uffd < 0 || page == MAP_FAILED || ioctl(uffd, UFFDIO_API, &api) < 0)
		fail("userfaultfd");
	area.range.start = (uintptr_t)page;
	area.range.len = 4096;
	if (ioctl(uffd, UFFDIO_REGISTER, &area) < 0)
		fail("userfaultfd register");
	return page;
}

/* The process sleeps in write(2) soon after; nobody can tell from inside that it does. */
static void *say_ready_later(void *nothing)
{
	usleep(200 * 1000);
	ready();
	return nothing;
}

/*
 * Writes from a page that nobody ever serves. vfs_write() has taken the file
 * system's write count (sb_start_write()) when it faults on it, so a freeze
 * waits until this process is killed. A writer of DAX or direct I/O takes it
 * as well; a buffered one first tries to fault in its source while it holds
 * it. Needs CAP_SYS_PTRACE or vm.unprivileged_userfaultfd.
 */
static void make_uffd_write(const char *path, const char *argument)
{
	int fd = open_or_fail(path, O_WRONLY | O_CREAT);
	void *page = unserved_page();
	pthread_t thread;

	(void)argument;
	if (pthread_create(&thread, NULL, say_ready_later, NULL))
		fail("thread");
	write(fd, page, 4096);
	fail("write came back");
}

const struct kind kinds_maps[] = {
	{ "map", make_map, true, "a shared mapping of NUMBER bytes (4096), without a descriptor" },
	{ "map-private", make_map_private, true, "a private mapping" },
	{ "map-deleted", make_map_deleted, true, "a shared mapping of a file that is then unlinked" },
	{ "map-write", make_map_write, true, "a shared mapping, written all the time" },
	{ "uffd-write", make_uffd_write, true, "a write(2) that never ends: a freeze has to wait" },
	{ 0 },
};
