// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Takes CXL devices down, from the top: the driver of a region, its decoders,
 * itself; the driver of a memdev, its power. Each looks first whether what is
 * above it has gone: the kernel does not (cxl.h).
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "retire/targets/cxl-changes.h"
#include "retire/targets/cxl.h"
#include "retire/targets/dax.h"
#include "retire/targets/sysfs.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

/* Is a driver at a dax device of the region, or at the nd region on it? */
static int has_users(const struct root *root, const struct device *device)
{
	struct sysfs_names names = { { 0 } };
	int rc = cxl_region_dax(root, device->path, &names);

	array_each(name, &names.list) {
		_cleanup_free_ char *driver = dax_driver(root, *name);

		rc = rc == 0 && driver ? 1 : rc;
	}
	sysfs_names_free(&names);
	if (rc == 0 && device->mode == MODE_PMEM)
		rc = root_existsf(root, "/sys/bus/nd/devices/%s/driver", device->name);
	return rc;
}

/* It is the one that was looked at, nothing above it has a driver, and no memory at its addresses is in use. */
static int check_unused(const struct root *root, const struct device *device)
{
	const struct memory_range range = { device->resource, device->size };
	int rc = cxl_region_check_identity(root, device, NULL);

	rc = rc < 0 ? rc : has_users(root, device);
	if (rc != 0)
		return rc < 0 ? rc : -EADDRINUSE;
	return dax_range_is_online(root, &range) ? -EADDRINUSE : 0;
}

static bool is_committed(const struct root *root, const char *region)
{
	uint64_t committed;

	/* what cannot be read may be */
	return root_numberf(root, &committed, CXL_DEVICES "/%s/commit", region) < 0 || committed;
}

int cxl_region_disable(const struct root *root, const struct device *device)
{
	_cleanup_free_ char *driver = cxl_driver(root, device->name);
	int rc = driver ? check_unused(root, device) : 0;

	if (rc < 0 || !driver)
		return rc;
	return sysfs_write(root, device->name, "/sys/bus/cxl/drivers/%s/unbind", driver);
}

int cxl_region_decommit(const struct root *root, const struct device *device)
{
	_cleanup_free_ char *driver = cxl_driver(root, device->name);
	int rc;

	if (!root_existsf(root, CXL_DEVICES "/%s/commit", device->name) || !is_committed(root, device->name))
		return 1;
	rc = driver ? -EADDRINUSE : check_unused(root, device);
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
	_cleanup_free_ char *driver = cxl_driver(root, device->name);
	int rc;

	if (!root_existsf(root, CXL_DEVICES "/%s/commit", device->name))
		return 1;
	rc = driver || is_committed(root, device->name) ? -EADDRINUSE : check_unused(root, device);
	rc = rc < 0 ? rc
		    : sysfs_write(root, device->name, CXL_DEVICES "/%s/delete_region", device->cxl.root_decoder);
	if (rc == 0 && root_existsf(root, CXL_DEVICES "/%s/commit", device->name))
		rc = -EIO;
	if (rc == 0)
		give_room_back(root, device);
	return rc;
}

/* -EADDRINUSE: a region that this decoder is for is committed, or has a driver. */
static int check_decoder(const struct root *root, const char *decoder)
{
	_cleanup_free_ char *region = root_attributef(root, CXL_DEVICES "/%s/region", decoder), *driver = NULL;

	if (!region || !*region || strchr(region, '/'))
		return 0;
	driver = cxl_driver(root, region);
	return driver || is_committed(root, region) ? -EADDRINUSE : 0;
}

static int check_decoders(const struct root *root, const char *endpoint)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, CXL_DEVICES "/%s", endpoint);
	struct dirent *entry;
	int rc = dir ? 0 : -errno;

	while (rc == 0 && (entry = readdir(dir)))
		if (starts_with(entry->d_name, "decoder"))
			rc = check_decoder(root, entry->d_name);
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
	driver = cxl_driver(root, name);
	if (!driver)
		return 0;
	rc = cxl_devices_read(root, &cxl);
	memdev = rc < 0 ? NULL : cxl_memdev_named(&cxl, name);
	if (rc == 0 && memdev && memdev->endpoint)
		rc = check_decoders(root, memdev->endpoint);
	return rc < 0 ? rc : sysfs_write(root, name, "/sys/bus/cxl/drivers/%s/unbind", driver);
}
