// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/capture.h"

#include <errno.h>
#include <linux/major.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "retire/dm-table.h"
#include "util/cleanup.h"
#include "util/text.h"

enum { MAX_TARGETS = 4096, MAX_LOWER = 4096 };

static void put_loop(struct json_object *object, const struct loop *loop)
{
	put_text(object, "path", loop->path);
	put_bool(object, "file", loop->file);
	put_number(object, "inode", loop->inode);
	put_number(object, "offset", loop->offset);
	put_number(object, "size_limit", loop->size_limit);
	put_number(object, "block_size", loop->block_size);
	put_bool(object, "read_only", loop->read_only);
	put_bool(object, "partitions", loop->partitions);
	put_bool(object, "direct_io", loop->direct_io);
	put_bool(object, "autoclear", loop->autoclear);
}

/* A device number is good for a boot; what it was of, for longer: its place among those below. */
static int number_to_place(void *argument, const char *word, char replaced[32])
{
	const struct dm *dm = argument;
	dev_t dev;

	if (parse_dev(word, &dev) < 0)
		return -EINVAL;
	for (size_t i = 0; i < dm->lower.count; i++)
		if (dm->lower.items[i].dev == dev) {
			snprintf(replaced, 32, "@%zu", i);
			return 0;
		}
	return -EINVAL;
}

static struct json_object *capture_lower(const struct look *look, const struct lower *lower)
{
	struct json_object *object = capture_new();
	int device;
	const struct holder *holder = look_place(look, lower->dev, &device);

	put_number(object, "device", (uint64_t)(holder ? holder->device : device));
	put_text(object, "name", !holder ? "" : holder->type == HOLDER_DM ? holder->dm.name : holder->name);
	return object;
}

static int put_targets(struct json_object *object, const struct dm *dm)
{
	put_object(object, "targets", capture_items());
	array_each(target, &dm->targets) {
		_cleanup_free_ char *params = NULL;
		struct json_object *item = capture_new();
		int rc = dm_replace_devices(target, number_to_place, (void *)(uintptr_t)dm, &params);

		put_number(item, "start", target->start);
		put_number(item, "length", target->length);
		put_text(item, "type", target->type);
		put_text(item, "params", params);
		capture_add(object, "targets", item);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void put_lowers(struct json_object *object, const struct look *look, const struct lowers *lowers)
{
	put_object(object, "lower", capture_items());
	array_each(lower, lowers)
		capture_add(object, "lower", capture_lower(look, lower));
}

static int put_dm(struct json_object *object, const struct look *look, const struct dm *dm)
{
	put_text(object, "dm", dm->name);
	put_text(object, "uuid", dm->uuid);
	put_bool(object, "read_only", dm->read_only);
	put_lowers(object, look, &dm->lower);
	return put_targets(object, dm);
}

static void put_md(struct json_object *object, const struct look *look, const struct md *md)
{
	put_bool(object, "linear", md->level < 0);
	put_number(object, "level", md->level < 0 ? 0 : (uint64_t)md->level);
	put_number(object, "raid_disks", md->raid_disks);
	put_number(object, "major", md->major);
	put_number(object, "minor", md->minor);
	put_number(object, "created", md->created);
	put_bool(object, "read_only", md->read_only);
	put_lowers(object, look, &md->lower);
}

struct json_object *capture_stack(const struct look *look, const struct holder *stack)
{
	struct json_object *object = capture_new();

	put_text(object, "name", stack->name);
	put_dev(object, "number", stack->dev);
	if (stack->type == HOLDER_LOOP)
		put_loop(object, &stack->loop);
	if (stack->type == HOLDER_MD)
		put_md(object, look, &stack->md);
	if (stack->type == HOLDER_DM && put_dm(object, look, &stack->dm) < 0) {
		capture_free(object);
		object = NULL;
		errno = ENOMEM;
	}
	return object;
}

/* As the kernel numbers them, "loop0"; it is a path below /dev, too. */
static bool is_numbered(const char *name, const char *prefix)
{
	size_t length = strlen(prefix);

	return starts_with(name, prefix) && name[length] && strlen(name) < length + 8 &&
	       strspn(name + length, "0123456789") == strlen(name + length);
}

static int captured_loop(struct json_object *object, struct holder *stack)
{
	struct loop *loop = &stack->loop;
	const char *path = text_of(object, "path");
	uint64_t block_size = number_of(object, "block_size");

	if (!path || !is_plain_path(path) || !is_numbered(stack->name, "loop") ||
	    major(stack->dev) != LOOP_MAJOR || block_size > 65536)
		return -EBADMSG;
	*loop = (struct loop){ .path = strdup(path),
			       .file = bool_of(object, "file"),
			       .inode = number_of(object, "inode"),
			       .offset = number_of(object, "offset"),
			       .size_limit = number_of(object, "size_limit"),
			       .block_size = (unsigned)block_size,
			       .read_only = bool_of(object, "read_only"),
			       .partitions = bool_of(object, "partitions"),
			       .direct_io = bool_of(object, "direct_io"),
			       .autoclear = bool_of(object, "autoclear") };
	return loop->path ? 0 : -ENOMEM;
}

static int add_lower(struct json_object *object, struct lowers *lowers)
{
	struct lower *lower = array_add(lowers);
	const char *name = text_of(object, "name");
	uint64_t device;

	if (!lower)
		return -ENOMEM;
	if (!name || captured_number(object, "device", &device) < 0 || device > INT32_MAX)
		return -EBADMSG;
	lower->name = strdup(name);
	lower->device = (int)device;
	return lower->name ? 0 : -ENOMEM;
}

static int captured_lowers(struct json_object *object, struct lowers *lowers)
{
	size_t count = length_of(object, "lower");
	int rc = count > MAX_LOWER ? -EBADMSG : 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = add_lower(item_of(object, "lower", i), lowers);
	return rc;
}

static int place_to_place(void *argument, const char *word, char replaced[32])
{
	const struct dm *dm = argument;
	uint64_t place;

	snprintf(replaced, 32, "%.31s", word);
	return *word == '@' && parse_number(word + 1, &place) == 0 && place < dm->lower.count ? 0 : -EBADMSG;
}

static int add_target(struct json_object *object, struct dm *dm)
{
	_cleanup_free_ char *checked = NULL;
	struct dm_target *target = array_add(&dm->targets);
	const char *type = text_of(object, "type"), *params = text_of(object, "params");

	if (!target)
		return -ENOMEM;
	if (!type || !params || !dm_type_is_known(type) || captured_number(object, "start", &target->start) < 0 ||
	    captured_number(object, "length", &target->length) < 0)
		return -EBADMSG;
	target->type = strdup(type);
	target->params = strdup(params);
	if (!target->type || !target->params)
		return -ENOMEM;
	/* every word that the kernel takes for a device is one of those below */
	return dm_replace_devices(target, place_to_place, dm, &checked);
}

static int captured_dm(struct json_object *object, struct holder *stack)
{
	const char *name = text_of(object, "dm"), *uuid = text_of(object, "uuid");
	struct dm *dm = &stack->dm;
	int rc;

	if (!name || !uuid || !*name || strlen(name) > 127 || strlen(uuid) > 128 || strchr(name, '/') ||
	    length_of(object, "targets") > MAX_TARGETS || !length_of(object, "targets"))
		return -EBADMSG;
	dm->name = strdup(name);
	dm->uuid = strdup(uuid);
	dm->read_only = bool_of(object, "read_only");
	rc = captured_lowers(object, &dm->lower);
	for (size_t i = 0; rc == 0 && i < length_of(object, "targets"); i++)
		rc = add_target(item_of(object, "targets", i), dm);
	return dm->name && dm->uuid ? rc : -ENOMEM;
}

/* What the kernel takes on trust from who assembles: the version; of all else it reads the metadata. */
static int captured_md(struct json_object *object, struct holder *stack)
{
	uint64_t level = number_of(object, "level"), disks = number_of(object, "raid_disks"),
		 version = number_of(object, "major"), format = number_of(object, "minor"), number;

	if (!is_numbered(stack->name, "md") || major(stack->dev) != MD_MAJOR ||
	    parse_number(stack->name + strlen("md"), &number) < 0 || number != minor(stack->dev) || level > 10 ||
	    disks > MAX_LOWER || version > 1 || format > 99 || !length_of(object, "lower"))
		return -EBADMSG;
	stack->md = (struct md){ .level = bool_of(object, "linear") ? -1 : (int)level,
				 .raid_disks = (unsigned)disks,
				 .major = (unsigned)version,
				 .minor = (unsigned)format,
				 .created = number_of(object, "created"),
				 .read_only = bool_of(object, "read_only") };
	return captured_lowers(object, &stack->md.lower);
}

int captured_stack(struct json_object *object, enum holder_type type, struct holder *stack)
{
	const char *name = text_of(object, "name");
	int rc;

	*stack = (struct holder){ .type = type };
	if (!name || captured_dev(object, "number", &stack->dev) < 0)
		return -EBADMSG;
	stack->name = strdup(name);
	if (!stack->name)
		return -ENOMEM;
	rc = type == HOLDER_DM	 ? captured_dm(object, stack)
	     : type == HOLDER_MD ? captured_md(object, stack)
				 : captured_loop(object, stack);
	if (rc < 0) {
		holder_free(stack);
		*stack = (struct holder){ .type = type };
	}
	return rc;
}

static int place_to_number(void *argument, const char *word, char replaced[32])
{
	const struct dm *dm = argument;
	uint64_t place;

	if (parse_number(word + 1, &place) < 0 || place >= dm->lower.count)
		return -EBADMSG;
	snprintf(replaced, 32, "%u:%u", major(dm->lower.items[place].dev), minor(dm->lower.items[place].dev));
	return 0;
}

int captured_stack_number(struct holder *stack)
{
	array_each(target, &stack->dm.targets) {
		char *params = NULL;
		int rc = dm_replace_devices(target, place_to_number, &stack->dm, &params);

		if (rc < 0) {
			free(params);
			return rc;
		}
		free(target->params);
		target->params = params;
	}
	return 0;
}
