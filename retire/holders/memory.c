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
#include "retire/holders/node-blocks.h"
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

static int add_known_block(uint64_t number, enum memory_zone zone, struct system_ram *memory)
{
	struct memory_block *added = array_add(&memory->blocks);

	if (!added)
		return -ENOMEM;
	*added = (struct memory_block){ number, MEMORY_ONLINE, (uint8_t)zone };
	return 0;
}

static int read_blocks(const struct root *root, const struct device *device, const struct node_blocks *known,
		       struct system_ram *memory)
{
	int rc = 0;

	array_each(range, &device->memory) {
		uint64_t first, count;

		memory_blocks_in(range, memory->block_size, &first, &count);
		for (uint64_t i = 0; rc == 0 && i < count; i++)
			rc = node_blocks_have(known, first + i) ? add_known_block(first + i, known->zone, memory)
								: add_block(root, first + i, memory);
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

static int read_memory(const struct root *root, const struct device *device, const struct node_blocks *known,
		       struct system_ram *memory)
{
	int rc;

	*memory =
		(struct system_ram){ .block_size = memory_read_block_size(root), .node = find_node(root, device) };
	rc = memory->block_size && device->memory.count ? read_blocks(root, device, known, memory) : -ENOENT;
	if (rc < 0) {
		memory_free(memory);
	}
	memory_sort(memory);
	return rc;
}

int holders_read_memory(const struct root *root, const struct device *device, struct system_ram *memory)
{
	return read_memory(root, device, &(struct node_blocks){ 0 }, memory);
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
static int find_owners(const struct root *root, const struct look *look, struct system_ram *memory)
{
	return !look->again && memory_find_owners(root, memory) == -ENOMEM ? -ENOMEM : 0;
}

static int probe_device(const struct root *root, struct look *look, int index, const struct node_blocks *known)
{
	const struct device *device = &look->devices.items[index];
	struct system_ram memory;
	struct holder *holder;
	int rc = read_memory(root, device, known, &memory);

	if (rc < 0)
		return rc == -ENOMEM ? rc : look_add_unknown(look, device->name, "its memory: %s", strerror(-rc));
	rc = note_unknown_blocks(look, device, &memory);
	if (memory.node >= 0)
		holders_node_total(root, memory.node, &memory.node_total);
	memory_find_use(root, &memory);
	rc = rc < 0 ? rc : find_owners(root, look, &memory);
	holder = rc < 0 ? NULL
			: look_add_holder(look, HOLDER_MEMORY, index, 0, "system RAM of %s", device->blockdev);
	if (!holder) {
		memory_free(&memory);
		return -ENOMEM;
	}
	holder->memory = memory;
	return 1;
}

static bool has_memory(const struct device *device)
{
	return device->system_ram && device->blockdev;
}

static uint64_t blocks_of(const struct device *device, uint64_t block_size)
{
	uint64_t all = 0, first, count;

	array_each(range, &device->memory) {
		memory_blocks_in(range, block_size, &first, &count);
		all += count;
	}
	return all;
}

/* As many as can be read in a tenth of a second; that way one that is just going offline is told from the others.
 */
enum { ONE_BY_ONE = 1 << 14 };

/* What is known of the blocks of each node, of which there are few. */
struct nodes {
	uint64_t block_size;
	bool many; /* so that it is worth asking */
	ARRAY_OF(struct node_blocks) list;
};

static void count_blocks(const struct root *root, const struct look *look, struct nodes *nodes)
{
	uint64_t all = 0;

	nodes->block_size = memory_read_block_size(root);
	array_each(device, &look->devices)
		all += has_memory(device) ? blocks_of(device, nodes->block_size) : 0;
	nodes->many = all > ONE_BY_ONE;
}

/* *known is good until the next call. */
static int know_node(const struct root *root, const struct device *device, struct nodes *nodes,
		     const struct node_blocks **known)
{
	static const struct node_blocks none;
	int node = nodes->many ? find_node(root, device) : -1;
	struct node_blocks *added;

	*known = &none;
	if (node < 0)
		return 0;
	array_each(one, &nodes->list)
		if (one->node == node) {
			*known = one;
			return 0;
		}
	added = array_add(&nodes->list);
	if (!added)
		return -ENOMEM;
	*known = added;
	return node_blocks_read(root, node, nodes->block_size, added);
}

static int probe_all(const struct root *root, struct look *look, struct nodes *nodes, struct err *err)
{
	int found = 0;

	count_blocks(root, look, nodes);
	for (size_t i = 0; i < look->devices.count; i++) {
		const struct device *device = &look->devices.items[i];
		const struct node_blocks *known;
		int rc;

		if (!has_memory(device))
			continue;
		rc = know_node(root, device, nodes, &known);
		rc = rc < 0 ? rc : probe_device(root, look, (int)i, known);
		if (rc < 0)
			return err_errno(err, rc, "cannot look at the memory of %s", device->name);
		found += rc;
	}
	return found;
}

static int probe_memory(const struct root *root, struct look *look, struct err *err)
{
	struct nodes nodes = { 0 };
	int found = probe_all(root, look, &nodes, err);

	array_each(node, &nodes.list)
		node_blocks_free(node);
	free(nodes.list.items);
	if (found > 0 && !look->again && memory_find_processes(root, look) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	return found;
}

const struct holder_kind kind_memory = {
	.type = HOLDER_MEMORY,
	.name = "memory",
	.probe = probe_memory,
	.lifted_by = EVICT_NONE,
	.after = { STEP_OFFLINE },
};
