// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Gives a pmem namespace or region back to its driver.
 *
 * A namespace's own driver only looks what is on it: where it finds the
 * information block of an instance (pfn, btt, dax) it makes that device, which
 * gets its driver by itself and later, and fails (drivers/nvdimm/pmem.c:
 * nd_pmem_probe()). And a region that gets its driver makes and binds all its
 * namespaces in the background. So success is what is read back, after a while.
 */
#include <errno.h>
#include <string.h>

#include "retire/targets/dax.h"
#include "retire/targets/libraries.h"
#include "retire/targets/modules.h"
#include "retire/targets/pmem.h"
#include "retire/targets/sysfs.h"
#include "util/clock.h"
#include "util/root.h"

/* What the kernel does in the background takes a few milliseconds on a real machine. */
enum { PATIENCE_MS = 10000, BETWEEN_MS = 20 };

/* A block device is there as soon as its driver is; a device-dax has a driver of its own. */
static bool has_node(const struct root *root, const struct device *now)
{
	return now->dev &&
	       (now->mode != MODE_DEVDAX || root_existsf(root, "/sys/bus/dax/devices/%s/driver", now->blockdev));
}

static int await_probes(void)
{
	_cleanup_ndctl_ struct ndctl_ctx *ctx = NULL;
	int rc = ndctl_open(&ctx);

	if (rc == 0)
		ndctl_wait(ctx);
	return rc;
}

/* 1 it is enabled, and whoever uses it finds its node; 0 not yet; -ESTALE it is something else; negative errno. */
static int check_enabled(const struct root *root, const struct device *device)
{
	struct device now = { 0 };
	int rc = await_probes();

	rc = rc < 0 ? rc : pmem_describe(root, device->name, &now);

	if (rc == 0 && now.enabled && now.mode != device->mode)
		rc = -ESTALE;
	else if (rc == 0 && now.enabled && has_node(root, &now))
		rc = 1;
	device_free(&now);
	/* gone, or half made: await_namespace() has seen it */
	if (rc == -ENODEV)
		return 0;
	return rc == 1 && pmem_check_identity(root, device, NULL) < 0 ? -ESTALE : rc;
}

static void pause_for(uint64_t ms)
{
	wait_readable(-1, -1, deadline_in(ms));
}

/* The driver of the namespace, of the instance that has claimed it, of the device-dax on that. */
static int load_modules(const struct root *root, const struct device *device)
{
	_cleanup_free_ char *instance = pmem_instance(root, device->path), *path = NULL, *dax = NULL;
	int rc = modules_load_for(root, device->path);

	path = instance && *instance ? sysfs_path(root, "nd", instance) : NULL;
	if (rc < 0 || !path)
		return rc;
	rc = modules_load_for(root, path);
	dax = device->mode == MODE_DEVDAX ? pmem_dax_path(root, path) : NULL;
	return rc < 0 || !dax ? rc : modules_load_for(root, dax);
}

/* A namespace of a region that was just enabled appears in the background. */
static int await_namespace(const struct root *root, const struct device *device, struct deadline deadline)
{
	for (;;) {
		int rc = pmem_check_identity(root, device, NULL);

		if (rc != -ENODEV || deadline_passed(deadline))
			return rc;
		pause_for(BETWEEN_MS);
	}
}

/* What the first bind has made gets its own driver, as soon as there is one. */
static int await_enabled(const struct root *root, const struct device *device, struct deadline deadline)
{
	for (;;) {
		int modules = load_modules(root, device);
		int rc = check_enabled(root, device);

		if (rc != 0)
			return rc < 0 ? rc : 0;
		if (modules < 0 || deadline_passed(deadline))
			return modules < 0 ? modules : -ENXIO;
		pause_for(BETWEEN_MS);
	}
}

static int bind_namespace(const char *name)
{
	_cleanup_ndctl_ struct ndctl_ctx *ctx = NULL;
	struct ndctl_namespace *ndns;
	int rc = ndctl_open(&ctx);

	if (rc < 0)
		return rc;
	ndns = ndctl_find_namespace(ctx, name);
	return ndns ? ndctl_namespace_enable(ndns) : -ENODEV;
}

static int enable_namespace(const struct root *root, const struct device *device)
{
	struct deadline deadline = deadline_in(PATIENCE_MS);
	int rc = await_namespace(root, device, deadline);

	rc = rc < 0 ? rc : check_enabled(root, device);
	if (rc != 0)
		return rc;
	rc = load_modules(root, device);
	if (rc < 0)
		return rc;
	/* its answer means little: an instance without a driver yet is a failure to it */
	bind_namespace(device->name);
	return await_enabled(root, device, deadline);
}

/* Its device-dax was handed on to kmem, and is again. */
static int make_system_ram(const struct root *root, const struct device *device)
{
	int rc;

	if (!device->system_ram || !device->blockdev)
		return 0;
	rc = dax_switch_driver(root, device->blockdev, "kmem");
	return rc < 0 ? rc : 0;
}

int pmem_namespace_enable(const struct root *root, const struct device *device)
{
	int rc = enable_namespace(root, device), ram;

	ram = rc < 0 ? 0 : make_system_ram(root, device);
	return ram < 0 ? ram : rc;
}

int pmem_region_enable(const struct root *root, const struct device *device)
{
	_cleanup_ndctl_ struct ndctl_ctx *ctx = NULL;
	struct ndctl_region *region;
	int rc = pmem_check_identity(root, device, NULL);

	if (rc == 0 && pmem_region_is_enabled(root, device))
		return 1;
	rc = rc < 0 ? rc : modules_load_for(root, device->path);
	rc = rc < 0 ? rc : ndctl_open(&ctx);
	if (rc < 0)
		return rc;
	region = ndctl_find_region(ctx, device->name);
	rc = region ? ndctl_region_enable(region) : -ENODEV;
	if (rc != 0)
		return rc < 0 ? rc : -EIO;
	/* until its namespaces are there and bound */
	ndctl_wait(ctx);
	return pmem_region_is_enabled(root, device) ? pmem_check_identity(root, device, NULL) : -ENXIO;
}
