// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What one pmem namespace is: mode, driver, block or character device.
 *
 * It is read from sysfs: the libraries leave out what has no node in /dev
 * (daxctl/lib/libdaxctl.c:add_dax_dev() needs it for the device number), but
 * a device without a node can be mapped and mounted all the same.
 *
 * In sysfs a namespace has siblings, the instances of its region (pfn0.0,
 * btt0.0, dax0.0). An instance that has claimed the namespace (attribute
 * `holder`) has the driver and the disk; else the namespace itself has.
 */
#include "retire/targets/dax.h"
#include "retire/targets/pmem.h"
#include "retire/targets/sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "util/root.h"
#include "util/text.h"

struct mode_name {
	const char *name;
	enum device_mode mode;
};

/* drivers/nvdimm/namespace_devs.c:mode_show() and holder_class_show() */
static const struct mode_name modes[] = {
	{ "memory", MODE_FSDAX }, { "dax", MODE_DEVDAX }, { "safe", MODE_SECTOR }, { "raw", MODE_RAW }, { NULL, 0 }
};
static const struct mode_name classes[] = {
	{ "pfn", MODE_FSDAX }, { "dax", MODE_DEVDAX }, { "btt", MODE_SECTOR }, { NULL, 0 }
};

static bool find_mode(const struct root *root, const struct device *device, const char *attribute,
		      const struct mode_name *names, enum device_mode *mode)
{
	_cleanup_free_ char *text = root_attributef(root, "%s/%s", device->path, attribute);

	for (; text && names->name; names++) {
		if (strcmp(text, names->name) != 0)
			continue;
		*mode = names->mode;
		return true;
	}
	return false;
}

/* While nobody has claimed it the label still tells what it is meant for. -ENODEV: neither could be read. */
static int device_mode(const struct root *root, bool claimed, struct device *device)
{
	if (!claimed && find_mode(root, device, "holder_class", classes, &device->mode))
		return 0;
	return find_mode(root, device, "mode", modes, &device->mode) ? 0 : -ENODEV;
}

/* Length of the directory that the namespace at `path` is in: its region */
static int region_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (int)(slash - path) : 0;
}

char *pmem_instance(const struct root *root, const char *path)
{
	return root_attributef(root, "%s/holder", path);
}

char *pmem_instance_uuid(const struct root *root, const char *path, const char *instance)
{
	char *uuid = NULL;

	if (*instance)
		uuid = root_attributef(root, "%.*s/%s/uuid", region_length(path), path, instance);
	if (uuid && !*uuid)
		free(take_ptr(uuid));
	return uuid;
}

char *pmem_driver(const struct root *root, const char *path, const char *name)
{
	_cleanup_free_ char *link = NULL;

	link = root_readlinkf(root, "%.*s/%s/driver", region_length(path), path, name);
	return sysfs_basename(link);
}

static bool is_any(const char *name)
{
	return name[0] != '.';
}

/* The first name in a directory that `fits`; caller frees; NULL when there is none. */
static char *first_entry(DIR *dir, bool (*fits)(const char *name))
{
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (fits(entry->d_name))
			return strdup(entry->d_name);
	return NULL;
}

char *pmem_dax_path(const struct root *root, const char *path)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, "%s", path);
	_cleanup_free_ char *name = first_entry(dir, dax_is_name);
	char *dax;

	return name && asprintf(&dax, "%s/%s", path, name) >= 0 ? dax : NULL;
}

/* The block device, or in devdax mode the character device, below the device that has the driver. */
void pmem_find_node(const struct root *root, struct device *device)
{
	bool dax = device->mode == MODE_DEVDAX;
	_cleanup_closedir_ DIR *dir = NULL;

	dir = root_opendirf(root, "%.*s/%s%s", region_length(device->path), device->path, device->driver_device,
			    dax ? "" : "/block");
	device->blockdev = first_entry(dir, dax ? dax_is_name : is_any);
	if (!device->blockdev)
		return;
	if (root_devf(root, &device->dev, "/sys/%s/%s/dev", dax ? "bus/dax/devices" : "class/block",
		      device->blockdev) < 0)
		device->dev = 0;
	device->system_ram = dax && dax_is_system_ram(root, device->blockdev);
}

/* Fills driver_device and driver: of the instance that claimed it, else its own. */
static int find_driver(const struct root *root, const char *instance, struct device *device)
{
	const char *candidates[] = { instance, device->name };

	for (size_t i = 0; i < COUNT_OF(candidates); i++) {
		if (!*candidates[i])
			continue;
		device->driver = pmem_driver(root, device->path, candidates[i]);
		if (!device->driver)
			continue;
		device->enabled = true;
		device->driver_device = strdup(candidates[i]);
		return device->driver_device ? 0 : -ENOMEM;
	}
	return 0;
}

/*
 * An unbind takes the driver's link away first and the disk late
 * (drivers/base/dd.c:__device_release_driver()). In between lies what may never
 * end. What such a device shows counts as enabled: it still has users.
 */
int pmem_find_half_removed(const struct root *root, const char *instance, struct device *device)
{
	const char *candidates[] = { instance, device->name };

	for (size_t i = 0; !device->enabled && i < COUNT_OF(candidates); i++) {
		_cleanup_free_ char *disk = NULL, *driver = NULL;
		_cleanup_closedir_ DIR *dir = NULL;

		if (!*candidates[i])
			continue;
		driver = pmem_driver(root, device->path, candidates[i]);
		if (driver)
			continue;
		dir = root_opendirf(root, "%.*s/%s/block", region_length(device->path), device->path,
				    candidates[i]);
		disk = first_entry(dir, is_any);
		if (!disk)
			continue;
		device->enabled = device->half_removed = true;
		device->remover = pmem_remover(root);
		device->driver_device = strdup(candidates[i]);
		return device->driver_device ? 0 : -ENOMEM;
	}
	return 0;
}

/* drivers/nvdimm/namespace_devs.c:nvdimm_namespace_disk_name(): "pmem1.2" of namespace1.2, "pmem1" of namespace1.0
 */
int pmem_name_disk(struct device *device)
{
	unsigned region, number;
	int rc;

	if (device->mode == MODE_DEVDAX || sscanf(device->name, "namespace%u.%u", &region, &number) != 2)
		return 0;
	if (number)
		rc = asprintf(&device->disk, "pmem%u.%u", region, number);
	else
		rc = asprintf(&device->disk, "pmem%u", region);
	if (rc < 0)
		device->disk = NULL;
	return rc < 0 ? -ENOMEM : 0;
}

/* As `ndctl list` has it: what the instance offers; for a raw or disabled one the capacity of the namespace. */
static uint64_t usable_size(const struct root *root, const struct device *device)
{
	uint64_t size = 0;

	if (device->driver_device)
		root_numberf(root, &size, "%.*s/%s/size", region_length(device->path), device->path,
			     device->driver_device);
	return size ? size : device->capacity;
}

int pmem_describe(const struct root *root, const char *name, struct device *device)
{
	_cleanup_free_ char *instance = NULL;
	int rc;

	device->type = DEVICE_PMEM_NAMESPACE;
	device->name = strdup(name);
	if (!device->name)
		return -ENOMEM;
	device->path = sysfs_path(root, "nd", device->name);
	instance = device->path ? pmem_instance(root, device->path) : NULL;
	if (!instance)
		return errno == ENOMEM ? -ENOMEM : -ENODEV;
	rc = root_numberf(root, &device->capacity, "%s/size", device->path) < 0 ? -ENODEV : 0;
	rc = rc < 0 ? rc : device_mode(root, *instance, device);
	if (rc == 0)
		rc = find_driver(root, instance, device);
	if (rc == 0)
		rc = pmem_find_half_removed(root, instance, device);
	if (rc == 0)
		rc = pmem_name_disk(device);
	if (rc < 0)
		return rc;
	if (device->enabled)
		pmem_find_node(root, device);
	device->size = usable_size(root, device);
	device->uuid = root_attributef(root, "%s/uuid", device->path);
	if (device->uuid && !*device->uuid)
		free(take_ptr(device->uuid));
	device->instance_uuid = pmem_instance_uuid(root, device->path, instance);
	/* only root may read it */
	if (root_numberf(root, &device->resource, "%s/resource", device->path) < 0)
		device->resource = 0;
	return pmem_find_memory(root, device);
}
