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
#include "util/root.h"
#include "util/text.h"

#define LOCK_DIRECTORY "/run/dax-retire"

enum { OWNER = 128 };

static int open_lock(const struct root *root, bool make)
{
	_cleanup_close_ int directory = -1;
	struct stat found;
	int fd;

	if (make && mkdirat(root->fd, &LOCK_DIRECTORY[1], 0700) < 0 && errno != EEXIST)
		return -errno;
	directory = openat(root->fd, &LOCK_DIRECTORY[1], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory < 0 || fstat(directory, &found) < 0)
		return -errno;
	/* a directory that somebody else may write is no place for a lock */
	if (found.st_uid != geteuid() || (found.st_mode & 022))
		return -EPERM;
	fd = openat(directory, "lock", (make ? O_RDWR | O_CREAT : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/* "ID pid PID" as the one who has the lock wrote it. */
static void read_owner(int fd, char text[OWNER])
{
	ssize_t n = pread(fd, text, OWNER - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

static int name_owner(int fd, struct err *err)
{
	char text[OWNER], clean[256];

	read_owner(fd, text);
	return err_set(err, -EWOULDBLOCK, "another retirement is in progress (%s)",
		       *text ? printable(text, clean, sizeof(clean)) : "not known which");
}

static int write_owner(int fd, const char *id)
{
	char text[OWNER];
	int n = snprintf(text, sizeof(text), "%s pid %d\n", id, getpid());

	return ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n ? -errno : 0;
}

int lock_take(const struct root *root, const char *id, bool wait, struct deadline deadline, int interrupt,
	      struct err *err)
{
	_cleanup_close_ int fd = open_lock(root, true);
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

bool lock_is_held_by(const struct root *root, const char *id)
{
	_cleanup_close_ int fd = open_lock(root, false);
	size_t length = strlen(id);
	char text[OWNER];

	/* taken for a moment at most: whoever wants it tries for longer than that, or says who has it */
	if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0)
		return false;
	read_owner(fd, text);
	return strncmp(text, id, length) == 0 && text[length] == ' ';
}
