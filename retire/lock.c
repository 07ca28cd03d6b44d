// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/text.h"

#define LOCK_DIRECTORY "/run/dax-retire"

static int open_lock(void)
{
	_cleanup_close_ int directory = -1;
	struct stat found;
	int fd;

	if (mkdir(LOCK_DIRECTORY, 0700) < 0 && errno != EEXIST)
		return -errno;
	directory = open(LOCK_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory < 0 || fstat(directory, &found) < 0)
		return -errno;
	/* a directory that somebody else may write is no place for a lock */
	if (found.st_uid != geteuid() || (found.st_mode & 022))
		return -EPERM;
	fd = openat(directory, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/* "ID PID" as the one who has the lock wrote it. */
static int name_owner(int fd, struct err *err)
{
	char text[128] = "", clean[256];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n < 0)
		text[0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return err_set(err, -EWOULDBLOCK, "another retirement is in progress (%s)",
		       *text ? printable(text, clean, sizeof(clean)) : "not known which");
}

static int write_owner(int fd, const char *id)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "%s pid %d\n", id, getpid());

	return ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n ? -errno : 0;
}

int lock_take(const char *id, bool wait, struct deadline deadline, int interrupt, struct err *err)
{
	_cleanup_close_ int fd = open_lock();
	int rc;

	if (fd < 0)
		return err_errno(err, fd, "cannot open " LOCK_DIRECTORY "/lock");
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return err_errno(err, -errno, "cannot lock " LOCK_DIRECTORY "/lock");
		if (!wait || deadline_passed(deadline))
			return name_owner(fd, err);
		if (wait_readable(-1, interrupt, deadline_sooner(deadline, deadline_in(100))) == -EINTR)
			return err_set(err, -EINTR, "interrupted by a signal");
	}
	rc = write_owner(fd, id);
	return rc < 0 ? err_errno(err, rc, "cannot write " LOCK_DIRECTORY "/lock") : take_fd(&fd);
}
