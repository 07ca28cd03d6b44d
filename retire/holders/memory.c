// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory of this system on a device-dax: its blocks, by physical address. Not
 * by driver: after an unbind of kmem with memory online no driver is left, and
 * the memory goes on being used until reboot.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "retire/holders/holders.h"
#include "retire/holders/kinds.h"
#include "retire/holders/memory-use.h"
#include "util/cleanup.h"
#include "util/root.h"

#define MEMORY "/sys/devices/system/memory"

/* -ENOENT: no such block, or none any more. -EINVAL: a state that nobody knows. */
static int read_state(const struct root *root, uint64_t number, uint8_t *state)
{
	static const char *const names[] = { "offline", "online", "going-offline" };
	_cleanup_free_ char *text = root_attributef(root, MEMORY "/memory%" PRIu64 "/state", number);

	if (!text)
		return -errno;
	for (*state = 0; *state < COUNT_OF(names); (*state)++)
		if (strcmp(text, names[*state]) == 0)
			return 0;
	return -EINVAL;
}

/* An offline block lists where it could go; an online one is in the only one it lists. */
static enum memory_zone read_zone(const struct root *root, uint64_t number)
{
	_cleanup_free_ char *text = root_attributef(root, MEMORY "/memory%" PRIu64 "/valid_zones", number);

	return memory_zone_named(text);
}

static int add_block(const struct root *root, uint64_t number, struct system_ram *memory)
{
	struct memory_block block = { .number = number }, *added;
	int rc = read_state(root, number, &block.state);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	if (block.state != MEMORY_OFFLINE)
		block.zone = (uint8_t)read_zone(root, number);
	added = array_add(&memory->blocks);
	if (!added)
		return -ENOMEM;
	*added = block;
	return 0;
}

static int read_blocks(const struct root *root, const struct device *device, struct system_ram *memory)
{
	int rc = 0;

	array_each(range, &device->memory) {
		uint64_t first, count;

		memory_blocks_in(range, memory->block_size, &first, &count);
		for (uint64_t i = 0; rc == 0 && i < count; i++)
			rc = add_block(root, first + i, memory);
	}
	return rc;
}

static int find_node(const struct root *root, const struct device *device)
{
	uint64_t node;

	return root_numberf(root, &node, "/sys/bus/dax/devices/%s/target_node", device->blockdev) == 0 &&
			       node < INT32_MAX
		       ? (int)node
		       : -1;
}

int holders_read_memory(const struct root *root, const struct device *device, struct system_ram *memory)
{
	int rc;

	*memory =
		(struct system_ram){ .block_size = memory_read_block_size(root), .node = find_node(root, device) };
	rc = memory->block_size && device->memory.count ? read_blocks(root, device, memory) : -ENOENT;
	if (rc < 0) {
		memory_free(memory);
	}
	memory_sort(memory);
	return rc;
}

/* What could not be put back as it was is not taken away. */
static int note_unknown_blocks(struct look *look, const struct device *device, const struct system_ram *memory)
{
	array_each(block, &memory->blocks) {
		if (block->state == MEMORY_GOING_OFFLINE)
			return look_add_unknown(look, device->name,
						"somebody else is taking its block %" PRIu64 " offline",
						block->number);
		if (block->state == MEMORY_ONLINE && block->zone == ZONE_UNKNOWN)
			return look_add_unknown(look, device->name, "in which zone its block %" PRIu64 " is",
						block->number);
	}
	return 0;
}

/*
 * To go over all page tables of the machine, and over all pages once more, takes seconds: that is for those who
 * read it, and for what is decided before anything is touched. Where the kernel does not say it, nobody is named:
 * it does not stand in the way.
 */
static int find_users(const struct root *root, struct look *look, const char *name, struct system_ram *memory)
{
	if (look->again)
		return 0;
	if (memory_find_owners(root, memory) == -ENOMEM)
		return -ENOMEM;
	return memory_find_processes(root, look, name, memory);
}

static int probe_device(const struct root *root, struct look *look, int index)
{
	const struct device *device = &look->devices.items[index];
	struct system_ram memory;
	struct holder *holder;
	int rc = holders_read_memory(root, device, &memory);

	if (rc < 0)
		return rc == -ENOMEM ? rc : look_add_unknown(look, device->name, "its memory: %s", strerror(-rc));
	rc = note_unknown_blocks(look, device, &memory);
	if (memory.node >= 0)
		holders_node_total(root, memory.node, &memory.node_total);
	memory_find_use(root, &memory);
	rc = rc < 0 ? rc : find_users(root, look, device->name, &memory);
	holder = rc < 0 ? NULL
			: look_add_holder(look, HOLDER_MEMORY, index, 0, "system RAM of %s", device->blockdev);
	if (!holder) {
		memory_free(&memory);
		return -ENOMEM;
	}
	holder->memory = memory;
	return 1;
}

static int probe_memory(const struct root *root, struct look *look, struct err *err)
{
	int found = 0;

	for (size_t i = 0; i < look->devices.count; i++) {
		const struct device *device = &look->devices.items[i];
		int rc = device->system_ram && device->blockdev ? probe_device(root, look, (int)i) : 0;

		if (rc < 0)
			return err_errno(err, rc, "cannot look at the memory of %s", device->name);
		found += rc;
	}
	return found;
}

const struct holder_kind kind_memory = {
	.type = HOLDER_MEMORY,
	.name = "memory",
	.probe = probe_memory,
	.lifted_by = EVICT_NONE,
	.after = { STEP_OFFLINE },
};
