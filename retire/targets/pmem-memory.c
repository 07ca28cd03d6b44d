// SPDX-License-Identifier: GPL-2.0-or-later
/* Which physical memory of a namespace its users get: what can be mapped, and so referenced, page by page. */
#include "retire/targets/pmem.h"

#include "retire/targets/dax.h"
#include "retire/targets/sysfs.h"

#include <errno.h>

#include "util/root.h"

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
	return sysfs_add_memory(device, start, size);
}

int pmem_find_memory(const struct root *root, struct device *device)
{
	if (!device->enabled || !device->blockdev)
		return 0;
	return device->mode == MODE_DEVDAX ? dax_find_memory(root, device) : find_disk_memory(root, device);
}
