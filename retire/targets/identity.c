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
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "retire/targets/pmem.h"
#include "retire/targets/targets.h"
#include "util/root.h"

static int same_text(const struct device *device, const char *what, const char *was, const char *is,
		     struct err *err)
{
	if (was && is ? strcmp(was, is) == 0 : !was && !is)
		return 0;
	return err_set(err, -ESTALE, "%s is another one: its %s is %s, it was %s", device->name, what,
		       is ? is : "none", was ? was : "none");
}

/* A number that could not be read (0), now or then, tells nothing. */
static int same_number(const struct device *device, const char *what, bool hex, uint64_t was, uint64_t is,
		       struct err *err)
{
	char then[32], now[32];

	if (!was || !is || was == is)
		return 0;
	snprintf(then, sizeof(then), hex ? "%#" PRIx64 : "%" PRIu64, was);
	snprintf(now, sizeof(now), hex ? "%#" PRIx64 : "%" PRIu64, is);
	return same_text(device, what, then, now, err);
}

static int same_attribute(const struct root *root, const struct device *device, const char *attribute, bool hex,
			  uint64_t was, struct err *err)
{
	uint64_t now;

	if (root_numberf(root, &now, "%s/%s", device->path, attribute) < 0)
		now = 0;
	return same_number(device, attribute, hex, was, now, err);
}

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

static int is_there(const struct root *root, const struct device *device, struct err *err)
{
	_cleanup_free_ char *path = pmem_sysfs_path(root, device->name);
	char region[512];

	if (path)
		return same_text(device, "path", device->path, path, err);
	if (is_in_disabled_region(root, device, region, sizeof(region)))
		return err_set(err, -ENXIO, "%s is not there: %s is disabled", device->name,
			       strrchr(region, '/') + 1);
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
	return same_text(device, "instance", device->instance_uuid, uuid, err);
}

static int same_namespace(const struct root *root, const struct device *device, struct err *err)
{
	_cleanup_free_ char *uuid = root_attributef(root, "%s/uuid", device->path);
	int rc;

	rc = same_text(device, "uuid", device->uuid, uuid && *uuid ? uuid : NULL, err);
	rc = rc < 0 ? rc : same_attribute(root, device, "size", false, device->capacity, err);
	rc = rc < 0 ? rc : same_attribute(root, device, "resource", true, device->resource, err);
	return rc < 0 ? rc : same_instance(root, device, err);
}

static int same_region(const struct root *root, const struct device *device, struct err *err)
{
	int rc = same_attribute(root, device, "set_cookie", true, device->set_cookie, err);

	rc = rc < 0 ? rc : same_attribute(root, device, "size", false, device->capacity, err);
	return rc < 0 ? rc : same_attribute(root, device, "resource", true, device->resource, err);
}

int targets_check_identity(const struct root *root, const struct device *device, struct err *err)
{
	int rc = is_there(root, device, err);

	if (rc < 0)
		return rc;
	return device->type == DEVICE_PMEM_REGION ? same_region(root, device, err)
						  : same_namespace(root, device, err);
}
