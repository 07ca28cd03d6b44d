// SPDX-License-Identifier: GPL-2.0-or-later
/* Loop devices on a watched block device, or on a file of a watched file system. */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/major.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "retire/holders/kinds.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

/* What huge_encode_dev() of include/linux/kdev_t.h makes of a device number. */
static dev_t kernel_dev(uint64_t encoded)
{
	return makedev((encoded >> 8) & 0xfff, (encoded & 0xff) | ((encoded >> 12) & 0xfff00));
}

/* Opens the node and makes sure that it is the one that sysfs means: /dev may hold anything. */
static int open_loop(const struct root *root, const char *name, dev_t dev)
{
	_cleanup_close_ int fd = -1, node = root_openf(root, O_PATH, "/dev/%s", name);
	struct stat st;

	if (node < 0)
		return node;
	if (fstat(node, &st) < 0)
		return -errno;
	if (!S_ISBLK(st.st_mode) || st.st_rdev != dev)
		return -ENXIO;
	fd = root_openf(root, O_RDONLY | O_NONBLOCK, "/dev/%s", name);
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISBLK(st.st_mode) || st.st_rdev != dev))
		return -ENXIO;
	return take_fd(&fd);
}

/* Where the backing is. 1: on a watched place; 0: elsewhere; or a negative errno. */
static int place_of_status(const struct look *look, const struct loop_info64 *info, struct place *place)
{
	dev_t device = kernel_dev(info->lo_device), rdevice = kernel_dev(info->lo_rdevice);
	const struct holder *filesystem = look_filesystem(look, device);

	/* loop_get_status() gives lo_rdevice of a regular file as 0, or as its st_dev on older kernels */
	if (rdevice && rdevice != device)
		return place_of_dev(look, rdevice, place);
	if (!filesystem)
		return place_of_dev(look, device, place);
	*place = (struct place){ .device = filesystem->device, .on = filesystem->id };
	return 1;
}

/* What the kernel says of it (`info`: zero for a recorded tree) tells where it stands. */
static int find_backing(const struct root *root, const struct look *look, const char *name, dev_t dev,
			struct loop_info64 *info, struct place *place)
{
	_cleanup_free_ char *backing = NULL;
	_cleanup_close_ int fd = -1;

	memset(info, 0, sizeof(*info));
	if (root->recorded) {
		backing = root_attributef(root, "/sys/block/%s/loop/backing_file", name);
		return backing && place_of_path(root, look, backing, place);
	}
	fd = open_loop(root, name, dev);
	if (fd < 0)
		return fd;
	if (ioctl(fd, LOOP_GET_STATUS64, info) < 0)
		return errno == ENXIO ? 0 : -errno; /* ENXIO: unbound meanwhile */
	return place_of_status(look, info, place);
}

static bool flag(const struct root *root, const char *name, const char *attribute)
{
	uint64_t value;

	return root_numberf(root, &value, "/sys/block/%s/%s", name, attribute) == 0 && value;
}

static uint64_t number(const struct root *root, const char *name, const char *attribute)
{
	uint64_t value;

	return root_numberf(root, &value, "/sys/block/%s/%s", name, attribute) == 0 ? value : 0;
}

/* Does the path of it that the kernel gives lead to it, seen from here? */
static bool leads_back(const struct root *root, const struct loop *loop, const struct loop_info64 *info)
{
	struct stat st;

	if (root->recorded)
		return loop->path;
	if (!loop->path || !is_plain_path(loop->path) || fstatat(root->fd, loop->path + 1, &st, 0) < 0)
		return false;
	if (S_ISBLK(st.st_mode))
		return st.st_rdev == kernel_dev(info->lo_rdevice);
	return S_ISREG(st.st_mode) && st.st_dev == kernel_dev(info->lo_device) && st.st_ino == info->lo_inode;
}

static void describe(const struct root *root, const struct loop_info64 *info, struct holder *holder)
{
	struct loop *loop = &holder->loop;
	const char *name = holder->name;

	loop->path = root_attributef(root, "/sys/block/%s/loop/backing_file", name);
	loop->file = !loop->path || !starts_with(loop->path, "/dev/");
	loop->inode = info->lo_inode;
	loop->offset = number(root, name, "loop/offset");
	loop->size_limit = number(root, name, "loop/sizelimit");
	loop->block_size = (unsigned)number(root, name, "queue/logical_block_size");
	loop->read_only = flag(root, name, "ro");
	loop->partitions = flag(root, name, "loop/partscan");
	loop->direct_io = flag(root, name, "loop/dio");
	loop->autoclear = flag(root, name, "loop/autoclear");
	if (!leads_back(root, loop, info))
		holder->refusal =
			"its file cannot be found by its name (deleted, or in another mount namespace), so "
			"that it could not be put back; detach it by hand: losetup -d";
}

static int add_loop(const struct root *root, struct look *look, const char *name)
{
	struct loop_info64 info;
	struct place place, there;
	struct holder *holder;
	dev_t dev;
	int rc;

	if (!starts_with(name, "loop") || !root_existsf(root, "/sys/block/%s/loop", name) ||
	    root_devf(root, &dev, "/sys/block/%s/dev", name) < 0 || major(dev) != LOOP_MAJOR ||
	    place_of_dev(look, dev, &there))
		return 0;
	rc = find_backing(root, look, name, dev, &info, &place);
	if (rc < 0)
		return add_unknown_once(look, name, strerror(-rc));
	if (rc == 0)
		return 0;
	holder = look_add_holder(look, HOLDER_LOOP, place.device, place.on, "%s", name);
	if (!holder)
		return -ENOMEM;
	holder->dev = dev;
	describe(root, &info, holder);
	return 1;
}

/* One pass over all loop devices. */
static int add_loops(const struct root *root, struct look *look)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, "/sys/block");
	struct dirent *entry;
	int rc, added = 0;

	while (dir && (entry = readdir(dir))) {
		rc = add_loop(root, look, entry->d_name);
		if (rc < 0)
			return rc;
		added += rc;
	}
	return added;
}

/* A loop device may stand on another one, in any order of names. */
static int probe_loops(const struct root *root, struct look *look, struct err *err)
{
	int rc, added = 0;

	do {
		rc = add_loops(root, look);
		if (rc < 0)
			return err_errno(err, rc, "cannot list loop devices");
		added += rc;
	} while (rc > 0);
	return added;
}

const struct holder_kind kind_loop = {
	.type = HOLDER_LOOP,
	.name = "loop",
	.probe = probe_loops,
	.stacks = true,
	.lifted_by = EVICT_STOP,
	.before = { STEP_KILL, STEP_AWAIT_EXIT },
	.after = { STEP_LOOP_DETACH },
};
