// SPDX-License-Identifier: GPL-2.0-or-later
/* Devices and holders in the result object. */
#include <string.h>

#include "retire/report-fields.h"
#include "retire/report-words.h"

/* The file of a referenced page, and where in it. */
static struct json_object *json_run(const struct referenced_run *run)
{
	struct json_object *object = json_object_new_object();

	json_put_number(object, "pfn", run->pfn);
	json_put_number(object, "pages", run->pages);
	if (!run->dev)
		return object;
	json_put_number(object, "inode", run->inode);
	json_put_number(object, "index", run->index);
	json_put_text(object, "path", run->path);
	return object;
}

static struct json_object *json_pages(const struct references *references)
{
	struct json_object *object = json_object_new_object(), *runs;

	json_put_number(object, "counted", references->counted);
	if (!references->known)
		json_put(object, "referenced", NULL);
	else
		json_put_number(object, "referenced", references->referenced);
	if (references->counts_mappings)
		json_put_number(object, "mapped", references->mapped);
	json_put_text(object, "reason", references->reason);
	if (!references->runs.count)
		return object;
	runs = json_object_new_array();
	json_put(object, "runs", runs);
	array_each(run, &references->runs)
		json_append(runs, json_run(run));
	json_put_true(object, "more_runs", references->more_runs);
	return object;
}

static struct json_object *json_target(const struct cxl_target *target, size_t position)
{
	struct json_object *object = json_object_new_object();

	json_put_number(object, "position", position);
	json_put_text(object, "memdev", target->memdev);
	json_put_text(object, "decoder", target->decoder);
	if (target->serial)
		json_put_number(object, "serial", target->serial);
	return object;
}

/* As `cxl list -R` names them. */
static void put_cxl_region(struct json_object *object, const struct device *device)
{
	const struct cxl *cxl = &device->cxl;
	struct json_object *mappings = json_object_new_array();

	json_put_text(object, "root_decoder", cxl->root_decoder);
	json_put_number(object, "interleave_ways", cxl->ways);
	json_put_number(object, "interleave_granularity", cxl->granularity);
	json_put_text(object, "decode_state", cxl->committed ? "commit" : "reset");
	json_put_true(object, "locked", cxl->locked);
	json_put_true(object, "burned", device_is_burned(device));
	json_put(object, "mappings", mappings);
	for (size_t i = 0; i < cxl->targets.count; i++)
		json_append(mappings, json_target(&cxl->targets.items[i], i));
}

/* As `cxl list -M` names them. */
static void put_cxl_memdev(struct json_object *object, const struct cxl *cxl, const struct report_options *options)
{
	json_put_size(object, "ram_size", cxl->ram_size, options);
	json_put_size(object, "pmem_size", cxl->pmem_size, options);
	json_put_number(object, "serial", cxl->serial);
	if (cxl->numa_node >= 0)
		json_put_number(object, "numa_node", (uint64_t)cxl->numa_node);
	json_put_text(object, "host", cxl->host);
	json_put_text(object, "slot", cxl->slot);
}

bool tells_ready(const struct result *result)
{
	return result->unused || result->outcome == OUTCOME_ALREADY_RETIRED;
}

bool is_ready_to_remove(const struct result *result, size_t index)
{
	const struct device *memdev = &result->look.devices.items[index];

	/* nothing was done, since nothing is enabled */
	if (!result->unused)
		return true;
	for (size_t i = 0; i < result->look.devices.count; i++) {
		const struct device *device = &result->look.devices.items[i];

		if (!result->unused[i] && device->type == DEVICE_CXL_REGION &&
		    cxl_has_target(&device->cxl, memdev->name))
			return false;
	}
	return result->unused[index];
}

struct json_object *json_device(const struct result *result, size_t index, const struct report_options *options)
{
	const struct device *device = &result->look.devices.items[index];
	struct json_object *object = json_object_new_object();

	json_put_text(object, "dev", device->name);
	json_put_text(object, "bus", device_bus(device->type));
	json_put_text(object, "path", device->path);
	json_put_text(object, "type", device_type_name(device->type));
	json_put_text(object, "mode", device_mode_name(device->mode));
	json_put_text(object,
		      device->mode == MODE_DEVDAX || device->mode == MODE_SYSTEM_RAM ? "chardev" : "blockdev",
		      device->blockdev);
	json_put_true(object, "system_ram", device->system_ram);
	json_put_size(object, "size", device->size, options);
	json_put_text(object, "uuid", device->uuid);
	if (device->type == DEVICE_CXL_REGION)
		put_cxl_region(object, device);
	if (device->type == DEVICE_CXL_MEMDEV)
		put_cxl_memdev(object, &device->cxl, options);
	if (!device->enabled)
		json_put_text(object, "state", "disabled");
	json_put_true(object, "gone", device->gone);
	json_put_true(object, "half_removed", device->half_removed);
	if (look_references(&result->look, (int)index))
		json_put(object, "pages", json_pages(look_references(&result->look, (int)index)));
	if (result->unused)
		json_put(object, "unused", json_object_new_boolean(result->unused[index]));
	if (tells_ready(result) && device->type == DEVICE_CXL_MEMDEV)
		json_put(object, "ready_to_remove", json_object_new_boolean(is_ready_to_remove(result, index)));
	return object;
}

/* An id when it rests on another holder, else the name of the device below. */
static void put_on(struct json_object *object, const struct look *look, const struct holder *holder)
{
	const struct holder *below = holder_below(look, holder);

	if (below)
		json_put(object, "on", json_object_new_int64(below->id));
	else if ((size_t)holder->device < look->devices.count)
		json_put_text(object, "on", look_on_name(look, holder));
}

/* What of its file system is on the device, when it is not it itself. */
static const char *part_of(const struct look *look, const struct mount *mount)
{
	const struct holder *filesystem = mount->foreign ? NULL : look_filesystem(look, mount->dev);

	return filesystem ? filesystem->filesystem.part : NULL;
}

static void put_mount(struct json_object *object, const struct look *look, const struct holder *holder)
{
	const struct mount *mount = &holder->mount;

	json_put_text(object, "name", holder->name);
	json_put_text(object, "fstype", mount->fstype);
	put_on(object, look, holder);
	json_put_text(object, "source", mount->source);
	if (mount->root && strcmp(mount->root, "/") != 0)
		json_put_text(object, "root", mount->root);
	json_put_text(object, "options", mount->options);
	if ((size_t)mount->ns < look->namespaces.count && !look->namespaces.items[mount->ns].initial)
		json_put_number(object, "mnt_ns", look->namespaces.items[mount->ns].ino);
	if ((size_t)mount->ns < look->namespaces.count)
		json_put_text(object, "kept_by", look->namespaces.items[mount->ns].keeper);
	json_put_text(object, "part", part_of(look, mount));
	json_put_true(object, "foreign", mount->foreign);
}

static struct json_object *json_uses(unsigned uses)
{
	struct json_object *array = json_object_new_array();

	/* "map" before "open": what is harder to end comes first */
	if (uses & USE_MAP)
		json_append(array, json_object_new_string("map"));
	for (size_t bit = 0; use_name(bit); bit++)
		if (uses & ~USE_MAP & 1u << bit)
			json_append(array, json_object_new_string(use_name(bit)));
	return array;
}

static void put_process(struct json_object *object, const struct look *look, const struct holder *holder)
{
	const struct process *process = &holder->process;

	json_put(object, "pid", json_object_new_int64(process->pid));
	json_put_number(object, "starttime", process->starttime);
	json_put_text(object, "comm", process->comm);
	json_put_number(object, "uid", process->uid);
	json_put_text(object, "unit", process->unit);
	json_put_text(object, "vm", process->vm);
	json_put_text(object, "container", process->container);
	json_put(object, "uses", json_uses(process->uses));
	if (process->uses & USE_PAGES)
		json_put(object, "pages_fd", json_object_new_int(process->pages_fd));
	if (process->pinned)
		json_put_number(object, "pinned_pages", process->pinned);
	put_on(object, look, holder);
	json_put_text(object, "path", process->path);
	json_put_true(object, "own", process->own);
}

static void put_swap(struct json_object *object, const struct holder *holder, const struct report_options *options)
{
	json_put(object, "priority", json_object_new_int64(holder->swap.priority));
	json_put_size(object, "size", holder->swap.size, options);
	json_put_size(object, "used", holder->swap.used, options);
}

static const char *zones_of(const struct system_ram *memory)
{
	enum memory_zone zone = ZONE_UNKNOWN;

	array_each(block, &memory->blocks) {
		if (block->state == MEMORY_OFFLINE)
			continue;
		if (zone != ZONE_UNKNOWN && zone != block->zone)
			return "mixed";
		zone = block->zone;
	}
	return zone == ZONE_UNKNOWN ? NULL : memory_zone_name(zone);
}

static struct json_object *json_use(const struct system_ram *memory, const struct report_options *options)
{
	struct json_object *object = json_object_new_object();

	for (enum memory_use use = 0; use < MEMORY_USES; use++)
		json_put_size(object, memory_use_name(use), memory->used[use], options);
	return object;
}

static struct json_object *json_owners(const struct system_ram *memory, const struct report_options *options)
{
	struct json_object *array = json_object_new_array();

	array_each(owner, &memory->owners) {
		struct json_object *object = json_object_new_object();

		json_put_text(object, "unit", owner->name);
		json_put_size(object, "bytes", owner->bytes, options);
		if (owner->pinned)
			json_put_number(object, "pinned_pages", owner->pinned);
		json_append(array, object);
	}
	return array;
}

static struct json_object *json_memory_processes(const struct system_ram *memory,
						 const struct report_options *options)
{
	struct json_object *array = json_object_new_array();

	array_each(process, &memory->processes) {
		struct json_object *object = json_object_new_object();

		json_put_number(object, "pid", (uint64_t)process->pid);
		json_put_text(object, "comm", process->comm);
		json_put_text(object, "unit", process->unit);
		json_put_size(object, "bytes", process->bytes, options);
		json_put_true(object, "bound", process->bound);
		json_append(array, object);
	}
	return array;
}

static void put_memory(struct json_object *object, const struct system_ram *memory,
		       const struct report_options *options)
{
	json_put_size(object, "size", memory->blocks.count * memory->block_size, options);
	json_put_size(object, "online", memory_online(memory) * memory->block_size, options);
	json_put_number(object, "blocks", memory->blocks.count);
	json_put_size(object, "block_size", memory->block_size, options);
	json_put_text(object, "zone", zones_of(memory));
	json_put_text(object, "cost", "migrate");
	if (memory->use_known)
		json_put(object, "use", json_use(memory, options));
	if (memory->owners.count)
		json_put(object, "charged", json_owners(memory, options));
	if (memory->processes.count)
		json_put(object, "processes", json_memory_processes(memory, options));
	if (memory->node >= 0)
		json_put_number(object, "target_node", (uint64_t)memory->node);
}

struct json_object *json_holder(const struct look *look, const struct holder *holder,
				const struct report_options *options)
{
	struct json_object *object = json_object_new_object();

	json_put(object, "id", json_object_new_int64(holder->id));
	json_put_text(object, "kind", holder_word(holder));
	switch (holder->type) {
	case HOLDER_MOUNT:
		put_mount(object, look, holder);
		return object;
	case HOLDER_PROCESS:
		put_process(object, look, holder);
		return object;
	case HOLDER_SWAP:
		json_put_text(object, "name", holder->name);
		put_on(object, look, holder);
		put_swap(object, holder, options);
		return object;
	case HOLDER_MEMORY:
		json_put_text(object, "name", holder->name);
		put_on(object, look, holder);
		put_memory(object, &holder->memory, options);
		return object;
	case HOLDER_EXPORT:
		json_put_text(object, "name", holder->name);
		put_on(object, look, holder);
		json_put_text(object, "path", holder->export.path);
		json_put_text(object, "client", holder->export.client);
		json_put_text(object, "users", holder->export.users);
		return object;
	case HOLDER_NVME_TARGET:
		json_put_text(object, "name", holder->name);
		put_on(object, look, holder);
		json_put_text(object, "path", holder->nvme.backing);
		json_put_text(object, "uuid", holder->nvme.uuid);
		return object;
	case HOLDER_FILESYSTEM:
	case HOLDER_OVERLAY:
		json_put_text(object, "name", holder->name);
		json_put_text(object, "fstype", holder->filesystem.fstype);
		put_on(object, look, holder);
		json_put_text(object, "part", holder->filesystem.part);
		json_put_true(object, "shut_down", holder->filesystem.shut_down);
		return object;
	default:
		json_put_text(object, "name", holder->name);
		put_on(object, look, holder);
		return object;
	}
}
