// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Gives CXL devices back to their drivers; what each can do is in the tables at
 * the end.
 *
 * The driver of a region makes a dax device or an nd region of it, and these get
 * drivers by themselves, the dax device kmem: its memory would come online before
 * anybody could say in which zone. So it comes offline, and gives that driver up: who
 * restores it knows which one it had.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "retire/targets/cxl-changes.h"
#include "retire/targets/cxl.h"
#include "retire/targets/dax.h"
#include "retire/targets/kinds.h"
#include "retire/targets/modules.h"
#include "retire/targets/online-policy.h"
#include "retire/targets/pmem.h"
#include "retire/targets/sysfs.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/root.h"

enum { PATIENCE_MS = 10000, BETWEEN_MS = 20 };

static int region_is_enabled(const struct root *root, const struct device *device)
{
	uint64_t committed;
	int rc = cxl_has_driver(root, device->name);

	if (rc)
		return rc;
	rc = cxl_number(root, device->name, "commit", &committed);
	return rc < 0 ? rc : committed != 0;
}

static int memdev_is_enabled(const struct root *root, const struct device *device)
{
	_cleanup_free_ char *name = cxl_memdev_now(root, device);

	if (!name)
		return errno == ENODEV || errno == ESTALE ? 0 : -errno;
	return cxl_has_driver(root, name);
}

static int await(const struct root *root, const struct device *device,
		 bool (*is_so)(const struct root *root, const struct device *device))
{
	struct deadline deadline = deadline_in(PATIENCE_MS);

	while (!is_so(root, device)) {
		if (deadline_passed(deadline))
			return -ETIMEDOUT;
		wait_readable(-1, -1, deadline_in(BETWEEN_MS));
	}
	return 0;
}

static bool has_endpoint(const struct root *root, const struct device *device)
{
	_cleanup_cxl_ struct cxl_devices cxl = { 0 };
	_cleanup_free_ char *name = cxl_memdev_now(root, device);
	const struct cxl_memdev *memdev =
		name && cxl_devices_read(root, &cxl) == 0 ? cxl_memdev_named(&cxl, name) : NULL;

	return memdev && memdev->endpoint;
}

int cxl_memdev_enable(const struct root *root, const struct device *device)
{
	_cleanup_free_ char *name = cxl_memdev_now(root, device);
	int rc;

	if (!name)
		return -errno;
	rc = cxl_has_driver(root, name);
	if (rc < 0)
		return rc;
	/* one that has just come is still being looked at */
	if (rc)
		return await(root, device, has_endpoint) < 0 ? -ENXIO : 1;
	rc = sysfs_write(root, name, "/sys/bus/cxl/drivers/cxl_mem/bind");
	return rc < 0 ? rc : await(root, device, has_endpoint) < 0 ? -ENXIO : 0;
}

/* The dax region, or what persistent memory has instead, has a driver in a module of its own. */
static void load_modules(const struct root *root, const struct device *device)
{
	static const char *const prefixes[] = { "dax_", "pmem_" };
	char path[512];

	for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
		snprintf(path, sizeof(path), "%s/%s%s", device->path, prefixes[i], device->name);
		if (root_existsf(root, "%s", path))
			modules_load_for(root, path);
	}
}

static bool has_made_it(const struct root *root, const struct device *device)
{
	struct sysfs_names names = { { 0 } };
	bool made;

	load_modules(root, device);
	if (device->mode == MODE_PMEM)
		return sysfs_has_driver(root, "nd", device->name) > 0;
	made = cxl_region_dax(root, device->path, &names) == 0 && names.list.count;
	sysfs_names_free(&names);
	return made;
}

/* Where somebody has brought its memory online meanwhile it keeps that driver, and who wants another one says so.
 */
static void release_dax(const struct root *root, const struct device *device)
{
	struct sysfs_names names = { { 0 } };

	if (cxl_region_dax(root, device->path, &names) == 0)
		array_each(name, &names.list)
			dax_release(root, *name);
	sysfs_names_free(&names);
}

static int bind_region(const struct root *root, const struct device *device)
{
	int rc = sysfs_write(root, device->name, "/sys/bus/cxl/drivers/cxl_region/bind");

	/* what is missing then is told by who needs it */
	if (rc == 0 && await(root, device, has_made_it) == 0)
		release_dax(root, device);
	return rc;
}

int cxl_region_enable(const struct root *root, const struct device *device)
{
	struct online_policy policy;
	int rc = cxl_region_check_identity(root, device, NULL);

	rc = rc < 0 ? rc : cxl_has_driver(root, device->name);
	if (rc)
		return rc;
	rc = online_policy_set_offline(root, &policy);
	rc = rc < 0 ? rc : bind_region(root, device);
	online_policy_put_back(&policy);
	return rc;
}

const struct target_kind target_cxl_region = {
	.disable = cxl_region_disable,
	.enable = cxl_region_enable,
	.is_enabled = region_is_enabled,
	.check_identity = cxl_region_check_identity,
	.describe = cxl_region_describe,
	.changes = {
		[CXL_DECOMMIT] = cxl_region_decommit,
		[CXL_COMMIT] = cxl_region_commit,
		[CXL_ERASE] = cxl_region_erase,
	},
};

const struct target_kind target_cxl_memdev = {
	.disable = cxl_memdev_disable,
	.enable = cxl_memdev_enable,
	.is_enabled = memdev_is_enabled,
	.check_identity = cxl_memdev_check_identity,
	.describe = cxl_memdev_describe,
	.changes = {
		[CXL_POWER_OFF] = cxl_memdev_power_off,
		[CXL_POWER_ON] = cxl_memdev_power_on,
	},
};
