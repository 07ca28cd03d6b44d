// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/model.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

const char *evict_level_name(enum evict_level level)
{
	static const char *const names[] = { "none", "stop", "term", "kill", "never" };

	return names[level];
}

/* What is known of each type of device by itself. */
static const struct {
	const char *name, *bus, *tool;
	bool has_users;
} device_facts[DEVICE_TYPES] = {
	[DEVICE_PMEM_NAMESPACE] = { "pmem-namespace", "nd", "ndctl", true },
	[DEVICE_DAX] = { "dax-device", "dax", "daxctl", true },
	[DEVICE_PMEM_REGION] = { "pmem-region", "nd", "ndctl", false },
	[DEVICE_CXL_REGION] = { "cxl-region", "cxl", "cxl", false },
	[DEVICE_CXL_MEMDEV] = { "cxl-memdev", "cxl", "cxl", false },
};

const char *device_type_name(enum device_type type)
{
	return device_facts[type].name;
}

const char *device_bus(enum device_type type)
{
	return device_facts[type].bus;
}

const char *device_tool(enum device_type type)
{
	return device_facts[type].tool;
}

bool device_has_users(enum device_type type)
{
	return device_facts[type].has_users;
}

const char *device_mode_name(enum device_mode mode)
{
	static const char *const names[] = {
		"fsdax", "devdax", "system-ram", "sector", "raw", "ram", "pmem", NULL
	};

	return names[mode];
}

struct holder *look_add_holder(struct look *look, enum holder_type type, int device, int on, const char *fmt, ...)
{
	struct holder *holder;
	char *name;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&name, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	holder = array_add(&look->holders);
	if (!holder) {
		free(name);
		return NULL;
	}
	holder->id = (int)look->holders.count;
	holder->type = type;
	holder->device = device;
	holder->on = on;
	holder->name = name;
	if (type == HOLDER_PROCESS)
		holder->process.pidfd = -1;
	return holder;
}

int look_add_unknown(struct look *look, const char *subject, const char *fmt, ...)
{
	struct unknown *unknown = array_add(&look->unknowns);
	va_list ap;
	int n;

	if (!unknown)
		return -ENOMEM;
	va_start(ap, fmt);
	n = vasprintf(&unknown->reason, fmt, ap);
	va_end(ap);
	if (n < 0)
		unknown->reason = NULL;
	unknown->subject = strdup(subject);
	return unknown->subject && unknown->reason ? 0 : -ENOMEM;
}

bool look_is_complete(const struct look *look)
{
	return look->initial_namespaces && !look->unknowns.count;
}

struct holder *look_holder(const struct look *look, int id)
{
	return id > 0 && (size_t)id <= look->holders.count ? &look->holders.items[id - 1] : NULL;
}

struct holder *look_place(const struct look *look, dev_t dev, int *device)
{
	*device = -1;
	for (size_t i = 0; dev && i < look->devices.count; i++)
		if (look->devices.items[i].dev == dev)
			*device = (int)i;
	array_each(holder, &look->holders)
		if (dev && holder->dev == dev && !holder_is_filesystem(holder))
			return holder;
	return NULL;
}

bool holder_is_filesystem(const struct holder *holder)
{
	return holder->type == HOLDER_FILESYSTEM || holder->type == HOLDER_OVERLAY;
}

struct holder *look_filesystem(const struct look *look, dev_t dev)
{
	array_each(holder, &look->holders)
		if (dev && holder->dev == dev && holder_is_filesystem(holder))
			return holder;
	return NULL;
}

bool look_is_on_disk(const struct look *look, const struct holder *holder)
{
	const struct holder *below = look_holder(look, holder->on);

	return !below || (below->type == HOLDER_PARTITION && !below->on);
}

/* A look can have a hundred thousand nested mounts, made by anybody: every holder is visited once. */
static bool rests_on(const struct look *look, const struct holder *holder, int id, bool *visited)
{
	while (holder && !visited[holder->id - 1]) {
		visited[holder->id - 1] = true;
		if (holder->on == id || holder->inside == id)
			return true;
		if (holder->inside && holder->inside != holder->on &&
		    rests_on(look, look_holder(look, holder->inside), id, visited))
			return true;
		holder = look_holder(look, holder->on);
	}
	return false;
}

bool look_rests_on(const struct look *look, const struct holder *holder, int id)
{
	_cleanup_free_ bool *visited = calloc(look->holders.count, sizeof(bool));

	/* out of memory: resting on it is what stops us */
	return !visited || rests_on(look, holder, id, visited);
}

bool look_is_pinned_mount(const struct look *look, const struct holder *holder)
{
	return holder->type == HOLDER_MOUNT && !holder->mount.foreign &&
	       look->namespaces.items[holder->mount.ns].less_privileged &&
	       !strstr(holder->mount.propagation, "master:");
}

void look_release_namespaces(struct look *look)
{
	array_each(namespace, &look->namespaces) {
		cleanup_close(&namespace->fd);
		namespace->fd = -1;
	}
}

void look_release_pinned(struct look *look, int device)
{
	array_each(holder, &look->holders) {
		if (holder->device != device || !look_is_pinned_mount(look, holder))
			continue;
		cleanup_close(&look->namespaces.items[holder->mount.ns].fd);
		look->namespaces.items[holder->mount.ns].fd = -1;
	}
}

static bool is_same_namespace(const struct mount_namespace *now, const struct mount_namespace *was)
{
	/* the initial one has another number after a boot with another kernel */
	if (was->initial || now->initial)
		return was->initial && now->initial;
	return now->ino == was->ino && (!now->unique || !was->unique || now->unique == was->unique);
}

int look_namespace(const struct look *look, const struct mount_namespace *was)
{
	for (size_t i = 0; i < look->namespaces.count; i++)
		if (is_same_namespace(&look->namespaces.items[i], was))
			return (int)i;
	return -1;
}

const char *look_on_name(const struct look *look, const struct holder *holder)
{
	const struct holder *below = look_holder(look, holder->on);
	const struct device *device = &look->devices.items[holder->device];

	/* a file system is known by what it is on */
	while (below && holder_is_filesystem(below) && below->on < below->id)
		below = look_holder(look, below->on);
	if (below)
		return below->name;
	return device->blockdev ? device->blockdev : device->name;
}

void device_free(struct device *device)
{
	free(device->name);
	free(device->path);
	free(device->driver_device);
	free(device->driver);
	free(device->blockdev);
	free(device->uuid);
	free(device->disk);
	free(device->remover);
	free(device->instance_uuid);
	free(device->memory.items);
	cxl_free(&device->cxl);
}

bool device_is_burned(const struct device *device)
{
	return device->type == DEVICE_CXL_REGION && device->cxl.unowned &&
	       !(device->driver && cxl_has_cards(&device->cxl));
}

bool device_has_pages(const struct device *device)
{
	/* in raw mode only where the kernel has made some: drivers/nvdimm/pmem.c:pmem_attach_disk() */
	return device->enabled && !device->half_removed && !device->system_ram &&
	       (device->mode == MODE_FSDAX || device->mode == MODE_DEVDAX || device->memory.count);
}

static char *copy_text(const char *text, bool *failed)
{
	char *copy = text ? strdup(text) : NULL;

	*failed |= text && !copy;
	return copy;
}

static void copy_memory(const struct device *device, struct device *to, bool *failed)
{
	memset(&to->memory, 0, sizeof(to->memory));
	array_each(range, &device->memory) {
		struct memory_range *added = array_add(&to->memory);

		*failed |= !added;
		if (added)
			*added = *range;
	}
}

static int copy_device(const struct device *device, struct look *copy)
{
	struct device *to = array_add(&copy->devices);
	bool failed = false;

	if (!to)
		return -ENOMEM;
	*to = *device;
	to->name = copy_text(device->name, &failed);
	to->path = copy_text(device->path, &failed);
	to->driver_device = copy_text(device->driver_device, &failed);
	to->driver = copy_text(device->driver, &failed);
	to->blockdev = copy_text(device->blockdev, &failed);
	to->uuid = copy_text(device->uuid, &failed);
	to->disk = copy_text(device->disk, &failed);
	to->remover = copy_text(device->remover, &failed);
	to->instance_uuid = copy_text(device->instance_uuid, &failed);
	copy_memory(device, to, &failed);
	failed |= cxl_copy(&device->cxl, &to->cxl) < 0;
	return failed ? -ENOMEM : 0;
}

static void copy_program(const struct look *look, struct look *copy)
{
	copy->initial_namespaces = look->initial_namespaces;
	copy->page_array = look->page_array;
	copy->again = true;
	memcpy(copy->journal_devs, look->journal_devs, sizeof(copy->journal_devs));
}

int look_copy_device(const struct look *look, int device, struct look *copy)
{
	copy_program(look, copy);
	return copy_device(&look->devices.items[device], copy);
}

int look_copy_devices(const struct look *look, struct look *copy)
{
	int rc = 0;

	copy_program(look, copy);
	array_each(device, &look->devices)
		rc = rc < 0 ? rc : copy_device(device, copy);
	return rc;
}

void mount_free(struct mount *mount)
{
	free(mount->root);
	free(mount->point);
	free(mount->options);
	free(mount->propagation);
	free(mount->fstype);
	free(mount->source);
	free(mount->super_options);
}

/* How many bytes of a container's name to show people. */
static int container_length(const char *container)
{
	size_t length = strlen(container);

	return length == 64 && strspn(container, "0123456789abcdef") == length ? 12 : (int)length;
}

char *process_owner(const struct process *process, char *text, size_t size)
{
	*text = '\0';
	if (process->vm)
		snprintf(text, size, "vm%s%s", *process->vm ? " " : "", process->vm);
	else if (process->container)
		snprintf(text, size, "container %.*s", container_length(process->container), process->container);
	else if (process->unit)
		snprintf(text, size, "%s", process->unit);
	return text;
}

static bool is_same_text(const char *one, const char *other)
{
	return one && other ? strcmp(one, other) == 0 : one == other;
}

bool process_has_owner_of(const struct process *process, const struct process *other)
{
	if (process->vm || other->vm)
		return is_same_text(process->vm, other->vm) && is_same_text(process->unit, other->unit);
	if (process->container || other->container)
		return is_same_text(process->container, other->container);
	return is_same_text(process->unit, other->unit);
}

void export_free(struct export *export)
{
	free(export->path);
	free(export->client);
	free(export->options);
	free(export->users);
}

void nvme_target_free(struct nvme_target *target)
{
	free(target->directory);
	free(target->backing);
	free(target->uuid);
}

const struct lowers *holder_lowers(const struct holder *holder)
{
	static const struct lowers none;

	return holder->type == HOLDER_DM   ? &holder->dm.lower
	       : holder->type == HOLDER_MD ? &holder->md.lower
					   : &none;
}

static void lowers_free(struct lowers *lowers)
{
	array_each(lower, lowers)
		free(lower->name);
	free(lowers->items);
}

static void dm_free(struct dm *dm)
{
	free(dm->name);
	free(dm->uuid);
	array_each(target, &dm->targets) {
		free(target->type);
		free(target->params);
	}
	free(dm->targets.items);
	lowers_free(&dm->lower);
}

void holder_free(struct holder *holder)
{
	free(holder->name);
	switch (holder->type) {
	case HOLDER_FILESYSTEM:
	case HOLDER_OVERLAY:
		free(holder->filesystem.fstype);
		break;
	case HOLDER_MOUNT:
		mount_free(&holder->mount);
		break;
	case HOLDER_SWAP:
		free(holder->swap.path);
		break;
	case HOLDER_EXPORT:
		export_free(&holder->export);
		break;
	case HOLDER_NVME_TARGET:
		nvme_target_free(&holder->nvme);
		break;
	case HOLDER_DM:
		dm_free(&holder->dm);
		break;
	case HOLDER_MD:
		lowers_free(&holder->md.lower);
		break;
	case HOLDER_LOOP:
		free(holder->loop.path);
		break;
	case HOLDER_MEMORY:
		memory_free(&holder->memory);
		break;
	case HOLDER_PROCESS:
		free(holder->process.unit);
		free(holder->process.vm);
		free(holder->process.container);
		free(holder->process.path);
		cleanup_close(&holder->process.pidfd);
		break;
	default:
		break;
	}
}

const struct references *look_references(const struct look *look, int device)
{
	array_each(references, &look->references)
		if (references->device == device)
			return references;
	return NULL;
}

/* Where people find the root of a file system; NULL when no mount shows that. */
static const char *mount_point_of(const struct look *look, dev_t dev)
{
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_MOUNT && holder->mount.dev == dev && !holder->mount.foreign &&
		    strcmp(holder->mount.root, "/") == 0)
			return strcmp(holder->mount.point, "/") == 0 ? "" : holder->mount.point;
	return NULL;
}

static bool is_same_file(const struct referenced_run *run, const struct referenced_run *other)
{
	return run->dev == other->dev && run->inode == other->inode;
}

char *references_where(const struct look *look, const struct references *references, char *text, size_t size)
{
	const struct referenced_run *first = references->runs.items;
	const char *point = first && first->dev ? mount_point_of(look, first->dev) : NULL;
	bool others = references->more_runs;

	*text = '\0';
	if (!first || !first->dev)
		return text;
	array_each(run, &references->runs)
		others |= !is_same_file(run, first);
	if (first->path && point)
		snprintf(text, size, " (%s%s, inode %" PRIu64 "%s)", point, first->path, first->inode,
			 others ? ", and others" : "");
	else
		snprintf(text, size, " (inode %" PRIu64 "%s%s%s)", first->inode, point ? " of " : "",
			 point ? point : "", others ? ", and others" : "");
	return text;
}

void references_forget(struct references *references)
{
	array_each(run, &references->runs)
		free(run->path);
	free(references->runs.items);
	free(references->reason);
	*references = (struct references){ .device = references->device };
}

void look_forget_references(struct look *look)
{
	array_each(references, &look->references)
		references_forget(references);
	free(look->references.items);
	memset(&look->references, 0, sizeof(look->references));
}

void look_forget_holders(struct look *look)
{
	look_forget_references(look);
	array_each(holder, &look->holders)
		holder_free(holder);
	free(look->holders.items);
	array_each(namespace, &look->namespaces) {
		cleanup_close(&namespace->fd);
		free(namespace->keeper);
	}
	free(look->namespaces.items);
	look->keepers_searched = false;
	array_each(unknown, &look->unknowns) {
		free(unknown->subject);
		free(unknown->reason);
	}
	free(look->unknowns.items);
	free(look->likely);
	look->likely = NULL;
	memset(&look->holders, 0, sizeof(look->holders));
	memset(&look->namespaces, 0, sizeof(look->namespaces));
	memset(&look->unknowns, 0, sizeof(look->unknowns));
}

void look_free(struct look *look)
{
	look_forget_holders(look);
	array_each(device, &look->devices)
		device_free(device);
	free(look->devices.items);
	memset(look, 0, sizeof(*look));
}
