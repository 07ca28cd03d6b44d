// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is what has the name of a device now still that device? A namespace can be
 * destroyed and made anew, a DIMM replaced, a region be given another number
 * at the next boot; what was on the old one must not be put on the new one.
 *
 * On CXL the bus of a region is made by a bridge, and both are numbered anew
 * whenever cxl_acpi or cxl_pmem are loaded anew, and so may be its addresses: there the
 * region is that of the CXL region, which is known by its cards, and what it is
 * made of (set_cookie), its size and uuid tell the rest.
 *
 * Only sysfs is read. While a namespace is disabled the instance on it (pfn,
 * btt, dax) is not there: its uuid is in the memory itself, and can be
 * compared only when the namespace is enabled.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retire/targets/kinds.h"
#include "retire/targets/pmem.h"
#include "retire/targets/sysfs.h"
#include "util/root.h"
#include "util/text.h"

/* The end of ".../nvdimm-bridge0/ndbus0" in the path of what is on CXL, and in *length where the numbers start;
 * NULL of what is not. drivers/cxl/core/pmem.c:cxl_nvdimm_bridge_alloc() */
static const char *behind_bus(const char *path, size_t *length)
{
	static const char bridge[] = "/nvdimm-bridge", bus[] = "/ndbus";
	const char *at = strstr(path, bridge);

	if (!at)
		return NULL;
	at += strlen(bridge);
	*length = (size_t)(at - path);
	at += strspn(at, "0123456789");
	if (!starts_with(at, bus))
		return NULL;
	at += strlen(bus);
	return at + strspn(at, "0123456789");
}

static bool is_on_cxl(const struct device *device)
{
	size_t length;

	return behind_bus(device->path, &length);
}

/* But for the numbers of the bridge and of the bus. */
static bool is_same_place(const char *was, const char *is)
{
	size_t was_length = 0, is_length = 0;
	const char *was_rest = behind_bus(was, &was_length), *is_rest = behind_bus(is, &is_length);

	return was_rest && is_rest && was_length == is_length && strncmp(was, is, was_length) == 0 &&
	       strcmp(was_rest, is_rest) == 0;
}

/* Where its region is now, if that is the same one, also where the device itself is not there; caller frees. */
static char *path_now(const struct root *root, const struct device *device)
{
	size_t length = strlen(device->path);
	_cleanup_free_ char *region = NULL, *now = NULL;
	char *path;

	if (device->type == DEVICE_PMEM_NAMESPACE)
		length = (size_t)(strrchr(device->path, '/') - device->path);
	region = strndup(device->path, length);
	if (!region)
		return NULL;
	now = sysfs_path(root, "nd", strrchr(region, '/') + 1);
	if (!now || !is_same_place(region, now))
		return strdup(device->path);
	return asprintf(&path, "%s%s", now, device->path + length) < 0 ? NULL : path;
}

/* As if it had been looked at where it is now. */
static int at_its_place(const struct root *root, const struct device *device,
			int (*does)(const struct root *root, const struct device *device))
{
	_cleanup_free_ char *path = path_now(root, device);
	struct device here = *device;

	here.path = path;
	return path ? does(root, &here) : -ENOMEM;
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

/* The nd region is made, and taken away, with a region of CXL, which may come back. */
static bool has_gone_with_region(const struct root *root, const struct device *device)
{
	size_t length;
	const char *region = behind_bus(device->path, &length);

	return region && *region == '/' &&
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
	if (has_gone_with_region(root, device))
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

/* A CXL region that is made again has another one where its own was taken meanwhile; the rest tells enough. */
static int same_address(const struct root *root, const struct device *device, struct err *err)
{
	if (is_on_cxl(device) && (device->uuid || device->set_cookie))
		return 0;
	return identity_same_number(root, device, "resource", true, device->resource, err);
}

static int same_namespace(const struct root *root, const struct device *device, struct err *err)
{
	_cleanup_free_ char *uuid = root_attributef(root, "%s/uuid", device->path);
	int rc;

	rc = identity_same_text(device, "uuid", device->uuid, uuid && *uuid ? uuid : NULL, err);
	rc = rc < 0 ? rc : identity_same_number(root, device, "size", false, device->capacity, err);
	rc = rc < 0 ? rc : same_address(root, device, err);
	return rc < 0 ? rc : same_instance(root, device, err);
}

static int same_region(const struct root *root, const struct device *device, struct err *err)
{
	int rc = identity_same_number(root, device, "set_cookie", true, device->set_cookie, err);

	rc = rc < 0 ? rc : identity_same_number(root, device, "size", false, device->capacity, err);
	return rc < 0 ? rc : same_address(root, device, err);
}

int pmem_check_identity(const struct root *root, const struct device *device, struct err *err)
{
	_cleanup_free_ char *path = path_now(root, device);
	struct device here = *device;
	int rc;

	if (!path)
		return err_set(err, -ENOMEM, "out of memory");
	here.path = path;
	rc = is_there(root, &here, err);
	if (rc < 0)
		return rc;
	return device->type == DEVICE_PMEM_REGION ? same_region(root, &here, err)
						  : same_namespace(root, &here, err);
}

static int namespace_disable(const struct root *root, const struct device *device)
{
	return at_its_place(root, device, pmem_namespace_disable);
}

static int namespace_enable(const struct root *root, const struct device *device)
{
	return at_its_place(root, device, pmem_namespace_enable);
}

static int namespace_is_enabled(const struct root *root, const struct device *device)
{
	return at_its_place(root, device, pmem_namespace_is_enabled);
}

static int region_disable(const struct root *root, const struct device *device)
{
	return at_its_place(root, device, pmem_region_disable);
}

static int region_enable(const struct root *root, const struct device *device)
{
	return at_its_place(root, device, pmem_region_enable);
}

static int region_is_enabled(const struct root *root, const struct device *device)
{
	return at_its_place(root, device, pmem_region_is_enabled);
}

const struct target_kind target_pmem_namespace = {
	.disable = namespace_disable,
	.enable = namespace_enable,
	.is_enabled = namespace_is_enabled,
	.check_identity = pmem_check_identity,
	.describe = pmem_describe,
};

const struct target_kind target_pmem_region = {
	.disable = region_disable,
	.enable = region_enable,
	.is_enabled = region_is_enabled,
	.check_identity = pmem_check_identity,
	.describe = pmem_region_describe,
};
