// SPDX-License-Identifier: GPL-2.0-or-later
/* What one CXL memdev is: a card, its serial number, and the slot that it is in. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "retire/targets/cxl.h"
#include "retire/targets/sysfs.h"
#include "util/cleanup.h"
#include "util/root.h"

#define SLOTS "/sys/bus/pci/slots"

/* ".../0000:34:00.0/0000:35:00.0/mem0"; of what is in no slot it may be the host bridge, which counts nothing */
static int find_port(const struct root *root, const char *path, struct cxl *cxl)
{
	_cleanup_free_ char *host = strndup(path, (size_t)(strrchr(path, '/') - path));

	cxl->host = cxl_host_of(path);
	cxl->port = host ? cxl_host_of(host) : NULL;
	if (!cxl->host || !cxl->port)
		return -ENOMEM;
	cxl->port_counts = aer_read(root, cxl->port, &cxl->counted) == 0;
	return 0;
}

int cxl_memdev_describe(const struct root *root, const char *name, struct device *device)
{
	struct cxl *cxl = &device->cxl;
	uint64_t node;
	int rc;

	device->type = DEVICE_CXL_MEMDEV;
	device->mode = MODE_NONE;
	device->name = strdup(name);
	device->path = device->name ? sysfs_path(root, "cxl", name) : NULL;
	if (!device->path)
		return errno == ENOENT ? -ENODEV : -errno;
	rc = cxl_driver(root, name, &device->driver);
	rc = rc < 0 ? rc
		    : cxl_numbers(root, name,
				  (struct cxl_attribute[]){ { "serial", &cxl->serial },
							    { "ram/size", &cxl->ram_size },
							    { "pmem/size", &cxl->pmem_size } },
				  3);
	if (rc < 0)
		return rc;
	device->enabled = device->driver;
	if (device->enabled) {
		device->driver_device = strdup(name);
		if (!device->driver_device)
			return -ENOMEM;
	}
	device->size = device->capacity = cxl->ram_size + cxl->pmem_size;
	cxl->numa_node = root_numberf(root, &node, CXL_DEVICES "/%s/numa_node", name) == 0 && node < INT32_MAX
				 ? (int)node
				 : -1;
	return find_port(root, device->path, cxl);
}

/* A slot whose power can be switched: one that has none helps nobody. */
struct slot {
	char *name;
	char *address; /* "0000:35:00", of all functions of what is in it */
};

struct slots {
	ARRAY_OF(struct slot) list;
};

static void slots_free(struct slots *slots)
{
	array_each(slot, &slots->list) {
		free(slot->name);
		free(slot->address);
	}
	free(slots->list.items);
}

static int compare_slots(const void *a, const void *b)
{
	const struct slot *one = a, *two = b;

	return strcmp(one->address, two->address);
}

static int add_slot(const struct root *root, const char *name, struct slots *slots)
{
	_cleanup_free_ char *address = NULL;
	int rc = root_findf(root, SLOTS "/%s/power", name);
	struct slot *added;

	if (rc <= 0)
		return rc;
	address = root_attributef(root, SLOTS "/%s/address", name);
	if (!address)
		return errno == ENOENT ? 0 : -errno;
	added = array_add(&slots->list);
	if (!added)
		return -ENOMEM;
	*added = (struct slot){ strdup(name), take_ptr(address) };
	return added->name ? 0 : -ENOMEM;
}

static int list_slots(const struct root *root, struct slots *slots)
{
	_cleanup_names_ struct sysfs_names names = { { 0 } };
	int rc = sysfs_names_read(root, "", &names, SLOTS);

	array_each(name, &names.list)
		rc = rc < 0 ? rc : add_slot(root, *name, slots);
	if (rc >= 0 && slots->list.count)
		qsort(slots->list.items, slots->list.count, sizeof(struct slot), compare_slots);
	return rc;
}

static int find_slot(const struct slots *slots, struct cxl *card)
{
	_cleanup_free_ char *address = strndup(card->host, strcspn(card->host, "."));
	const struct slot key = { .address = address }, *found = NULL;

	if (!address)
		return -ENOMEM;
	if (slots->list.count)
		found = bsearch(&key, slots->list.items, slots->list.count, sizeof(key), compare_slots);
	card->slot = found ? strdup(found->name) : NULL;
	return found && !card->slot ? -ENOMEM : 0;
}

int cxl_find_slots(const struct root *root, struct look *look)
{
	_cleanup_(slots_free) struct slots slots = { 0 };
	int rc = list_slots(root, &slots);

	array_each(device, &look->devices)
		if (rc >= 0 && device->type == DEVICE_CXL_MEMDEV && !device->cxl.slot && device->cxl.host)
			rc = find_slot(&slots, &device->cxl);
	return rc < 0 ? rc : 0;
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
	if (rc == 0 && found)
		return strdup(found->name);
	errno = rc < 0 ? -rc : another ? ESTALE : ENODEV;
	return NULL;
}
