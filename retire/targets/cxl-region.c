// SPDX-License-Identifier: GPL-2.0-or-later
/* What one CXL region is: where its memory is, and which memdevs it is of. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "retire/targets/cxl.h"
#include "retire/targets/dax.h"
#include "retire/targets/sysfs.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

/* More than a region can have: include/cxl, CXL_DECODER_MAX_INTERLEAVE is 16. */
enum { WAYS_MAX = 64 };

/* "decoder2.0" is of "endpoint2", and that of the memdev at its upstream end. */
static int find_memdev(const struct root *root, struct cxl_target *target)
{
	size_t letters = strlen("decoder");
	char endpoint[64];

	if (!starts_with(target->decoder, "decoder") || strlen(target->decoder) >= sizeof(endpoint) - 4)
		return 0;
	snprintf(endpoint, sizeof(endpoint), "endpoint%.*s", (int)strcspn(target->decoder + letters, "."),
		 target->decoder + letters);
	target->memdev = cxl_endpoint_memdev(root, endpoint);
	if (target->memdev)
		target->serial = cxl_number(root, target->memdev, "serial");
	return target->memdev || errno != ENOMEM ? 0 : -ENOMEM;
}

/* drivers/cxl/core/region.c:show_targetN(): an empty line where nothing is there */
static int add_target(const struct root *root, const char *name, uint64_t position, struct cxl *cxl)
{
	struct cxl_target *target = array_add(&cxl->targets);
	char *decoder;

	if (!target)
		return -ENOMEM;
	decoder = root_attributef(root, CXL_DEVICES "/%s/target%" PRIu64, name, position);
	if (!decoder || !starts_with(decoder, "decoder") || strchr(decoder, '/')) {
		free(decoder);
		return 0;
	}
	target->decoder = decoder;
	target->dpa_start = cxl_number(root, decoder, "dpa_resource");
	target->dpa_size = cxl_number(root, decoder, "dpa_size");
	cxl->locked |= cxl_number(root, decoder, "locked") == 1;
	return find_memdev(root, target);
}

static int find_targets(const struct root *root, struct device *device)
{
	struct cxl *cxl = &device->cxl;
	int rc = 0;

	for (uint64_t i = 0; rc == 0 && i < cxl->ways && i < WAYS_MAX; i++)
		rc = add_target(root, device->name, i, cxl);
	/* Linux 7.2 and later have it of the region, and then refuse: CXL_REGION_F_LOCK */
	cxl->refuses = cxl_number(root, device->name, "locked") == 1;
	cxl->locked |= cxl->refuses;
	return rc;
}

/* Before Linux 6.3 there were regions of persistent memory only, and no such attribute. */
static enum device_mode mode_of(const struct root *root, const char *name)
{
	_cleanup_free_ char *mode = root_attributef(root, CXL_DEVICES "/%s/mode", name);

	return mode && strcmp(mode, "ram") == 0 ? MODE_RAM : MODE_PMEM;
}

static int add_dax(const struct root *root, const char *path, const char *region, struct sysfs_names *names)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, "%s/%s", path, region);
	struct dirent *entry;
	uint64_t size;

	while (dir && (entry = readdir(dir))) {
		if (!dax_is_name(entry->d_name) ||
		    root_numberf(root, &size, "%s/%s/%s/size", path, region, entry->d_name) < 0 || !size)
			continue;
		if (sysfs_names_add(names, entry->d_name) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* ".../region0/dax_region0/dax0.0" */
int cxl_region_dax(const struct root *root, const char *path, struct sysfs_names *names)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, "%s", path);
	struct dirent *entry;
	int rc = 0;

	while (dir && rc == 0 && (entry = readdir(dir)))
		if (starts_with(entry->d_name, "dax_region"))
			rc = add_dax(root, path, entry->d_name, names);
	sysfs_names_sort(names);
	return rc;
}

/*
 * Memory at its addresses that goes on being used, though no device that could be
 * retired has it: left there by an unbind, or given to the kernel by firmware
 * (drivers/cxl/core/region.c:is_system_ram()).
 */
static int find_unowned(const struct root *root, struct device *device)
{
	const struct memory_range range = { device->resource, device->size };
	struct sysfs_names names = { { 0 } };
	int rc = cxl_region_dax(root, device->path, &names);

	if (rc == 0 && !names.list.count && device->resource && device->size &&
	    !root_existsf(root, "/sys/bus/nd/devices/%s/driver", device->name))
		device->cxl.unowned = dax_range_is_online(root, &range);
	sysfs_names_free(&names);
	return rc;
}

int cxl_region_describe(const struct root *root, const char *name, struct device *device)
{
	device->type = DEVICE_CXL_REGION;
	device->name = strdup(name);
	device->path = device->name ? sysfs_path(root, "cxl", name) : NULL;
	if (!device->path)
		return !device->name || errno == ENOMEM ? -ENOMEM : -ENODEV;
	device->mode = mode_of(root, name);
	device->driver = cxl_driver(root, name);
	device->driver_device = device->driver ? strdup(name) : NULL;
	device->size = device->capacity = cxl_number(root, name, "size");
	device->resource = cxl_number(root, name, "resource");
	/* drivers/cxl/core/region.c:resource_show(), without one */
	if (device->resource == UINT64_MAX)
		device->resource = 0;
	device->uuid = root_attributef(root, CXL_DEVICES "/%s/uuid", name);
	if (device->uuid && !*device->uuid)
		free(take_ptr(device->uuid));
	device->cxl.root_decoder = cxl_path_part(device->path, "decoder");
	device->cxl.numa_node = -1;
	device->cxl.ways = cxl_number(root, name, "interleave_ways");
	device->cxl.granularity = cxl_number(root, name, "interleave_granularity");
	device->cxl.committed = cxl_number(root, name, "commit") == 1;
	device->enabled = device->driver || device->cxl.committed;
	if ((device->driver && !device->driver_device) || !device->cxl.root_decoder)
		return device->cxl.root_decoder ? -ENOMEM : -ENODEV;
	if (find_targets(root, device) < 0)
		return -ENOMEM;
	return find_unowned(root, device);
}
