// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A disk can vanish under its users: by an unbind, or because the DIMM fell
 * out. What was mounted stays mounted, under a device number that no live disk
 * has: /sys/dev/block has it no more. As long as a superblock keeps the dead
 * disk the number is not given anew (block/bdev.c:bdev_free_inode()), so it
 * names that disk and no other. The name proves nothing: it is given anew at
 * the next bind.
 */
#include "retire/holders/gone.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "retire/holders/dead-files.h"
#include "retire/holders/filesystem-state.h"
#include "retire/holders/mount-table.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

enum disk_name disk_name_is(const char *name, const char *disk)
{
	size_t length = strlen(disk);
	const char *rest = name + length;

	if (!length || strncmp(name, disk, length) != 0)
		return DISK_OTHER;
	/* drivers/nvdimm/namespace_devs.c:nvdimm_namespace_disk_name() */
	rest += *rest == 's' && disk[length - 1] != 's';
	if (!*rest)
		return DISK_WHOLE;
	/* block/partitions/core.c:add_partition() */
	if (isdigit((unsigned char)rest[-1]) && *rest++ != 'p')
		return DISK_OTHER;
	return *rest && !rest[strspn(rest, "0123456789")] ? DISK_PART : DISK_OTHER;
}

static bool dev_is_dead(const struct root *root, dev_t dev)
{
	return major(dev) != 0 && !root_existsf(root, "/sys/dev/block/%u:%u", major(dev), minor(dev));
}

/* A place that no probe finds by itself: the disk that held it is in sysfs no more. */
static int add_dead_place(struct look *look, int device, const char *name, dev_t dev)
{
	struct holder *holder = look_add_holder(look, HOLDER_PARTITION, device, 0, "%s", name);

	if (!holder)
		return -ENOMEM;
	holder->dev = dev;
	return 0;
}

static int set_gone(struct device *device, const char *name, dev_t dev)
{
	char *copy = strdup(name);

	if (!copy)
		return -ENOMEM;
	free(device->blockdev);
	device->blockdev = copy;
	device->dev = dev;
	device->gone = true;
	return 0;
}

static bool may_be_gone(const struct device *device)
{
	return !device->enabled && device->disk;
}

/* The first whole disk is the device's own; an earlier one of the same name is a place beside it. */
static int judge_mount(const struct root *root, struct look *look, const struct mount *mount)
{
	const char *name = mount->source + strlen("/dev/");
	struct place known;

	if (!starts_with(mount->source, "/dev/") || !dev_is_dead(root, mount->dev) ||
	    place_of_dev(look, mount->dev, &known))
		return 0;
	for (size_t i = 0; i < look->devices.count; i++) {
		struct device *device = &look->devices.items[i];
		enum disk_name is = may_be_gone(device) ? disk_name_is(name, device->disk) : DISK_OTHER;

		if (is == DISK_OTHER)
			continue;
		if (is == DISK_WHOLE && !device->dev)
			return set_gone(device, name, mount->dev);
		/* a partition alone tells that there was a disk, but not its number */
		if (!device->gone && set_gone(device, device->disk, 0) < 0)
			return -ENOMEM;
		return add_dead_place(look, (int)i, name, mount->dev);
	}
	return 0;
}

static int judge_mounts(const struct root *root, struct look *look, const struct mount_table *table)
{
	int rc = 0;

	array_each(mount, &table->mounts)
		if (rc == 0)
			rc = judge_mount(root, look, mount);
	return rc;
}

static bool is_mounted(const struct mount_table *table, const char *name)
{
	array_each(mount, &table->mounts)
		if (starts_with(mount->source, "/dev/") && strcmp(mount->source + strlen("/dev/"), name) == 0)
			return true;
	return false;
}

static bool is_mounted_dev(const struct mount_table *table, dev_t dev)
{
	array_each(mount, &table->mounts)
		if (mount->dev == dev)
			return true;
	return false;
}

/* Their other entries are no file systems. */
static bool is_dead_superblock(const struct root *root, const struct mount_table *table, const char *name)
{
	static const char *const others[] = { "stats", "debug", "features", "tuning", "queue" };

	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (strcmp(name, others[i]) == 0)
			return false;
	return name[0] != '.' && !root_existsf(root, "/sys/class/block/%s", name) && !is_mounted(table, name);
}

/* How many superblocks of the whole machine have neither a disk nor a mount. */
static size_t count_dead_superblocks(const struct root *root, const struct mount_table *table)
{
	size_t count = 0;

	for (size_t i = 0; superblock_dirs[i]; i++) {
		_cleanup_closedir_ DIR *dir = root_opendirf(root, "/sys/fs/%s", superblock_dirs[i]);
		struct dirent *entry;

		while (dir && (entry = readdir(dir)))
			count += is_dead_superblock(root, table, entry->d_name);
	}
	return count;
}

/* The number of a disk that only files of processes still show: 0 when there is none, or more than one. */
static int find_number(const struct root *root, const struct mount_table *table, dev_t *dev)
{
	_cleanup_(dev_list_free) struct dev_list devs = { { 0 } };
	int rc = root->recorded ? 0 : dead_files_list(root, &devs);
	size_t found = 0;

	*dev = 0;
	array_each(candidate, &devs.list) {
		if (!dev_is_dead(root, *candidate) || is_mounted_dev(table, *candidate))
			continue;
		*dev = found++ ? 0 : *candidate;
	}
	return rc;
}

/* "pmem0" or "pmem0s": the name of a superblock's directory, of a disk that is in sysfs no more. */
static const char *find_dead_superblock(const struct root *root, const struct mount_table *table,
					const struct device *device, struct block *block)
{
	static const char *const suffixes[] = { "", "s" };

	for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
		if (snprintf(block->name, sizeof(block->name), "%s%s", device->disk, suffixes[i]) >=
			    (int)sizeof(block->name) ||
		    !is_dead_superblock(root, table, block->name))
			continue;
		for (size_t k = 0; superblock_dirs[k]; k++)
			if (root_existsf(root, "/sys/fs/%s/%s", superblock_dirs[k], block->name))
				return superblock_dirs[k];
	}
	return NULL;
}

/*
 * No mount shows it, so its number is known only from a file that a process
 * has. Where several dead disks have such files they cannot be told apart, and
 * none is taken: the superblock is then one that nobody is seen to hold.
 */
static int judge_superblock(const struct root *root, struct look *look, const struct mount_table *table, int index)
{
	struct block block = { .place = { .device = index } };
	struct device *device = &look->devices.items[index];
	const char *fstype = find_dead_superblock(root, table, device, &block);
	int rc = 0;

	if (!fstype)
		return 0;
	if (count_dead_superblocks(root, table) == 1)
		rc = find_number(root, table, &block.dev);
	rc = rc < 0 ? rc : set_gone(device, block.name, block.dev);
	if (rc < 0 || block.dev)
		return rc;
	rc = filesystem_add_detached(look, &block, fstype);
	if (rc == 0)
		filesystem_read_dead(root, look, (int)look->holders.count);
	return rc;
}

static int find_gone(const struct root *root, struct look *look)
{
	struct mount_table table;
	int rc;

	/* a recording without this directory cannot tell the dead from the living */
	if (!root_existsf(root, "/sys/dev/block"))
		return 0;
	rc = mount_table_read(root, look, &table);
	if (rc < 0)
		return rc;
	rc = judge_mounts(root, look, &table);
	for (size_t i = 0; rc == 0 && i < look->devices.count; i++)
		if (may_be_gone(&look->devices.items[i]) && !look->devices.items[i].gone)
			rc = judge_superblock(root, look, &table, (int)i);
	mount_table_free(&table);
	return rc;
}

int gone_find(const struct root *root, struct look *look, struct err *err)
{
	bool any = false;
	int rc;

	array_each(device, &look->devices) {
		if (!may_be_gone(device))
			continue;
		any = true;
		/* of an earlier look: is it still so? */
		device->gone = false;
		device->dev = 0;
		free(take_ptr(device->blockdev));
	}
	rc = any ? find_gone(root, look) : 0;
	return rc < 0 ? err_errno(err, rc, "cannot look for disks that have vanished") : 0;
}
