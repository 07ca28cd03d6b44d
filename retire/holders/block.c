// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "retire/holders/kinds.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

/* The name of a dm device is "dm-0 (vg-data)": sysfs knows the first word. False when it cannot be a name in
 * sysfs. */
static bool set_name(struct block *block, const char *name)
{
	size_t length = strcspn(name, " ");

	if (!length || length >= sizeof(block->name) || name[0] == '.' || memchr(name, '/', length))
		return false;
	memcpy(block->name, name, length);
	block->name[length] = '\0';
	return true;
}

static bool device_is_block(const struct device *device)
{
	return device->dev && device->blockdev && device->mode != MODE_DEVDAX;
}

static bool block_at(const struct look *look, size_t at, struct block *block)
{
	if (at < look->devices.count) {
		const struct device *device = &look->devices.items[at];

		block->dev = device->dev;
		block->place = (struct place){ .device = (int)at };
		return device_is_block(device) && set_name(block, device->blockdev);
	}
	const struct holder *holder = &look->holders.items[at - look->devices.count];

	block->dev = holder->dev;
	block->place = (struct place){ .device = holder->device, .on = holder->id };
	return holder->dev && !holder_is_filesystem(holder) && set_name(block, holder->name);
}

bool block_next(const struct look *look, size_t *cursor, struct block *block)
{
	while (*cursor < look->devices.count + look->holders.count)
		if (block_at(look, (*cursor)++, block))
			return true;
	return false;
}

bool place_of_dev(const struct look *look, dev_t dev, struct place *place)
{
	int device;
	const struct holder *holder = look_place(look, dev, &device);

	if (holder)
		*place = (struct place){ .device = holder->device, .on = holder->id };
	else if (device >= 0 && look->devices.items[device].mode != MODE_DEVDAX)
		*place = (struct place){ .device = device };
	else
		return false;
	return true;
}

/* True when `path` is `point` or below it. */
static bool is_below(const char *path, const char *point)
{
	size_t length = strlen(point);

	if (length == 1)
		return path[0] == '/';
	return strncmp(path, point, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static bool place_of_mounted(const struct look *look, const char *path, struct place *place)
{
	const struct holder *best = NULL;

	array_each(holder, &look->holders) {
		if (holder->type != HOLDER_MOUNT || !is_below(path, holder->mount.point))
			continue;
		if (!best || strlen(best->mount.point) <= strlen(holder->mount.point))
			best = holder;
	}
	if (best)
		*place = (struct place){ .device = best->device, .on = best->id };
	return best;
}

bool place_of_path(const struct root *root, const struct look *look, const char *path, struct place *place)
{
	const char *slash = strrchr(path, '/');
	dev_t dev;

	if (!starts_with(path, "/dev/"))
		return place_of_mounted(look, path, place);
	array_each(device, &look->devices) {
		/* A character device is not in /sys/class/block. */
		if (device->blockdev && strcmp(device->blockdev, slash + 1) == 0) {
			*place = (struct place){ .device = (int)(device - look->devices.items) };
			return true;
		}
	}
	if (!slash[1] || slash[1] == '.' || root_devf(root, &dev, "/sys/class/block/%s/dev", slash + 1) < 0)
		return false;
	return place_of_dev(look, dev, place);
}

int add_unknown_once(struct look *look, const char *subject, const char *reason)
{
	array_each(unknown, &look->unknowns)
		if (strcmp(unknown->subject, subject) == 0)
			return 0;
	return look_add_unknown(look, subject, "%s", reason);
}

/* Kinds of block devices that the kernel stacks and that we know; the others are told as unknown. */
static bool is_known_stack(const char *name)
{
	return starts_with(name, "dm-") || starts_with(name, "md");
}

static int tell_unknown_stack(struct look *look, const struct block *block, const char *name)
{
	char reason[160];

	snprintf(reason, sizeof(reason), "holds %s; this kind of holder is not known", block->name);
	return add_unknown_once(look, name, reason);
}

static int add_stacked(const struct root *root, struct look *look, enum holder_type type,
		       const struct block *block, const char *name)
{
	_cleanup_free_ char *dm_name = NULL;
	struct place there;
	struct holder *holder;
	dev_t dev;
	int rc = root_devf(root, &dev, "/sys/class/block/%s/dev", name);

	if (rc < 0)
		return add_unknown_once(look, name, strerror(-rc));
	if (place_of_dev(look, dev, &there))
		return 0;
	dm_name = root_attributef(root, "/sys/class/block/%s/dm/name", name);
	if (dm_name && *dm_name)
		holder = look_add_holder(look, type, block->place.device, block->place.on, "%s (%s)", name,
					 dm_name);
	else
		holder = look_add_holder(look, type, block->place.device, block->place.on, "%s", name);
	if (!holder)
		return -ENOMEM;
	holder->dev = dev;
	return 1;
}

/* One entry of a `holders` directory: the kernel links there what claimed the device (bd_link_disk_holder()). */
static int find_stacked_on(const struct root *root, struct look *look, enum holder_type type, const char *prefix,
			   const struct block *block)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, "/sys/class/block/%s/holders", block->name);
	struct dirent *entry;
	int rc, added = 0;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (starts_with(entry->d_name, prefix))
			rc = add_stacked(root, look, type, block, entry->d_name);
		else
			rc = is_known_stack(entry->d_name) ? 0 : tell_unknown_stack(look, block, entry->d_name);
		if (rc < 0)
			return rc;
		added += rc;
	}
	return added;
}

int find_stacked(const struct root *root, struct look *look, enum holder_type type, const char *prefix)
{
	struct block block;
	int rc, added = 0;

	for (size_t cursor = 0; block_next(look, &cursor, &block); added += rc) {
		rc = find_stacked_on(root, look, type, prefix, &block);
		if (rc < 0)
			return rc;
	}
	return added;
}
