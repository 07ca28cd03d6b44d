// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Takes CXL devices down, from the top: the driver of a region, its decoders,
 * itself; the driver of a memdev, its power. Each looks first whether what is
 * above it has gone: the kernel does not (cxl.h).
 */
#include <errno.h>
#include <string.h>

#include "retire/targets/cxl-changes.h"
#include "retire/targets/cxl.h"
#include "retire/targets/dax.h"
#include "retire/targets/sysfs.h"
#include "util/cleanup.h"
#include "util/root.h"

/* Is a driver at a dax device of the region, or at the nd region on it? 1, 0, or a negative errno. */
static int has_users(const struct root *root, const struct device *device)
{
	_cleanup_names_ struct sysfs_names names = { { 0 } };
	int rc = cxl_region_dax(root, device->path, &names);

	array_each(name, &names.list)
		rc = rc ? rc : sysfs_has_driver(root, "dax", *name);
	return rc || device->mode != MODE_PMEM ? rc : sysfs_has_driver(root, "nd", device->name);
}

/* It is the one that was looked at, nothing above it has a driver, and no memory at its addresses is in use. */
static int check_unused(const struct root *root, const struct device *device)
{
	const struct memory_range range = { device->resource, device->size };
	int rc = cxl_region_check_identity(root, device, NULL);

	rc = rc < 0 ? rc : has_users(root, device);
	if (rc != 0)
		return rc < 0 ? rc : -EADDRINUSE;
	return cxl_check_range(root, &range);
}

/* 1 the region is there, 0 not, or a negative errno. */
static int is_there(const struct root *root, const struct device *device)
{
	return root_findf(root, CXL_DEVICES "/%s/commit", device->name);
}

static bool is_committed(const struct root *root, const char *region)
{
	uint64_t committed;

	/* what cannot be read may be */
	return root_numberf(root, &committed, CXL_DEVICES "/%s/commit", region) < 0 || committed;
}

int cxl_region_disable(const struct root *root, const struct device *device)
{
	_cleanup_free_ char *driver = NULL;
	int rc = cxl_driver(root, device->name, &driver);

	rc = rc < 0 || !driver ? rc : check_unused(root, device);
	if (rc < 0 || !driver)
		return rc;
	return sysfs_write(root, device->name, "/sys/bus/cxl/drivers/%s/unbind", driver);
}

/* The same of one whose own driver must have gone, too. */
static int check_free(const struct root *root, const struct device *device)
{
	int rc = cxl_has_driver(root, device->name);

	return rc < 0 ? rc : rc ? -EADDRINUSE : check_unused(root, device);
}

int cxl_region_decommit(const struct root *root, const struct device *device)
{
	int rc = is_there(root, device);

	if (rc <= 0 || !is_committed(root, device->name))
		return rc < 0 ? rc : 1;
	rc = check_free(root, device);
	rc = rc < 0 ? rc : sysfs_write(root, "0", CXL_DEVICES "/%s/commit", device->name);
	return rc == 0 && is_committed(root, device->name) ? -EIO : rc;
}

/* The kernel gives room on a memdev back from the end on only: drivers/cxl/core/hdm.c:cxl_dpa_free(). */
static void give_room_back(const struct root *root, const struct device *device)
{
	for (size_t i = device->cxl.targets.count; i-- > 0;) {
		const char *decoder = device->cxl.targets.items[i].decoder;

		if (decoder)
			sysfs_write(root, "0", CXL_DEVICES "/%s/dpa_size", decoder);
	}
}

int cxl_region_erase(const struct root *root, const struct device *device)
{
	int rc = is_there(root, device);

	if (rc <= 0)
		return rc < 0 ? rc : 1;
	rc = is_committed(root, device->name) ? -EADDRINUSE : check_free(root, device);
	rc = rc < 0 ? rc
		    : sysfs_write(root, device->name, CXL_DEVICES "/%s/delete_region", device->cxl.root_decoder);
	if (rc == 0 && is_there(root, device) != 0)
		rc = -EIO;
	if (rc == 0)
		give_room_back(root, device);
	return rc;
}

/* One that is for no region, but programmed: by firmware, for memory that is had by its address. */
static int check_range(const struct root *root, const char *decoder)
{
	struct memory_range range;
	int rc = cxl_decoder_range(root, decoder, &range);

	return rc < 0 || !range.size ? rc : cxl_check_range(root, &range);
}

/* -EADDRINUSE: a region that this decoder is for is committed, or has a driver, or without one its memory is in
 * use.
 */
static int check_decoder(const struct root *root, const char *decoder)
{
	_cleanup_free_ char *region = NULL;
	int rc = cxl_decoder_region(root, decoder, &region);

	if (rc < 0 && rc != -ENOENT)
		return rc;
	if (!region)
		return check_range(root, decoder);
	rc = cxl_has_driver(root, region);
	return rc < 0 ? rc : rc || is_committed(root, region) ? -EADDRINUSE : 0;
}

static int check_decoders(const struct root *root, const char *endpoint)
{
	_cleanup_names_ struct sysfs_names decoders = { { 0 } };
	int rc = cxl_endpoint_decoders(root, endpoint, &decoders);

	array_each(decoder, &decoders.list)
		rc = rc < 0 ? rc : check_decoder(root, *decoder);
	return rc;
}

int cxl_memdev_disable(const struct root *root, const struct device *device)
{
	_cleanup_free_ char *name = cxl_memdev_now(root, device), *driver = NULL;
	_cleanup_cxl_ struct cxl_devices cxl = { 0 };
	const struct cxl_memdev *memdev;
	int rc;

	if (!name)
		return errno == ENODEV ? 0 : -errno;
	rc = cxl_driver(root, name, &driver);
	if (rc < 0 || !driver)
		return rc;
	rc = cxl_devices_read(root, &cxl);
	memdev = rc < 0 ? NULL : cxl_memdev_named(&cxl, name);
	/* without one its driver is just coming or going: drivers/cxl/mem.c:cxl_mem_probe() */
	if (rc == 0)
		rc = memdev && memdev->endpoint ? check_decoders(root, memdev->endpoint) : -EAGAIN;
	return rc < 0 ? rc : sysfs_write(root, name, "/sys/bus/cxl/drivers/%s/unbind", driver);
}
