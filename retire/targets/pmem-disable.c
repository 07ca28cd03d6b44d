// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Takes a pmem namespace away from its driver, and reads back whether it is.
 */
#include <errno.h>
#include <string.h>

#include "retire/targets/dax.h"
#include "retire/targets/libraries.h"
#include "retire/targets/pmem.h"
#include "util/root.h"
#include "util/text.h"

/* Names in libndctl of the instance that ndctl_namespace_disable_invalidate() would dissolve; NULL: none. */
static const char *library_instance(struct ndctl_namespace *ndns)
{
	struct ndctl_pfn *pfn = ndctl_namespace_get_pfn(ndns);
	struct ndctl_btt *btt = ndctl_namespace_get_btt(ndns);
	struct ndctl_dax *dax = ndctl_namespace_get_dax(ndns);

	if (pfn)
		return ndctl_pfn_get_devname(pfn);
	if (btt)
		return ndctl_btt_get_devname(btt);
	return dax ? ndctl_dax_get_devname(dax) : NULL;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : !a && !b;
}

/*
 * Is it still what was looked at? A namespace can be re-created under the same
 * name. And were the library blind to the instance, it would disable the
 * namespace alone, which has no driver then: success, and nothing was done.
 */
static int check_same(const struct root *root, struct ndctl_namespace *ndns, const struct device *device)
{
	struct device now = { 0 };
	const char *instance = library_instance(ndns);
	int rc = pmem_describe(root, device->name, &now);

	if (rc == 0 && (!same_text(now.path, device->path) || !same_text(now.uuid, device->uuid)))
		rc = -ESTALE;
	if (rc == 0 && now.enabled &&
	    (!same_text(now.driver_device, device->driver_device) ||
	     !same_text(now.driver_device, instance ? instance : now.name)))
		rc = -ESTALE;
	/* dev_dax_kmem_remove() does not wait: the memory would be in use until reboot, without an owner */
	if (rc == 0 && now.system_ram && dax_has_online_memory(root, now.blockdev))
		rc = -EBUSY;
	device_free(&now);
	return rc;
}

int pmem_namespace_disable(const struct root *root, const struct device *device)
{
	_cleanup_ndctl_ struct ndctl_ctx *ctx = NULL;
	struct ndctl_namespace *ndns;
	int rc = ndctl_open(&ctx);

	if (rc < 0)
		return rc;
	ndns = ndctl_find_namespace(ctx, device->name);
	/* it has gone with its region: there is nothing to take it from */
	if (!ndns)
		return pmem_check_identity(root, device, NULL) == -ENXIO ? 1 : -ENODEV;
	rc = check_same(root, ndns, device);
	if (rc < 0)
		return rc;
	rc = ndctl_namespace_disable_invalidate(ndns);
	return rc > 0 ? -EIO : rc;
}

/* A driver has the sibling `name` of the namespace */
static bool is_bound(const struct root *root, const struct device *device, const char *name)
{
	_cleanup_free_ char *driver = NULL;

	if (!name || !*name)
		return false;
	driver = pmem_driver(root, device->path, name);
	return driver != NULL;
}

/*
 * Its block or character device is still there. The name alone proves nothing,
 * the kernel gives it anew: the link must lead into the same region.
 */
static bool node_exists(const struct root *root, const struct device *device)
{
	const char *class = device->mode == MODE_DEVDAX ? "bus/dax/devices" : "class/block";
	const char *region_end = strrchr(device->path, '/');
	_cleanup_free_ char *link = NULL, *region = NULL;

	if (!device->blockdev || !region_end)
		return false;
	link = root_readlinkf(root, "/sys/%s/%s", class, device->blockdev);
	region = strndup(device->path, (size_t)(region_end - device->path) + 1);
	return link && (!region || strstr(link, region + strlen("/sys")));
}

int pmem_namespace_is_enabled(const struct root *root, const struct device *device)
{
	_cleanup_free_ char *instance = pmem_instance(root, device->path);

	/* a namespace that has been removed altogether has no attributes left, and no driver */
	if (!instance && errno != ENOENT && errno != ENODEV && errno != ENXIO)
		return -errno;
	return is_bound(root, device, device->driver_device) || is_bound(root, device, device->name) ||
	       is_bound(root, device, instance) || node_exists(root, device);
}
