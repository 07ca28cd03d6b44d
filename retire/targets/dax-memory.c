// SPDX-License-Identifier: GPL-2.0-or-later
/* The memory of a device-dax: where it is, and what of it is system RAM. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "retire/targets/dax.h"
#include "retire/targets/sysfs.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

/* drivers/dax/bus.c: start and end, which belongs to it, of each range of a dax device */
int dax_read_ranges(const struct root *root, const char *name, struct memory_ranges *ranges)
{
	struct memory_range *range;
	uint64_t start, end;
	int rc = 0;

	for (int i = 0; rc == 0; i++) {
		rc = root_numberf(root, &start, "/sys/bus/dax/devices/%s/mapping%d/start", name, i);
		rc = rc < 0 ? rc : root_numberf(root, &end, "/sys/bus/dax/devices/%s/mapping%d/end", name, i);
		if (rc < 0)
			return rc == -ENOENT ? 0 : rc;
		if (end <= start)
			continue;
		range = array_add(ranges);
		if (!range)
			return -ENOMEM;
		*range = (struct memory_range){ start, end - start + 1 };
	}
	return rc;
}

int dax_find_memory(const struct root *root, struct device *device)
{
	/* drivers/dax/device.c:dev_dax_probe(): its pages are of that order */
	if (root_numberf(root, &device->align, "/sys/bus/dax/devices/%s/align", device->blockdev) < 0)
		device->align = 0;
	/* only root may read them */
	return dax_read_ranges(root, device->blockdev, &device->memory) == -ENOMEM ? -ENOMEM : 0;
}

/* In the order of what counts of several. */
enum blocks { BLOCKS_NONE, BLOCKS_OFFLINE, BLOCKS_UNKNOWN, BLOCKS_ONLINE };

/* "going-offline" is not offline. */
static enum blocks find_block(const struct root *root, uint64_t number)
{
	_cleanup_free_ char *state =
		root_attributef(root, "/sys/devices/system/memory/memory%" PRIu64 "/state", number);

	if (!state)
		return errno == ENOENT ? BLOCKS_NONE : BLOCKS_UNKNOWN;
	return strcmp(state, "offline") == 0 ? BLOCKS_OFFLINE : BLOCKS_ONLINE;
}

/* Of all that lie wholly inside: a block that sticks out belongs to a neighbour. */
static enum blocks find_blocks(const struct root *root, const struct memory_range *range)
{
	uint64_t block_size = memory_read_block_size(root), first, count;
	enum blocks found = BLOCKS_NONE;

	if (!block_size && root_findf(root, "/sys/devices/system/memory/block_size_bytes") != 0)
		return BLOCKS_UNKNOWN;
	memory_blocks_in(range, block_size, &first, &count);
	for (uint64_t i = 0; found < BLOCKS_ONLINE && i < count; i++) {
		enum blocks one = find_block(root, first + i);

		found = one > found ? one : found;
	}
	return found;
}

bool dax_range_is_online(const struct root *root, const struct memory_range *range)
{
	return find_blocks(root, range) >= BLOCKS_UNKNOWN;
}

/*
 * Looked up by address, not by driver: after an unbind of kmem with online
 * memory no driver is left, and the memory goes on being used until reboot.
 */
static enum blocks find_all_blocks(const struct root *root, const char *name)
{
	struct memory_ranges memory = { 0 };
	enum blocks found = BLOCKS_NONE;

	if (dax_read_ranges(root, name, &memory) < 0)
		found = BLOCKS_UNKNOWN;
	array_each(range, &memory) {
		enum blocks one = find_blocks(root, range);

		found = one > found ? one : found;
	}
	free(memory.items);
	return found;
}

bool dax_has_online_memory(const struct root *root, const char *name)
{
	return find_all_blocks(root, name) >= BLOCKS_UNKNOWN;
}

/* Without a driver even blocks that are offline stay, and keep the addresses:
 * drivers/dax/kmem.c:dev_dax_kmem_remove(). */
bool dax_is_system_ram(const struct root *root, const char *name)
{
	_cleanup_free_ char *driver = dax_driver(root, name);
	enum blocks blocks;

	if (driver && strcmp(driver, "kmem") == 0)
		return true;
	blocks = find_all_blocks(root, name);
	return blocks == BLOCKS_OFFLINE || blocks == BLOCKS_ONLINE;
}
