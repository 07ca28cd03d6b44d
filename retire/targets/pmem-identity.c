// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is what has the name of a device now still that device? A namespace can be
 * destroyed and made anew, a DIMM replaced, a region be given another number
 * at the next boot; what was on the old one must not be put on the new one.
 *
 * Only sysfs is read. While a namespace is disabled the instance on it (pfn,
 * btt, dax) is not there: its uuid is in the memory itself, and can be
 * compared only when the namespace is enabled.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "retire/targets/kinds.h"
#include "retire/targets/pmem.h"
#include "retire/targets/sysfs.h"
#include "util/root.h"

/* "region0" of ".../region0/namespace0.0" is there, but has no driver: then it has no namespaces. */
static bool is_in_disabled_region(const struct root *root, const struct device *device, char *region, size_t size)
{
	const char *end = strrchr(device->path, '/');
	_cleanup_free_ char *driver = NULL;

	if (device->type != DEVICE_PMEM_NAMESPACE || !end)
		return false;
	snprintf(region, size, "%.*s", (int)(end - device->path), device->path);
	driver = root_readlinkf(root, "%s/driver", region);
	return !driver && root_existsf(root, "%s", region);
}

/* ".../nvdimm-bridge0/ndbus0/region0" is made, and taken away, with a region of CXL, which may come back. */
static bool is_on_cxl(const struct root *root, const struct device *device)
{
	const char *bus = strstr(device->path, "/ndbus");
	const char *region = bus ? strchr(bus + 1, '/') : NULL;

	return region && strstr(device->path, "/nvdimm-bridge") &&
	       !root_existsf(root, "%.*s", (int)(region - device->path) + 1 + (int)strcspn(region + 1, "/"),
			     device->path);
}

static int is_there(const struct root *root, const struct device *device, struct err *err)
{
	_cleanup_free_ char *path = sysfs_path(root, "nd", device->name);
	char region[512];

	if (path)
		return identity_same_text(device, "path", device->path, path, err);
	if (is_in_disabled_region(root, device, region, sizeof(region)))
		return err_set(err, -ENXIO, "%s is not there: %s is disabled", device->name,
			       strrchr(region, '/') + 1);
	if (is_on_cxl(root, device))
		return err_set(err, -ENXIO, "%s is not there: its CXL region is disabled", device->name);
	return err_set(err, -ENODEV, "%s is not there", device->name);
}

static int same_instance(const struct root *root, const struct device *device, struct err *err)
{
	_cleanup_free_ char *instance = pmem_instance(root, device->path), *driver = NULL, *uuid = NULL;

	if (!instance)
		return err_errno(err, -errno, "%s cannot be read", device->name);
	driver = pmem_driver(root, device->path, *instance ? instance : device->name);
	/* disabled, now or then: the instance was not seen */
	if (!driver || !device->enabled)
		return 0;
	uuid = pmem_instance_uuid(root, device->path, instance);
	return identity_same_text(device, "instance", device->instance_uuid, uuid, err);
}

static int same_namespace(const struct root *root, const struct device *device, struct err *err)
{
	_cleanup_free_ char *uuid = root_attributef(root, "%s/uuid", device->path);
	int rc;

	rc = identity_same_text(device, "uuid", device->uuid, uuid && *uuid ? uuid : NULL, err);
	rc = rc < 0 ? rc : identity_same_number(root, device, "size", false, device->capacity, err);
	rc = rc < 0 ? rc : identity_same_number(root, device, "resource", true, device->resource, err);
	return rc < 0 ? rc : same_instance(root, device, err);
}

static int same_region(const struct root *root, const struct device *device, struct err *err)
{
	int rc = identity_same_number(root, device, "set_cookie", true, device->set_cookie, err);

	rc = rc < 0 ? rc : identity_same_number(root, device, "size", false, device->capacity, err);
	return rc < 0 ? rc : identity_same_number(root, device, "resource", true, device->resource, err);
}

int pmem_check_identity(const struct root *root, const struct device *device, struct err *err)
{
	int rc = is_there(root, device, err);

	if (rc < 0)
		return rc;
	return device->type == DEVICE_PMEM_REGION ? same_region(root, device, err)
						  : same_namespace(root, device, err);
}

const struct target_kind target_pmem_namespace = {
	.disable = pmem_namespace_disable,
	.enable = pmem_namespace_enable,
	.is_enabled = pmem_namespace_is_enabled,
	.check_identity = pmem_check_identity,
	.describe = pmem_describe,
};

const struct target_kind target_pmem_region = {
	.disable = pmem_region_disable,
	.enable = pmem_region_enable,
	.is_enabled = pmem_region_is_enabled,
	.check_identity = pmem_check_identity,
	.describe = pmem_region_describe,
};
