// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/text.h"

int root_open(struct root *root, const char *path)
{
	root->recorded = path && strcmp(path, "/") != 0;
	root->fd = open(path ? path : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root->fd < 0 ? -errno : 0;
}

void root_close(struct root *root)
{
	cleanup_close(&root->fd);
	root->fd = -1;
}

enum { RACES_MAX = 1000 };

/*
 * RESOLVE_IN_ROOT also refuses magic links such as /proc/PID/root (openat2(2)),
 * so the running machine is opened the plain way.
 */
static int root_openat(const struct root *root, const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned)flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	int fd, tries = 0;

	if (!root->recorded) {
		fd = openat(root->fd, path, flags | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	/* a ".." that meets a mount or a rename, wherever that is: openat2(2) says to try again */
	do
		fd = (int)syscall(SYS_openat2, root->fd, path, &how, sizeof(how));
	while (fd < 0 && errno == EAGAIN && ++tries < RACES_MAX);
	return fd < 0 ? -errno : fd;
}

static int path_vformat(char path[PATH_MAX], const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

static int path_vformat(char path[PATH_MAX], const char *fmt, va_list ap)
{
	int length = vsnprintf(path, PATH_MAX, fmt, ap);

	return length < 0 || length >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* Declares `path` and fills it from the variable arguments; `rc` says how it went. */
#define FORMAT_PATH(path, rc, fmt)                                                                                \
	char path[PATH_MAX];                                                                                      \
	va_list _ap;                                                                                              \
	va_start(_ap, fmt);                                                                                       \
	int rc = path_vformat(path, fmt, _ap);                                                                    \
	va_end(_ap)

int root_openf(const struct root *root, int flags, const char *fmt, ...)
{
	FORMAT_PATH(path, rc, fmt);

	return rc < 0 ? rc : root_openat(root, path, flags);
}

DIR *root_opendirf(const struct root *root, const char *fmt, ...)
{
	_cleanup_close_ int fd = -1;
	FORMAT_PATH(path, rc, fmt);
	DIR *dir;

	fd = rc < 0 ? rc : root_openat(root, path, O_RDONLY | O_DIRECTORY);
	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	dir = fdopendir(fd);
	if (dir)
		take_fd(&fd);
	return dir;
}

ssize_t read_whole(int fd, size_t max, char **text)
{
	_cleanup_free_ char *buffer = NULL;
	size_t room = 0, length = 0;

	for (;;) {
		ssize_t n;

		if (length + 1 >= room) {
			char *grown;

			room = room ? room * 2 : 4096;
			grown = realloc(buffer, room);
			if (!grown)
				return -ENOMEM;
			buffer = grown;
		}
		n = read(fd, buffer + length, room - length - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
		if (length > max)
			return -E2BIG;
	}
	buffer[length] = '\0';
	*text = take_ptr(buffer);
	return (ssize_t)length;
}

static ssize_t root_read(const struct root *root, size_t max, char **text, const char *path)
{
	_cleanup_close_ int fd = root_openat(root, path, O_RDONLY | O_NOCTTY);

	return fd < 0 ? fd : read_whole(fd, max, text);
}

ssize_t root_readf(const struct root *root, size_t max, char **text, const char *fmt, ...)
{
	FORMAT_PATH(path, rc, fmt);

	return rc < 0 ? rc : root_read(root, max, text, path);
}

enum { LINE_ROOM = 4096 };

/* Reads until a newline was seen, or the end: sysfs gives an attribute at once, and most are short. */
static ssize_t read_line(int fd, char *line)
{
	size_t length = 0;

	while (length < LINE_ROOM) {
		ssize_t n = read(fd, line + length, LINE_ROOM - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		length += (size_t)n;
		if (n == 0 || memchr(line + length - n, '\n', (size_t)n))
			return (ssize_t)length;
	}
	return -E2BIG;
}

/* The first line of an attribute, or NULL with errno set. */
static char *root_attribute(const struct root *root, const char *path)
{
	_cleanup_close_ int fd = root_openat(root, path, O_RDONLY | O_NOCTTY);
	char line[LINE_ROOM + 1];
	ssize_t n = fd < 0 ? fd : read_line(fd, line);

	if (n < 0) {
		errno = (int)-n;
		return NULL;
	}
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return strdup(line);
}

char *root_attributef(const struct root *root, const char *fmt, ...)
{
	FORMAT_PATH(path, rc, fmt);

	if (rc < 0) {
		errno = -rc;
		return NULL;
	}
	return root_attribute(root, path);
}

int root_numberf(const struct root *root, uint64_t *number, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	FORMAT_PATH(path, rc, fmt);

	if (rc < 0)
		return rc;
	text = root_attribute(root, path);
	return text ? parse_number(text, number) : -errno;
}

int root_devf(const struct root *root, dev_t *dev, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	FORMAT_PATH(path, rc, fmt);

	if (rc < 0)
		return rc;
	text = root_attribute(root, path);
	return text ? parse_dev(text, dev) : -errno;
}

static ssize_t root_readlinkat(const struct root *root, const char *path, char target[PATH_MAX])
{
	_cleanup_close_ int fd = root->recorded ? root_openat(root, path, O_PATH | O_NOFOLLOW) : -1;
	ssize_t n;

	if (root->recorded && fd < 0)
		return fd;
	n = readlinkat(root->recorded ? fd : root->fd, root->recorded ? "" : path, target, PATH_MAX - 1);
	return n < 0 ? -errno : n;
}

char *root_readlinkf(const struct root *root, const char *fmt, ...)
{
	FORMAT_PATH(path, rc, fmt);
	char target[PATH_MAX];
	ssize_t n = rc < 0 ? rc : root_readlinkat(root, path, target);

	if (n < 0) {
		errno = (int)-n;
		return NULL;
	}
	return strndup(target, (size_t)n);
}

static int root_find(const struct root *root, const char *path)
{
	_cleanup_close_ int fd = root_openat(root, path, O_PATH);

	return fd >= 0 ? 1 : fd == -ENOENT ? 0 : fd;
}

int root_findf(const struct root *root, const char *fmt, ...)
{
	FORMAT_PATH(path, rc, fmt);

	return rc < 0 ? rc : root_find(root, path);
}

bool root_existsf(const struct root *root, const char *fmt, ...)
{
	FORMAT_PATH(path, rc, fmt);

	return rc == 0 && root_find(root, path) > 0;
}
