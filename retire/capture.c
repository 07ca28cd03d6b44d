// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/capture.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "util/cleanup.h"
#include "util/text.h"

enum { MAX_TEXT = 64 * 1024 };

void put_object(struct json_object *object, const char *key, struct json_object *value)
{
	if (!object || json_object_object_add(object, key, value) < 0)
		json_object_put(value);
}

void put_text(struct json_object *object, const char *key, const char *value)
{
	if (value)
		put_object(object, key, json_object_new_string(value));
}

void put_number(struct json_object *object, const char *key, uint64_t number)
{
	put_object(object, key, json_object_new_uint64(number));
}

void put_bool(struct json_object *object, const char *key, bool value)
{
	if (value)
		put_object(object, key, json_object_new_boolean(true));
}

static struct json_object *typed(struct json_object *object, const char *key, enum json_type type)
{
	struct json_object *value;

	if (!json_object_is_type(object, json_type_object) || !json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, type))
		return NULL;
	return value;
}

static const char *text(struct json_object *value)
{
	int length = json_object_is_type(value, json_type_string) ? json_object_get_string_len(value) : -1;

	/* a NUL within would hide what comes after it */
	if (length < 0 || length > MAX_TEXT || strlen(json_object_get_string(value)) != (size_t)length)
		return NULL;
	return json_object_get_string(value);
}

const char *text_of(struct json_object *object, const char *key)
{
	return text(typed(object, key, json_type_string));
}

uint64_t number_of(struct json_object *object, const char *key)
{
	struct json_object *value = typed(object, key, json_type_int);

	return value ? json_object_get_uint64(value) : 0;
}

int captured_number(struct json_object *object, const char *key, uint64_t *number)
{
	struct json_object *value = typed(object, key, json_type_int);

	if (!value || json_object_get_int64(value) < 0)
		return -EBADMSG;
	*number = json_object_get_uint64(value);
	return 0;
}

bool bool_of(struct json_object *object, const char *key)
{
	struct json_object *value = typed(object, key, json_type_boolean);

	return value && json_object_get_boolean(value);
}

struct json_object *object_of(struct json_object *object, const char *key)
{
	return typed(object, key, json_type_object);
}

size_t length_of(struct json_object *object, const char *key)
{
	struct json_object *list = typed(object, key, json_type_array);

	return list ? json_object_array_length(list) : 0;
}

struct json_object *item_of(struct json_object *object, const char *key, size_t index)
{
	struct json_object *list = typed(object, key, json_type_array);

	return list ? json_object_array_get_idx(list, index) : NULL;
}

const char *item_text(struct json_object *object, const char *key, size_t index)
{
	return text(item_of(object, key, index));
}

bool has_list(struct json_object *object, const char *key)
{
	return typed(object, key, json_type_array) != NULL;
}

struct json_object *capture_text(const char *value)
{
	return json_object_new_string(value);
}

void put_dev(struct json_object *object, const char *key, dev_t dev)
{
	char number[32];

	snprintf(number, sizeof(number), "%u:%u", major(dev), minor(dev));
	put_text(object, key, number);
}

struct json_object *capture_dev(dev_t dev)
{
	struct json_object *object = json_object_new_object();

	put_dev(object, "dev", dev);
	return object;
}

int captured_dev(struct json_object *object, const char *key, dev_t *dev)
{
	const char *number = text_of(object, key);

	return number && parse_dev(number, dev) == 0 ? 0 : -EBADMSG;
}

/* A copy of a text; `needed`: -EBADMSG when there is none. */
static int copy_text(struct json_object *object, const char *key, bool needed, char **to)
{
	const char *from = text_of(object, key);

	*to = NULL;
	if (!from)
		return needed ? -EBADMSG : 0;
	*to = strdup(from);
	return *to ? 0 : -ENOMEM;
}

/* The texts of a structure, by their place in it. */
struct text_field {
	const char *key;
	size_t offset;
	bool needed;
};

static int copy_texts(struct json_object *object, const struct text_field *fields, size_t count, void *to)
{
	int rc = 0;

	/* each is set, so that the whole can be freed */
	for (size_t i = 0; i < count; i++) {
		int one = copy_text(object, fields[i].key, fields[i].needed,
				    (char **)((char *)to + fields[i].offset));

		rc = rc < 0 ? rc : one;
	}
	return rc;
}

static void put_texts(struct json_object *object, const struct text_field *fields, size_t count, const void *from)
{
	for (size_t i = 0; i < count; i++)
		put_text(object, fields[i].key, *(char *const *)((const char *)from + fields[i].offset));
}

static const struct text_field device_texts[] = {
	{ "dev", offsetof(struct device, name), true },
	{ "path", offsetof(struct device, path), true },
	{ "driver_device", offsetof(struct device, driver_device), false },
	{ "driver", offsetof(struct device, driver), false },
	{ "node", offsetof(struct device, blockdev), false },
	{ "uuid", offsetof(struct device, uuid), false },
	{ "instance_uuid", offsetof(struct device, instance_uuid), false },
	{ "disk", offsetof(struct device, disk), false },
};

static bool is_of_cxl(enum device_type type)
{
	return type == DEVICE_CXL_REGION || type == DEVICE_CXL_MEMDEV;
}

struct json_object *capture_device(const struct device *device)
{
	struct json_object *object = json_object_new_object();

	put_texts(object, device_texts, COUNT_OF(device_texts), device);
	put_text(object, "bus", device_bus(device->type));
	put_text(object, "type", device_type_name(device->type));
	put_text(object, "mode", device_mode_name(device->mode));
	put_bool(object, "enabled", device->enabled);
	put_bool(object, "system_ram", device->system_ram);
	put_bool(object, "gone", device->gone);
	put_dev(object, "number", device->dev);
	put_number(object, "size", device->size);
	put_number(object, "capacity", device->capacity);
	put_number(object, "resource", device->resource);
	put_number(object, "set_cookie", device->set_cookie);
	if (is_of_cxl(device->type))
		put_object(object, "cxl", capture_cxl(&device->cxl));
	return object;
}

static int mode_named(const char *name, enum device_mode *mode)
{
	for (*mode = MODE_FSDAX; name && *mode < MODE_NONE; (*mode)++)
		if (strcmp(name, device_mode_name(*mode)) == 0)
			return 0;
	*mode = MODE_NONE;
	return name ? -EBADMSG : 0;
}

static int type_named(const char *name, enum device_type *type)
{
	for (*type = 0; name && *type < DEVICE_TYPES; (*type)++)
		if (strcmp(name, device_type_name(*type)) == 0)
			return 0;
	return -EBADMSG;
}

/* Which modes a device of that type can have. */
static bool fits_type(enum device_mode mode, enum device_type type)
{
	switch (type) {
	case DEVICE_DAX:
		return mode == MODE_DEVDAX || mode == MODE_SYSTEM_RAM;
	case DEVICE_PMEM_NAMESPACE:
		return mode == MODE_FSDAX || mode == MODE_DEVDAX || mode == MODE_SECTOR || mode == MODE_RAW;
	case DEVICE_CXL_REGION:
		return mode == MODE_RAM || mode == MODE_PMEM;
	default:
		return mode == MODE_NONE;
	}
}

/* A name that can be a directory of sysfs, and nothing that leads elsewhere. */
static bool is_plain_name(const char *name)
{
	return name && *name && *name != '.' && strlen(name) < 64 && !strchr(name, '/');
}

int captured_device(struct json_object *object, struct device *device)
{
	int rc;

	memset(device, 0, sizeof(*device));
	rc = copy_texts(object, device_texts, COUNT_OF(device_texts), device);
	if (rc == 0)
		rc = mode_named(text_of(object, "mode"), &device->mode);
	rc = rc < 0 ? rc : type_named(text_of(object, "type"), &device->type);
	rc = rc < 0 ? rc : captured_dev(object, "number", &device->dev);
	if (rc == 0 && (!is_plain_name(device->name) || !starts_with(device->path, "/sys/devices/") ||
			!is_plain_path(device->path) || (device->blockdev && !is_plain_name(device->blockdev)) ||
			(device->driver_device && !is_plain_name(device->driver_device)) ||
			!fits_type(device->mode, device->type)))
		rc = -EBADMSG;
	if (rc == 0 && is_of_cxl(device->type))
		rc = captured_cxl(object_of(object, "cxl"), &device->cxl);
	/* what makes a region again needs to be told by whom, and a card where it was */
	if (rc == 0 && is_of_cxl(device->type) &&
	    !(device->type == DEVICE_CXL_REGION ? device->cxl.root_decoder : device->cxl.host))
		rc = -EBADMSG;
	if (rc < 0) {
		device_free(device);
		memset(device, 0, sizeof(*device));
		return rc;
	}
	device->enabled = bool_of(object, "enabled");
	device->system_ram = bool_of(object, "system_ram");
	device->gone = bool_of(object, "gone");
	device->size = number_of(object, "size");
	device->capacity = number_of(object, "capacity");
	device->resource = number_of(object, "resource");
	device->set_cookie = number_of(object, "set_cookie");
	return 0;
}

static const struct text_field mount_texts[] = {
	{ "root", offsetof(struct mount, root), true },
	{ "point", offsetof(struct mount, point), true },
	{ "options", offsetof(struct mount, options), true },
	{ "propagation", offsetof(struct mount, propagation), true },
	{ "fstype", offsetof(struct mount, fstype), true },
	{ "source", offsetof(struct mount, source), true },
	{ "super_options", offsetof(struct mount, super_options), true },
};

static struct json_object *capture_namespace(const struct mount_namespace *namespace)
{
	struct json_object *object = json_object_new_object();

	put_number(object, "ino", namespace->ino);
	put_bool(object, "initial", namespace->initial);
	put_number(object, "unique", namespace->unique);
	put_number(object, "pid", (uint64_t) namespace->pid);
	put_number(object, "starttime", namespace->starttime);
	return object;
}

static struct mount_namespace captured_namespace(struct json_object *object)
{
	uint64_t pid = number_of(object, "pid");

	return (struct mount_namespace){
		.ino = number_of(object, "ino"),
		.fd = -1,
		.initial = bool_of(object, "initial"),
		.unique = number_of(object, "unique"),
		.pid = pid <= INT_MAX ? (pid_t)pid : 0,
		.starttime = number_of(object, "starttime"),
	};
}

struct json_object *capture_mount(const struct look *look, const struct holder *holder)
{
	struct json_object *object = json_object_new_object();
	const struct mount *mount = &holder->mount;

	put_texts(object, mount_texts, COUNT_OF(mount_texts), mount);
	put_number(object, "id", mount->id);
	put_dev(object, "number", mount->dev);
	put_object(object, "ns", capture_namespace(&look->namespaces.items[mount->ns]));
	put_bool(object, "foreign", mount->foreign);
	put_bool(object, "pinned", look_is_pinned_mount(look, holder));
	return object;
}

int captured_mount(struct json_object *object, struct captured_mount *captured)
{
	struct mount *mount = &captured->mount;
	int rc;

	memset(captured, 0, sizeof(*captured));
	rc = copy_texts(object, mount_texts, COUNT_OF(mount_texts), mount);
	if (rc == 0)
		rc = captured_dev(object, "number", &mount->dev);
	if (rc == 0 && (!is_plain_path(mount->point) || *mount->root != '/'))
		rc = -EBADMSG;
	if (rc < 0) {
		mount_free(mount);
		memset(captured, 0, sizeof(*captured));
		return rc;
	}
	mount->id = number_of(object, "id");
	mount->foreign = bool_of(object, "foreign");
	captured->ns = captured_namespace(object_of(object, "ns"));
	captured->pinned = bool_of(object, "pinned");
	return 0;
}

struct json_object *capture_swap(const struct swap *swap)
{
	struct json_object *object = json_object_new_object();

	put_text(object, "path", swap->path);
	put_object(object, "priority", json_object_new_int64(swap->priority));
	put_number(object, "size", swap->size);
	put_bool(object, "file", swap->file);
	return object;
}

int captured_swap(struct json_object *object, struct swap *swap)
{
	struct json_object *priority = typed(object, "priority", json_type_int);
	int rc;

	memset(swap, 0, sizeof(*swap));
	rc = copy_text(object, "path", true, &swap->path);
	if (rc == 0 && (!is_plain_path(swap->path) || !priority || json_object_get_int64(priority) < INT16_MIN ||
			json_object_get_int64(priority) > INT16_MAX)) {
		free(take_ptr(swap->path));
		rc = -EBADMSG;
	}
	if (rc < 0)
		return rc;
	swap->priority = (int)json_object_get_int64(priority);
	swap->size = number_of(object, "size");
	swap->file = bool_of(object, "file");
	return 0;
}

static struct json_object *capture_blocks(const struct memory_block *block, uint64_t count)
{
	struct json_object *run = json_object_new_object();

	put_number(run, "first", block->number);
	put_number(run, "count", count);
	put_text(run, "zone", memory_zone_name(block->zone));
	return run;
}

static bool continues(const struct memory_block *before, const struct memory_block *block)
{
	return block->number == before->number + 1 && block->state != MEMORY_OFFLINE &&
	       before->state != MEMORY_OFFLINE && block->zone == before->zone;
}

struct json_object *capture_memory(const struct system_ram *memory)
{
	struct json_object *object = capture_list("runs");
	const struct memory_block *blocks = memory->blocks.items;
	size_t begin = 0;

	put_number(object, "block_size", memory->block_size);
	for (size_t i = 0; i < memory->blocks.count; i++) {
		if (i + 1 < memory->blocks.count && continues(&blocks[i], &blocks[i + 1]))
			continue;
		if (blocks[i].state != MEMORY_OFFLINE)
			capture_add(object, "runs", capture_blocks(&blocks[begin], i + 1 - begin));
		begin = i + 1;
	}
	return object;
}

/* More than a machine can have: 64 TiB in the smallest blocks there are. */
enum { BLOCKS_MAX = 1 << 20 };

static int captured_run(struct json_object *run, struct system_ram *memory)
{
	enum memory_zone zone = memory_zone_named(text_of(run, "zone"));
	uint64_t first, count;

	if (captured_number(run, "first", &first) < 0 || captured_number(run, "count", &count) < 0 || !count ||
	    count > BLOCKS_MAX - memory->blocks.count || first > UINT64_MAX / memory->block_size - count ||
	    zone == ZONE_UNKNOWN)
		return -EBADMSG;
	for (uint64_t i = 0; i < count; i++) {
		struct memory_block *block = array_add(&memory->blocks);

		if (!block)
			return -ENOMEM;
		*block = (struct memory_block){ first + i, MEMORY_ONLINE, (uint8_t)zone };
	}
	return 0;
}

int captured_memory(struct json_object *object, struct system_ram *memory)
{
	int rc = 0;

	*memory = (struct system_ram){ .block_size = number_of(object, "block_size"), .node = -1 };
	if (!memory->block_size || !has_list(object, "runs"))
		return -EBADMSG;
	for (size_t i = 0; rc == 0 && i < length_of(object, "runs"); i++)
		rc = captured_run(item_of(object, "runs", i), memory);
	if (rc < 0) {
		free(memory->blocks.items);
		*memory = (struct system_ram){ 0 };
	}
	return rc;
}

static const struct text_field export_texts[] = {
	{ "path", offsetof(struct export, path), true },
	{ "client", offsetof(struct export, client), true },
	{ "options", offsetof(struct export, options), false },
};

static const struct text_field target_texts[] = {
	{ "directory", offsetof(struct nvme_target, directory), true },
	{ "backing", offsetof(struct nvme_target, backing), true },
	{ "uuid", offsetof(struct nvme_target, uuid), false },
};

struct json_object *capture_served(const struct holder *holder)
{
	struct json_object *object = json_object_new_object();

	if (holder->type == HOLDER_EXPORT)
		put_texts(object, export_texts, COUNT_OF(export_texts), &holder->export);
	else
		put_texts(object, target_texts, COUNT_OF(target_texts), &holder->nvme);
	return object;
}

/* What becomes a word of a command: of one line, bounded, and no option. */
static bool is_word(const char *text)
{
	return !text || (*text && *text != '-' && strlen(text) < 4096 && !strpbrk(text, " \t\r\n"));
}

static bool is_export(const struct export *export)
{
	return is_plain_path(export->path) && is_word(export->client) && *export->client != '[' &&
	       !strpbrk(export->client, "()") && is_word(export->options);
}

#define NVME_SUBSYSTEMS "/sys/kernel/config/nvmet/subsystems/"

static bool is_target(const struct nvme_target *target)
{
	return is_plain_path(target->directory) && starts_with(target->directory, NVME_SUBSYSTEMS) &&
	       is_plain_path(target->backing);
}

int captured_served(struct json_object *object, struct holder *holder)
{
	bool target = text_of(object, "directory");
	int rc;

	memset(holder, 0, sizeof(*holder));
	holder->type = target ? HOLDER_NVME_TARGET : HOLDER_EXPORT;
	rc = target ? copy_texts(object, target_texts, COUNT_OF(target_texts), &holder->nvme)
		    : copy_texts(object, export_texts, COUNT_OF(export_texts), &holder->export);
	if (rc == 0 && !(target ? is_target(&holder->nvme) : is_export(&holder->export)))
		rc = -EBADMSG;
	if (rc < 0 && target)
		nvme_target_free(&holder->nvme);
	else if (rc < 0)
		export_free(&holder->export);
	return rc;
}

struct json_object *capture_process(const struct process *process)
{
	struct json_object *object = json_object_new_object();

	put_number(object, "pid", (uint64_t)process->pid);
	put_number(object, "starttime", process->starttime);
	put_text(object, "comm", process->comm);
	return object;
}

int captured_process(struct json_object *object, struct process *process)
{
	const char *comm = text_of(object, "comm");
	uint64_t pid = number_of(object, "pid");

	*process = (struct process){ .starttime = number_of(object, "starttime"), .pidfd = -1 };
	if (!comm || strlen(comm) >= sizeof(process->comm) || pid <= 1 || pid > INT_MAX)
		return -EBADMSG;
	process->pid = (pid_t)pid;
	strcpy(process->comm, comm);
	return 0;
}

struct json_object *capture_new(void)
{
	return json_object_new_object();
}

struct json_object *capture_share(struct json_object *object)
{
	return json_object_get(object);
}

void capture_free(struct json_object *object)
{
	json_object_put(object);
}

struct json_object *capture_items(void)
{
	return json_object_new_array();
}

struct json_object *capture_list(const char *key)
{
	struct json_object *object = json_object_new_object();

	put_object(object, key, capture_items());
	return object;
}

void capture_add(struct json_object *object, const char *key, struct json_object *item)
{
	struct json_object *list = typed(object, key, json_type_array);

	if (!list || json_object_array_add(list, item) < 0)
		json_object_put(item);
}
