// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A loop device is let go by LOOP_CLR_FD, which succeeds at once and takes
 * effect when the last user has closed it (drivers/block/loop.c); so it is
 * waited for, and called off when somebody stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "retire/effects-stack.h"
#include "retire/effects-system.h"
#include "util/cleanup.h"
#include "util/text.h"

/* Is it bound, and to the same file, in the same way? 1 yes; 0: not bound; -EADDRINUSE: to another. */
static int is_bound(int fd, const struct holder *stack, struct loop_info64 *info)
{
	const struct loop *loop = &stack->loop;

	if (ioctl(fd, LOOP_GET_STATUS64, info) < 0)
		return errno == ENXIO ? 0 : -errno;
	if (info->lo_offset != loop->offset || info->lo_sizelimit != loop->size_limit ||
	    (loop->file && info->lo_inode != loop->inode))
		return -EADDRINUSE;
	return 1;
}

static int set_autoclear(int fd, struct loop_info64 *info, bool wanted)
{
	info->lo_flags =
		wanted ? info->lo_flags | LO_FLAGS_AUTOCLEAR : info->lo_flags & ~(unsigned)LO_FLAGS_AUTOCLEAR;
	return ioctl(fd, LOOP_SET_STATUS64, info) < 0 ? -errno : 0;
}

static bool is_there(const struct holder *stack)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/block/%s/loop", stack->name);
	return access(path, F_OK) == 0;
}

/* Whoever has it open is on his way out, as udev is, or stays. */
static int await_gone(const struct holder *stack)
{
	_cleanup_close_ int fd = -1;
	struct loop_info64 info;
	struct deadline patience = deadline_in(2000);

	while (is_there(stack)) {
		if (deadline_passed(patience)) {
			fd = effects_open_block(stack->name, stack->dev, O_RDONLY);
			if (fd >= 0 && is_bound(fd, stack, &info) == 1)
				set_autoclear(fd, &info, stack->loop.autoclear);
			return -EBUSY;
		}
		wait_readable(-1, -1, deadline_in(20));
	}
	return 0;
}

int loop_detach(void *argument, int *none)
{
	const struct holder *stack = argument;
	struct loop_info64 info;
	int fd, rc;

	(void)none;
	if (!is_there(stack))
		return 1;
	/* refused while it has a file system, a table or swap on it */
	fd = effects_open_block(stack->name, stack->dev, O_RDONLY | O_EXCL);
	if (fd < 0)
		return fd;
	rc = is_bound(fd, stack, &info);
	if (rc == 1)
		rc = fsync(fd) < 0 || ioctl(fd, LOOP_CLR_FD, 0) < 0 ? -errno : 0;
	else if (rc == 0)
		rc = 1;
	close(fd);
	return rc ? rc : await_gone(stack);
}

static int open_backing(const struct loop *loop, dev_t *dev)
{
	int fd = open(loop->path, (loop->read_only ? O_RDONLY : O_RDWR) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat found;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &found) == 0 &&
	    (loop->file ? S_ISREG(found.st_mode) && found.st_ino == loop->inode : S_ISBLK(found.st_mode))) {
		*dev = loop->file ? found.st_dev : found.st_rdev;
		return fd;
	}
	close(fd);
	return -ESTALE;
}

static int configure(int fd, const struct loop *loop)
{
	struct loop_config config = { .block_size = loop->block_size };
	struct loop_info64 *info = &config.info;
	_cleanup_close_ int backing = -1;
	dev_t dev;

	backing = open_backing(loop, &dev);
	if (backing < 0)
		return backing;
	config.fd = (unsigned)backing;
	info->lo_offset = loop->offset;
	info->lo_sizelimit = loop->size_limit;
	info->lo_flags = (loop->read_only ? LO_FLAGS_READ_ONLY : 0U) |
			 (loop->partitions ? LO_FLAGS_PARTSCAN : 0U) |
			 (loop->direct_io ? LO_FLAGS_DIRECT_IO : 0U) | (loop->autoclear ? LO_FLAGS_AUTOCLEAR : 0U);
	snprintf((char *)info->lo_file_name, sizeof(info->lo_file_name), "%s", loop->path);
	return ioctl(fd, LOOP_CONFIGURE, &config) < 0 ? -errno : 0;
}

/* The kernel takes the device itself away only when told to, but that may have been done. */
static void add_number(const char *name)
{
	_cleanup_close_ int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	uint64_t number;

	if (control >= 0 && parse_number(name + strlen("loop"), &number) == 0 && number <= INT32_MAX)
		ioctl(control, LOOP_CTL_ADD, (int)number);
}

int loop_attach(void *argument, int *kept)
{
	const struct holder *stack = argument;
	_cleanup_close_ int fd = -1;
	struct loop_info64 info;
	int rc;

	add_number(stack->name);
	fd = effects_open_block(stack->name, stack->dev, stack->loop.read_only ? O_RDONLY : O_RDWR);
	if (fd < 0)
		return fd;
	rc = is_bound(fd, stack, &info);
	/* a detach that was called off, or was not, may have left its mark */
	if (rc == 1 && !(info.lo_flags & LO_FLAGS_AUTOCLEAR) == stack->loop.autoclear)
		rc = set_autoclear(fd, &info, stack->loop.autoclear) < 0 ? -EBUSY : 1;
	if (rc == 0)
		rc = configure(fd, &stack->loop);
	if (rc >= 0 && stack->loop.autoclear)
		*kept = take_fd(&fd);
	return rc;
}
