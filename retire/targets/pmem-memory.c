// SPDX-License-Identifier: GPL-2.0-or-later
/* Which physical memory of a namespace its users get: what can be mapped, and so referenced, page by page. */
#include "retire/targets/pmem.h"

#include <errno.h>

#include "util/root.h"

static int add_memory(struct device *device, uint64_t start, uint64_t size)
{
	struct memory_range *range = array_add(&device->memory);

	if (!range)
		return -ENOMEM;
	*range = (struct memory_range){ start, size };
	return 0;
}

/* drivers/dax/bus.c: start and end, which belongs to it, of each range of a dax device */
static int find_dax_memory(const struct root *root, struct device *device)
{
	uint64_t start, end;
	int rc = 0;

	for (int i = 0; rc == 0; i++) {
		if (root_numberf(root, &start, "/sys/bus/dax/devices/%s/mapping%d/start", device->blockdev, i) <
			    0 ||
		    root_numberf(root, &end, "/sys/bus/dax/devices/%s/mapping%d/end", device->blockdev, i) < 0)
			break;
		if (end > start)
			rc = add_memory(device, start, end - start + 1);
	}
	return rc;
}

/*
 * The data of a pfn begins behind its memory map: its own attributes say where
 * (drivers/nvdimm/pfn_devs.c:resource_show()). Without one, the disk says
 * whether there are pages at all: pmem_attach_disk() makes some for DIMMs that
 * are small, as legacy ones are.
 */
static int find_disk_memory(const struct root *root, struct device *device)
{
	uint64_t start, size, dax = 0;

	root_numberf(root, &dax, "/sys/class/block/%s/queue/dax", device->blockdev);
	if ((device->mode != MODE_FSDAX && device->mode != MODE_RAW) || !dax)
		return 0;
	if (root_numberf(root, &start, "/sys/bus/nd/devices/%s/resource", device->driver_device) < 0 ||
	    root_numberf(root, &size, "/sys/bus/nd/devices/%s/size", device->driver_device) < 0 || !size)
		return 0;
	return add_memory(device, start, size);
}

int pmem_find_memory(const struct root *root, struct device *device)
{
	if (!device->enabled || !device->blockdev)
		return 0;
	return device->mode == MODE_DEVDAX ? find_dax_memory(root, device) : find_disk_memory(root, device);
}
