// SPDX-License-Identifier: GPL-2.0-or-later
/* What watches a file, or has a lock on it: some of it holds the file, some does not. */
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mkholder.h"

static void make_lock(const char *path, const char *argument)
{
	struct flock lock = { .l_type = F_WRLCK };
	int fd = open_or_fail(path, O_RDWR);

	(void)argument;
	if (flock(fd, LOCK_EX) < 0 || fcntl(fd, F_SETLK, &lock) < 0)
		fail("lock");
}

static void make_lease(const char *path, const char *argument)
{
	(void)argument;
	if (fcntl(open_or_fail(path, O_RDONLY), F_SETLEASE, F_RDLCK) < 0)
		fail("lease");
}

static void make_inotify(const char *path, const char *argument)
{
	(void)argument;
	if (inotify_add_watch(inotify_init1(IN_CLOEXEC), path, IN_ALL_EVENTS) < 0)
		fail("inotify");
}

static void mark(const char *path, unsigned flags)
{
	int fd = fanotify_init(FAN_CLASS_NOTIF, O_RDONLY);

	if (fd < 0 || fanotify_mark(fd, FAN_MARK_ADD | flags, FAN_OPEN, AT_FDCWD, path) < 0)
		fail("fanotify");
}

static void make_fanotify(const char *path, const char *argument)
{
	(void)argument;
	mark(path, 0);
}

/* An event that nobody has read has the file, with its mount. */
static void make_fanotify_event(const char *path, const char *argument)
{
	(void)argument;
	mark(path, FAN_MARK_MOUNT);
	close(open_or_fail(path, O_RDONLY));
}

static void make_epoll(const char *path, const char *argument)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd;

	(void)argument;
	if (mkfifo(path, 0600) < 0)
		fail("mkfifo");
	fd = open_or_fail(path, O_RDWR);
	if (epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, fd, &event) < 0)
		fail("epoll");
	close(fd);
}

const struct kind kinds_watches[] = {
	{ "lock", make_lock, true, "locks, by flock(2) and fcntl(2)" },
	{ "lease", make_lease, true, "a read lease" },
	{ "inotify", make_inotify, true, "an inotify watch" },
	{ "fanotify", make_fanotify, true, "a fanotify mark" },
	{ "fanotify-event", make_fanotify_event, true, "a fanotify event that nobody reads" },
	{ "epoll", make_epoll, true, "a FIFO that is waited for with epoll, and closed" },
	{ 0 },
};
