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
	int rc;

	if (!starts_with(target->decoder, "decoder") || strlen(target->decoder) >= sizeof(endpoint) - 4)
		return 0;
	snprintf(endpoint, sizeof(endpoint), "endpoint%.*s", (int)strcspn(target->decoder + letters, "."),
		 target->decoder + letters);
	rc = cxl_endpoint_memdev(root, endpoint, &target->memdev);
	return rc < 0 || !target->memdev ? rc : cxl_number(root, target->memdev, "serial", &target->serial);
}

/* drivers/cxl/core/region.c:show_targetN(): an empty line where nothing is there */
static int add_target(const struct root *root, const char *name, uint64_t position, struct cxl *cxl)
{
	_cleanup_free_ char *decoder = root_attributef(root, CXL_DEVICES "/%s/target%" PRIu64, name, position);
	struct cxl_target *target = decoder || errno == ENOENT ? array_add(&cxl->targets) : NULL;
	uint64_t locked;
	int rc;

	if (!target)
		return -errno;
	if (!decoder || !starts_with(decoder, "decoder") || strchr(decoder, '/'))
		return 0;
	target->decoder = take_ptr(decoder);
	rc = cxl_numbers(root, target->decoder,
			 (struct cxl_attribute[]){ { "dpa_resource", &target->dpa_start },
						   { "dpa_size", &target->dpa_size },
						   { "locked", &locked } },
			 3);
	cxl->locked |= locked == 1;
	return rc < 0 ? rc : find_memdev(root, target);
}

static int find_targets(const struct root *root, struct device *device)
{
	struct cxl *cxl = &device->cxl;
	uint64_t refuses;
	/* Linux 7.2 and later have it of the region, and then refuse: CXL_REGION_F_LOCK */
	int rc = cxl_number(root, device->name, "locked", &refuses);

	for (uint64_t i = 0; rc == 0 && i < cxl->ways && i < WAYS_MAX; i++)
		rc = add_target(root, device->name, i, cxl);
	cxl->refuses = refuses == 1;
	cxl->locked |= cxl->refuses;
	return rc;
}

/* Before Linux 6.3 there were regions of persistent memory only, and no such attribute. */
static int read_mode(const struct root *root, struct device *device)
{
	_cleanup_free_ char *mode = root_attributef(root, CXL_DEVICES "/%s/mode", device->name);

	if (!mode && errno != ENOENT)
		return -errno;
	device->mode = mode && strcmp(mode, "ram") == 0 ? MODE_RAM : MODE_PMEM;
	return 0;
}

/* Only the seed of the next one has neither; one that is going loses its attributes before its driver:
 * device_del().
 */
static int has_capacity(const struct root *root, const char *path, const char *region, const char *name)
{
	uint64_t size;
	int rc = root_numberf(root, &size, "%s/%s/%s/size", path, region, name);

	if (rc == -ENOENT || (rc == 0 && !size))
		return sysfs_has_driver(root, "dax", name);
	return rc < 0 ? rc : 1;
}

static int add_dax(const struct root *root, const char *path, const char *region, struct sysfs_names *names)
{
	_cleanup_names_ struct sysfs_names found = { { 0 } };
	int rc = sysfs_names_read(root, "dax", &found, "%s/%s", path, region);

	array_each(name, &found.list) {
		int has = rc < 0 || !dax_is_name(*name) ? 0 : has_capacity(root, path, region, *name);

		rc = has > 0 ? sysfs_names_add(names, *name) : has < 0 ? has : rc;
	}
	return rc;
}

/* ".../region0/dax_region0/dax0.0" */
int cxl_region_dax(const struct root *root, const char *path, struct sysfs_names *names)
{
	_cleanup_names_ struct sysfs_names regions = { { 0 } };
	int rc = sysfs_names_read(root, "dax_region", &regions, "%s", path);

	array_each(region, &regions.list)
		rc = rc < 0 ? rc : add_dax(root, path, *region, names);
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
	_cleanup_names_ struct sysfs_names names = { { 0 } };
	int rc = cxl_region_dax(root, device->path, &names);

	if (rc < 0 || names.list.count || !device->resource || !device->size)
		return rc;
	rc = sysfs_has_driver(root, "nd", device->name);
	device->cxl.unowned = rc == 0 && dax_range_is_online(root, &range);
	return rc < 0 ? rc : 0;
}

static int read_uuid(const struct root *root, struct device *device)
{
	device->uuid = root_attributef(root, CXL_DEVICES "/%s/uuid", device->name);
	if (!device->uuid)
		return errno == ENOENT ? 0 : -errno;
	if (!*device->uuid)
		free(take_ptr(device->uuid));
	return 0;
}

/* Its own attributes. */
static int read_attributes(const struct root *root, struct device *device)
{
	uint64_t committed;
	int rc = cxl_numbers(root, device->name,
			     (struct cxl_attribute[]){
				     { "size", &device->size },
				     { "resource", &device->resource },
				     { "interleave_ways", &device->cxl.ways },
				     { "interleave_granularity", &device->cxl.granularity },
				     { "commit", &committed },
			     },
			     5);

	device->capacity = device->size;
	device->cxl.committed = committed == 1;
	/* drivers/cxl/core/region.c:resource_show(), without one */
	if (device->resource == UINT64_MAX)
		device->resource = 0;
	rc = rc < 0 ? rc : read_mode(root, device);
	rc = rc < 0 ? rc : read_uuid(root, device);
	return rc < 0 ? rc : cxl_driver(root, device->name, &device->driver);
}

int cxl_region_describe(const struct root *root, const char *name, struct device *device)
{
	int rc;

	device->type = DEVICE_CXL_REGION;
	device->name = strdup(name);
	device->path = device->name ? sysfs_path(root, "cxl", name) : NULL;
	if (!device->path)
		return errno == ENOENT ? -ENODEV : -errno;
	rc = read_attributes(root, device);
	if (rc < 0)
		return rc;
	device->driver_device = device->driver ? strdup(name) : NULL;
	device->cxl.root_decoder = cxl_path_part(device->path, "decoder");
	device->cxl.numa_node = -1;
	device->enabled = device->driver || device->cxl.committed;
	if ((device->driver && !device->driver_device) || !device->cxl.root_decoder)
		return device->cxl.root_decoder ? -ENOMEM : -ENODEV;
	rc = find_targets(root, device);
	return rc < 0 ? rc : find_unowned(root, device);
}
