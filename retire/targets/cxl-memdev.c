// SPDX-License-Identifier: GPL-2.0-or-later
/* What one CXL memdev is: a card, its serial number, and the slot that it is in. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "retire/targets/cxl.h"
#include "retire/targets/sysfs.h"
#include "util/cleanup.h"
#include "util/root.h"

#define SLOTS "/sys/bus/pci/slots"

int cxl_memdev_describe(const struct root *root, const char *name, struct device *device)
{
	struct cxl *cxl = &device->cxl;
	uint64_t node;

	device->type = DEVICE_CXL_MEMDEV;
	device->mode = MODE_NONE;
	device->name = strdup(name);
	device->path = device->name ? sysfs_path(root, "cxl", name) : NULL;
	if (!device->path)
		return !device->name || errno == ENOMEM ? -ENOMEM : -ENODEV;
	device->driver = cxl_driver(root, name);
	device->enabled = device->driver;
	if (device->enabled) {
		device->driver_device = strdup(name);
		if (!device->driver_device)
			return -ENOMEM;
	}
	cxl->host = cxl_host_of(device->path);
	cxl->serial = cxl_number(root, name, "serial");
	cxl->ram_size = cxl_number(root, name, "ram/size");
	cxl->pmem_size = cxl_number(root, name, "pmem/size");
	device->size = device->capacity = cxl->ram_size + cxl->pmem_size;
	cxl->numa_node = root_numberf(root, &node, CXL_DEVICES "/%s/numa_node", name) == 0 && node < INT32_MAX
				 ? (int)node
				 : -1;
	return cxl->host ? 0 : -ENOMEM;
}

/* "0000:35:00" is the address of all functions of what is in the slot. */
static bool is_in_slot(const char *host, const char *address)
{
	size_t length = strlen(address);

	return length && strncmp(host, address, length) == 0 && host[length] == '.';
}

static int add_slot(const char *slot, const char *address, struct look *look)
{
	array_each(device, &look->devices) {
		if (device->type != DEVICE_CXL_MEMDEV || device->cxl.slot ||
		    !is_in_slot(device->cxl.host, address))
			continue;
		device->cxl.slot = strdup(slot);
		if (!device->cxl.slot)
			return -ENOMEM;
	}
	return 0;
}

int cxl_find_slots(const struct root *root, struct look *look)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, SLOTS);
	struct dirent *entry;
	int rc = 0;

	while (dir && rc == 0 && (entry = readdir(dir))) {
		_cleanup_free_ char *address = NULL;

		if (entry->d_name[0] == '.')
			continue;
		/* one that has no power to be switched helps nobody */
		if (!root_existsf(root, SLOTS "/%s/power", entry->d_name))
			continue;
		address = root_attributef(root, SLOTS "/%s/address", entry->d_name);
		rc = address ? add_slot(entry->d_name, address, look) : 0;
	}
	return rc;
}

static bool is_same_card(const struct device *device, const struct cxl_memdev *memdev)
{
	return device->cxl.serial ? memdev->serial == device->cxl.serial
				  : device->cxl.host && strcmp(memdev->host, device->cxl.host) == 0;
}

char *cxl_memdev_now(const struct root *root, const struct device *device)
{
	_cleanup_cxl_ struct cxl_devices cxl = { 0 };
	const struct cxl_memdev *found = NULL;
	bool another = false;
	int rc = cxl_devices_read(root, &cxl);

	array_each(memdev, &cxl.memdevs) {
		bool here = device->cxl.host && strcmp(memdev->host, device->cxl.host) == 0;

		another |= here;
		/* of two with that number, the one that is where it was */
		if (is_same_card(device, memdev) && (!found || here))
			found = memdev;
	}
	if (found)
		return strdup(found->name);
	errno = rc < 0 ? -rc : another ? ESTALE : ENODEV;
	return NULL;
}
