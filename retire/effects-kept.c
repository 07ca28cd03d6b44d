// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/effects-kept.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/text.h"

#define KEPT "/run/dax-retire/kept"

static bool is_mount_point(int fd)
{
	struct statx found;

	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &found) == 0 &&
	       (found.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static int open_kept(void)
{
	int fd = open(KEPT, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* A mount below one that is shared would come up in every mount namespace, and could not be moved away again. */
static int make_kept(void)
{
	_cleanup_close_ int fd = -1;

	if (mkdir(KEPT, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open_kept();
	if (fd < 0 || is_mount_point(fd))
		return take_fd(&fd);
	if (mount(KEPT, KEPT, NULL, MS_BIND, NULL) < 0)
		return -errno;
	if (mount(NULL, KEPT, NULL, MS_PRIVATE, NULL) < 0)
		return -errno;
	return open_kept();
}

int kept_hang(int tree, uint64_t id)
{
	_cleanup_close_ int directory = make_kept();
	char name[32];
	struct stat found;
	int rc;

	if (directory < 0)
		return directory;
	snprintf(name, sizeof(name), "%" PRIu64, id);
	if (fstat(tree, &found) < 0)
		return -errno;
	/* a bind mount can be of a single file */
	rc = S_ISDIR(found.st_mode) ? mkdirat(directory, name, 0700) : mknodat(directory, name, S_IFREG | 0600, 0);
	if (rc < 0 && errno != EEXIST)
		return -errno;
	return move_mount(tree, "", directory, name, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

int kept_find(uint64_t id)
{
	_cleanup_close_ int directory = open_kept(), fd = -1;
	char name[32];

	if (directory < 0)
		return -ENOENT;
	snprintf(name, sizeof(name), "%" PRIu64, id);
	fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && is_mount_point(fd) ? take_fd(&fd) : -ENOENT;
}

static int forget_one(int directory, const char *name)
{
	struct stat found;

	if (fchdir(directory) < 0)
		return -errno;
	while (umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	if (fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return unlinkat(directory, name, S_ISDIR(found.st_mode) ? AT_REMOVEDIR : 0) < 0 ? -errno : 0;
}

int kept_forget(void)
{
	int fd = open(KEPT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), rc = 0;
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	uint64_t id;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((entry = readdir(dir)))
		if (parse_number(entry->d_name, &id) == 0 && forget_one(fd, entry->d_name) < 0)
			rc = -EBUSY;
	/* the caller is a child of its own: nobody else's working directory changes */
	if (chdir("/") < 0)
		return -errno;
	while (umount2(KEPT, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	return rmdir(KEPT) < 0 && errno != ENOENT ? -errno : rc;
}
