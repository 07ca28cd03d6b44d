// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An md array is stopped by one ioctl, and assembled by three: the version of
 * its metadata, each member, run. All else the kernel reads from the members
 * (drivers/md/md.c), and refuses one of another array. mdadm does no more.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/major.h>
#include <linux/raid/md_u.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "retire/effects-stack.h"
#include "retire/effects-system.h"
#include "util/cleanup.h"
#include "util/root.h"

/* Is it the one, and running? 1 yes; 0: nothing runs there; -EADDRINUSE: another one. */
static int is_it(int fd, const struct md *md)
{
	mdu_array_info_t info;

	if (ioctl(fd, GET_ARRAY_INFO, &info) < 0)
		return errno == ENODEV ? 0 : -errno;
	return info.level == md->level && (unsigned)info.raid_disks == md->raid_disks &&
			       (uint32_t)info.ctime == md->created
		       ? 1
		       : -EADDRINUSE;
}

static bool is_in_sysfs(const struct holder *stack)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/block/%s/md", stack->name);
	return access(path, F_OK) == 0;
}

int md_stop(void *argument, int *none)
{
	const struct holder *stack = argument;
	_cleanup_close_ int fd = -1;
	int rc;

	(void)none;
	/* its node, opened, would make it anew */
	if (!is_in_sysfs(stack))
		return 1;
	/* refused while it has a file system, a table or swap on it */
	fd = effects_open_block(stack->name, stack->dev, O_RDONLY | O_EXCL);
	if (fd < 0)
		return fd;
	rc = is_it(fd, &stack->md);
	if (rc != 1)
		return rc == 0 ? 1 : rc;
	return fsync(fd) < 0 || ioctl(fd, STOP_ARRAY, NULL) < 0 ? -errno : 0;
}

/* The module may have to be told to make it; without that the node does. */
static void make_it(const struct holder *stack)
{
	_cleanup_close_ int fd = -1;
	ssize_t written;

	if (is_in_sysfs(stack))
		return;
	fd = open("/sys/module/md_mod/parameters/new_array", O_WRONLY | O_CLOEXEC);
	written = fd < 0 ? -1 : write(fd, stack->name, strlen(stack->name));
	(void)written;
}

static bool is_member(const struct md *md, dev_t dev)
{
	array_each(lower, &md->lower)
		if (lower->dev == dev)
			return true;
	return false;
}

/* Does nothing but members of ours wait under its name, as after an assembly that was cut short? */
static bool has_only_ours(const struct holder *stack)
{
	_cleanup_(root_close) struct root root = { .fd = -1 };
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	dev_t dev;

	if (root_open(&root, NULL) < 0)
		return false;
	dir = root_opendirf(&root, "/sys/block/%s/slaves", stack->name);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' &&
		    (root_devf(&root, &dev, "/sys/block/%s/slaves/%s/dev", stack->name, entry->d_name) < 0 ||
		     !is_member(&stack->md, dev)))
			return false;
	return dir;
}

static int set_version(int fd, const struct holder *stack)
{
	mdu_array_info_t info = { .major_version = (int)stack->md.major, .minor_version = (int)stack->md.minor };

	if (ioctl(fd, SET_ARRAY_INFO, &info) == 0)
		return 0;
	if (errno != EBUSY || !has_only_ours(stack) || ioctl(fd, STOP_ARRAY, NULL) < 0)
		return -errno;
	return ioctl(fd, SET_ARRAY_INFO, &info) < 0 ? -errno : 0;
}

static int add_members(int fd, const struct md *md)
{
	array_each(lower, &md->lower) {
		mdu_disk_info_t disk = { .major = (int)major(lower->dev), .minor = (int)minor(lower->dev) };

		if (ioctl(fd, ADD_NEW_DISK, &disk) < 0)
			return errno == EINVAL ? -ESTALE : -errno;
	}
	return 0;
}

static int assemble(int fd, const struct holder *stack)
{
	int rc = set_version(fd, stack);

	rc = rc < 0 ? rc : add_members(fd, &stack->md);
	if (rc == 0 && ioctl(fd, RUN_ARRAY, NULL) < 0)
		rc = -errno;
	if (rc == 0)
		rc = is_it(fd, &stack->md) == 1 ? 0 : -ESTALE;
	if (rc == 0 && stack->md.read_only && ioctl(fd, STOP_ARRAY_RO, NULL) < 0)
		rc = -errno;
	if (rc < 0) {
		ioctl(fd, STOP_ARRAY, NULL);
		return rc;
	}
	/* its partitions, if it has any */
	ioctl(fd, BLKRRPART);
	return 0;
}

int md_assemble(void *argument, int *none)
{
	const struct holder *stack = argument;
	struct deadline patience = deadline_in(5000);
	_cleanup_close_ int fd = -1;
	int rc;

	(void)none;
	make_it(stack);
	fd = effects_open_block(stack->name, stack->dev, O_RDWR);
	if (fd < 0)
		return fd;
	/* udev may be at it, too, member by member (64-md-raid-assembly.rules) */
	do {
		rc = is_it(fd, &stack->md);
		if (rc == 0)
			rc = assemble(fd, stack);
	} while (rc == -EBUSY && !deadline_passed(patience) && wait_readable(-1, -1, deadline_in(200)) != -EINTR);
	return rc;
}
