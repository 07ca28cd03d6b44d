// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/holders/matcher.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include "retire/holders/mountinfo.h"

static int compare_mounts(const void *a, const void *b)
{
	const struct matched_mount *left = a, *right = b;

	return left->id < right->id ? -1 : left->id > right->id;
}

static int add_mount(struct matcher *matcher, const struct holder *holder)
{
	struct matched_mount *mount = array_add(&matcher->mounts);
	struct foreign_dev *foreign;
	struct pin *pin;

	if (!mount)
		return -ENOMEM;
	*mount = (struct matched_mount){ .id = holder->mount.id, .holder = holder->id };
	if (holder->mount.foreign) {
		foreign = array_add(&matcher->foreign);
		if (!foreign)
			return -ENOMEM;
		foreign->dev = holder->mount.dev;
	}
	if (look_is_pinned_mount(matcher->look, holder)) {
		pin = array_add(&matcher->pins);
		if (!pin)
			return -ENOMEM;
		*pin = (struct pin){ .ns = matcher->look->namespaces.items[holder->mount.ns].ino,
				     .holder = holder->id };
	}
	return 0;
}

static int add_filesystem(struct matcher *matcher, const struct holder *holder)
{
	struct matched_dev *filesystem = array_add(&matcher->filesystems);

	if (!filesystem)
		return -ENOMEM;
	*filesystem = (struct matched_dev){ .dev = holder->dev, .holder = holder->id };
	return 0;
}

static void find_nsfs(struct matcher *matcher)
{
	struct stat st;

	array_each(namespace, &matcher->look->namespaces)
		if (!matcher->nsfs && namespace->fd >= 0 && fstat(namespace->fd, &st) == 0)
			matcher->nsfs = st.st_dev;
}

int matcher_init(struct matcher *matcher, const struct look *look)
{
	int rc = 0;

	*matcher = (struct matcher){ .look = look };
	array_each(holder, &look->holders) {
		if (holder->type == HOLDER_MOUNT)
			rc = add_mount(matcher, holder);
		if (holder_is_filesystem(holder))
			rc = add_filesystem(matcher, holder);
		if (rc < 0)
			return rc;
	}
	if (matcher->mounts.count)
		qsort(matcher->mounts.items, matcher->mounts.count, sizeof(*matcher->mounts.items),
		      compare_mounts);
	find_nsfs(matcher);
	return 0;
}

void matcher_free(struct matcher *matcher)
{
	free(matcher->mounts.items);
	free(matcher->filesystems.items);
	free(matcher->foreign.items);
	free(matcher->pins.items);
}

struct target matcher_target(const struct matcher *matcher, const struct place *place)
{
	const struct holder *holder = look_holder(matcher->look, place->on), *filesystem = NULL;
	struct target target = { .place = *place, .key = place->on ? place->on : -1 - place->device };

	if (holder && holder->type == HOLDER_MOUNT && !holder->mount.foreign)
		filesystem = look_filesystem(matcher->look, holder->mount.dev);
	if (filesystem)
		target.key = filesystem->id;
	return target;
}

static struct target target_of(const struct matcher *matcher, int id)
{
	struct place place = { .device = look_holder(matcher->look, id)->device, .on = id };

	return matcher_target(matcher, &place);
}

static bool match_mount(const struct matcher *matcher, uint64_t id, struct target *target)
{
	struct matched_mount key = { .id = id }, *mount = NULL;

	if (matcher->mounts.count)
		mount = bsearch(&key, matcher->mounts.items, matcher->mounts.count, sizeof(key), compare_mounts);
	if (mount)
		*target = target_of(matcher, mount->holder);
	return mount;
}

/* The character device of a device-dax, which has no file system and no block device. */
static bool match_character(const struct matcher *matcher, dev_t rdev, struct target *target)
{
	for (size_t i = 0; i < matcher->look->devices.count; i++) {
		const struct device *device = &matcher->look->devices.items[i];
		struct place place = { .device = (int)i };

		if (device->mode != MODE_DEVDAX || !device->dev || device->dev != rdev)
			continue;
		*target = matcher_target(matcher, &place);
		return true;
	}
	return false;
}

static bool match_node(const struct matcher *matcher, const struct statx *stx, struct target *target)
{
	dev_t rdev = makedev(stx->stx_rdev_major, stx->stx_rdev_minor);
	struct place place;

	if (S_ISCHR(stx->stx_mode))
		return match_character(matcher, rdev, target);
	if (!S_ISBLK(stx->stx_mode) || !place_of_dev(matcher->look, rdev, &place))
		return false;
	*target = matcher_target(matcher, &place);
	return true;
}

bool matcher_dev(const struct matcher *matcher, dev_t dev, struct target *target)
{
	array_each(filesystem, &matcher->filesystems)
		if (filesystem->dev == dev) {
			*target = target_of(matcher, filesystem->holder);
			return true;
		}
	return false;
}

bool matcher_file(const struct matcher *matcher, const struct statx *stx, struct target *target)
{
	if (match_node(matcher, stx, target))
		return true;
	if ((stx->stx_mask & STATX_MNT_ID) && match_mount(matcher, stx->stx_mnt_id, target))
		return true;
	return matcher_dev(matcher, makedev(stx->stx_dev_major, stx->stx_dev_minor), target);
}

bool matcher_needs_mount(const struct matcher *matcher, dev_t dev)
{
	array_each(foreign, &matcher->foreign)
		if (foreign->dev == dev)
			return true;
	return false;
}

bool matcher_pin(const struct matcher *matcher, uint64_t ns, size_t *cursor, struct target *target)
{
	while (*cursor < matcher->pins.count) {
		const struct pin *pin = &matcher->pins.items[(*cursor)++];

		if (pin->ns == ns) {
			*target = target_of(matcher, pin->holder);
			return true;
		}
	}
	return false;
}
