// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Regions of persistent or volatile memory: found with the namespaces on them,
 * taken from their driver when none of those has one.
 *
 * The kernel asks nobody when a region is unbound: it unbinds and removes
 * every namespace below it, mounted or not (drivers/nvdimm/region.c:
 * nd_region_remove()). So the namespaces are retired first, one by one.
 */
#include <dirent.h>
#include <errno.h>
#include <linux/ndctl.h>
#include <stdlib.h>
#include <string.h>

#include "retire/targets/finding.h"
#include "retire/targets/libraries.h"
#include "retire/targets/pmem.h"
#include "retire/targets/sysfs.h"
#include "retire/targets/targets.h"
#include "util/root.h"
#include "util/text.h"

#define NAME_ROOM 256 /* of a user's name in a message */

/* One search: the request, the machine, and the regions found so far, each once, in the order named. */
struct search {
	const struct root *root;
	const struct request *request;
	const struct nd_devices *nd;
	ARRAY_OF(const struct nd_region *) found;
};

/* The driver of the region; caller frees; NULL when it has none. */
static char *region_driver(const struct root *root, const char *path)
{
	_cleanup_free_ char *link = root_readlinkf(root, "%s/driver", path);
	const char *slash = link ? strrchr(link, '/') : NULL;

	return slash ? strdup(slash + 1) : NULL;
}

int pmem_region_describe(const struct root *root, const char *name, struct device *device)
{
	device->type = DEVICE_PMEM_REGION;
	device->mode = MODE_NONE;
	device->name = strdup(name);
	device->path = device->name ? sysfs_path(root, "nd", name) : NULL;
	if (!device->path)
		return !device->name || errno == ENOMEM ? -ENOMEM : -ENODEV;
	device->driver = region_driver(root, device->path);
	device->enabled = device->driver;
	if (device->enabled) {
		device->driver_device = strdup(name);
		if (!device->driver_device)
			return -ENOMEM;
	}
	if (root_numberf(root, &device->size, "%s/size", device->path) < 0)
		return -ENODEV;
	device->capacity = device->size;
	/* only root may read the one, only a region of DIMMs has the other */
	if (root_numberf(root, &device->resource, "%s/resource", device->path) < 0)
		device->resource = 0;
	if (root_numberf(root, &device->set_cookie, "%s/set_cookie", device->path) < 0)
		device->set_cookie = 0;
	return 0;
}

static int add_namespaces_of(const struct root *root, const struct nd_devices *nd, const struct nd_region *region,
			     struct look *look, struct err *err)
{
	int rc = 0;

	array_each(ndns, &nd->namespaces)
		if (rc == 0 && ndns->region == region->number && ndns->size)
			rc = pmem_add_namespace(root, ndns, look, err);
	return rc;
}

int pmem_add_region(const struct root *root, const struct nd_devices *nd, const struct nd_region *region,
		    struct look *look, struct err *err)
{
	int rc = finding_has(look, "nd", region->name) ? 1 : add_namespaces_of(root, nd, region, look, err);

	return rc != 0 ? (rc > 0 ? 0 : rc) : finding_add(root, pmem_region_describe, region->name, look, err);
}

/* What was found becomes devices: all namespaces, then the regions. */
static int add_found(const struct search *search, struct look *look, struct err *err)
{
	int rc = 0;

	array_each(region, &search->found)
		rc = rc < 0 ? rc : add_namespaces_of(search->root, search->nd, *region, look, err);
	array_each(region, &search->found)
		rc = rc < 0 ? rc : finding_add(search->root, pmem_region_describe, (*region)->name, look, err);
	return rc;
}

/* Volatile memory has namespaces of type IO, too: drivers/nvdimm/region_devs.c:nd_region_to_nstype(). */
static bool is_memory(const struct nd_region *region)
{
	return region->nstype == ND_DEVICE_NAMESPACE_IO || region->nstype == ND_DEVICE_NAMESPACE_PMEM;
}

static int find_region(struct search *search, const struct nd_region *region, struct err *err)
{
	const struct nd_region **slot;

	array_each(known, &search->found)
		if (*known == region)
			return 0;
	slot = array_add(&search->found);
	if (!slot)
		return err_errno(err, -ENOMEM, "%s", region->name);
	*slot = region;
	return 0;
}

static int no_such_region(const struct search *search, const char *name, struct err *err)
{
	const struct nd_namespace *ndns = nd_namespace_named(search->nd, name);
	char text[NAME_ROOM];

	printable(name, text, sizeof(text));
	if (ndns)
		return err_set(err, -ENODEV, "%s: not a region, but a namespace on %s", text,
			       nd_region_of(search->nd, ndns)->name);
	return err_set(err, -ENODEV, "%s: no such region (see 'ndctl list -R -i')", text);
}

static int find_named(struct search *search, const char *name, struct err *err)
{
	const struct nd_region *region = nd_region_named(search->nd, name);
	const char *refusing = region ? pmem_refusing_filter(search->request, search->nd, region) : NULL;
	char text[NAME_ROOM];

	if (!region)
		return no_such_region(search, name, err);
	if (refusing)
		return err_set(err, -ENODEV, "%s: not on %s", name, printable(refusing, text, sizeof(text)));
	if (!is_memory(region))
		return err_set(err, -ENOTSUP,
			       "%s: a region of block windows, neither persistent nor volatile memory", name);
	return find_region(search, region, err);
}

static int find_all(struct search *search, struct err *err)
{
	int rc = 0;

	array_each(region, &search->nd->regions)
		if (rc == 0 && is_memory(region) && !pmem_refusing_filter(search->request, search->nd, region))
			rc = find_region(search, region, err);
	return rc;
}

static int find_regions(const struct root *root, const struct request *request, struct look *look, struct err *err)
{
	_cleanup_nd_ struct nd_devices nd = { 0 };
	struct search search = { root, request, &nd, { 0 } };
	int rc = pmem_begin(root, request, look, &nd, err);

	for (size_t i = 0; rc == 0 && i < request->name_count; i++) {
		if (strcmp(request->names[i], "all") != 0)
			rc = find_named(&search, request->names[i], err);
		else if (request->name_count == 1)
			rc = find_all(&search, err);
		else
			rc = err_set(err, -EINVAL, "'all' cannot stand beside other names");
	}
	rc = rc < 0 ? rc : add_found(&search, look, err);
	free(search.found.items);
	return rc;
}

int targets_find_pmem_region(const struct root *root, const struct request *request, struct look *look,
			     struct err *err)
{
	return pmem_find_safely(find_regions, root, request, look, err);
}

static int find_any(const struct root *root, const struct request *request, struct look *look, struct err *err)
{
	_cleanup_nd_ struct nd_devices nd = { 0 };
	struct search search = { root, request, &nd, { 0 } };
	int rc;

	if (request->name_count == 1 && strcmp(request->names[0], "all") == 0)
		return targets_find_pmem(root, request, look, err);
	rc = pmem_begin(root, request, look, &nd, err);
	for (size_t i = 0; rc == 0 && i < request->name_count; i++) {
		if (nd_region_named(&nd, request->names[i]))
			rc = find_named(&search, request->names[i], err);
		else
			rc = pmem_find_named(root, request, &nd, request->names[i], look, err);
	}
	rc = rc < 0 ? rc : add_found(&search, look, err);
	free(search.found.items);
	return rc;
}

int targets_find_nd(const struct root *root, const struct request *request, struct look *look, struct err *err)
{
	return pmem_find_safely(find_any, root, request, look, err);
}

int pmem_region_check_unused(const struct root *root, const char *path)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, "%s", path);
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		_cleanup_free_ char *driver = NULL;

		/* the region's own link is not in one of its children */
		if (entry->d_name[0] == '.' || entry->d_type == DT_LNK)
			continue;
		driver = root_readlinkf(root, "%s/%s/driver", path, entry->d_name);
		if (driver)
			return -EBUSY;
	}
	return 0;
}

int pmem_region_disable(const struct root *root, const struct device *device)
{
	_cleanup_ndctl_ struct ndctl_ctx *ctx = NULL;
	struct ndctl_region *region;
	int rc = ndctl_open(&ctx);

	if (rc < 0)
		return rc;
	region = ndctl_find_region(ctx, device->name);
	rc = pmem_check_identity(root, device, NULL);
	/* it has gone with the region of CXL below it */
	if (!region)
		return rc == -ENXIO ? 1 : -ENODEV;
	/* last of all: nothing is between this look and the unbind */
	rc = rc < 0 ? rc : pmem_region_check_unused(root, device->path);
	if (rc < 0)
		return rc;
	rc = ndctl_region_disable_invalidate(region);
	return rc > 0 ? -EIO : rc;
}

int pmem_region_is_enabled(const struct root *root, const struct device *device)
{
	_cleanup_free_ char *driver = region_driver(root, device->path);

	return driver != NULL;
}
