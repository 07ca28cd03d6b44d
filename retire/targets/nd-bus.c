// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/targets/nd-bus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retire/targets/sysfs.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

#define DEVICES "/sys/bus/nd/devices"

static int add_bus(const struct root *root, const char *name, struct nd_devices *nd)
{
	_cleanup_free_ char *probed = NULL, *provider = NULL;
	struct nd_bus *bus;
	unsigned number;

	if (!sysfs_is_numbered(name, "ndbus", &number))
		return 0;
	/* drivers/nvdimm/core.c:wait_probe_show(): answers when nothing is being probed any more */
	probed = root_attributef(root, DEVICES "/%s/wait_probe", name);
	provider = root_attributef(root, DEVICES "/%s/provider", name);
	if (!provider)
		return errno == ENOMEM ? -ENOMEM : 0;
	bus = array_add(&nd->buses);
	if (!bus)
		return -ENOMEM;
	*bus = (struct nd_bus){ strdup(name), number, take_ptr(provider) };
	return bus->name ? 0 : -ENOMEM;
}

/* The number of the bus that the region is on: ".../ndbus0/region1" */
static bool find_bus(const struct root *root, const char *region, unsigned *bus)
{
	_cleanup_free_ char *path = sysfs_path(root, "nd", region);
	char *slash = path ? strrchr(path, '/') : NULL;

	if (!slash)
		return false;
	*slash = '\0';
	slash = strrchr(path, '/');
	return slash && sysfs_is_numbered(slash + 1, "ndbus", bus);
}

static const struct nd_bus *bus_numbered(const struct nd_devices *nd, unsigned number)
{
	array_each(bus, &nd->buses)
		if (bus->number == number)
			return bus;
	return NULL;
}

static int add_region(const struct root *root, const char *name, struct nd_devices *nd)
{
	struct nd_region *region;
	unsigned number, bus;
	uint64_t nstype;

	if (!sysfs_is_numbered(name, "region", &number) || !find_bus(root, name, &bus) || !bus_numbered(nd, bus) ||
	    root_numberf(root, &nstype, DEVICES "/%s/nstype", name) < 0)
		return 0;
	region = array_add(&nd->regions);
	if (!region)
		return -ENOMEM;
	*region = (struct nd_region){ strdup(name), number, bus, nstype };
	return region->name ? 0 : -ENOMEM;
}

bool nd_is_namespace(const char *name, unsigned *region, unsigned *number)
{
	char prefix[32];

	if (sscanf(name, "namespace%u.", region) != 1)
		return false;
	snprintf(prefix, sizeof(prefix), "namespace%u.", *region);
	return sysfs_is_numbered(name, prefix, number);
}

static const struct nd_region *region_numbered(const struct nd_devices *nd, unsigned number)
{
	array_each(region, &nd->regions)
		if (region->number == number)
			return region;
	return NULL;
}

static int add_namespace(const struct root *root, const char *name, struct nd_devices *nd)
{
	struct nd_namespace *ndns;
	unsigned region, number;
	uint64_t size;

	if (!nd_is_namespace(name, &region, &number) || !region_numbered(nd, region) ||
	    root_numberf(root, &size, DEVICES "/%s/size", name) < 0)
		return 0;
	ndns = array_add(&nd->namespaces);
	if (!ndns)
		return -ENOMEM;
	*ndns = (struct nd_namespace){ strdup(name), number, region, size };
	return ndns->name ? 0 : -ENOMEM;
}

typedef int add_device(const struct root *root, const char *name, struct nd_devices *nd);

/* No bus, no directory: there is nothing, and no error. */
static int add_all(const struct root *root, struct nd_devices *nd, add_device *add)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, DEVICES);
	struct dirent *entry;
	int rc = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (rc == 0 && (entry = readdir(dir)))
		rc = add(root, entry->d_name, nd);
	return rc;
}

static int compare(unsigned a, unsigned b)
{
	return (a > b) - (a < b);
}

static int compare_regions(const void *a, const void *b)
{
	const struct nd_region *one = a, *two = b;
	int order = compare(one->bus, two->bus);

	return order ? order : compare(one->number, two->number);
}

static int compare_namespaces(const void *a, const void *b, void *nd)
{
	const struct nd_region *one = nd_region_of(nd, a), *two = nd_region_of(nd, b);
	int order = compare_regions(one, two);

	return order ? order
		     : compare(((const struct nd_namespace *)a)->number, ((const struct nd_namespace *)b)->number);
}

int nd_devices_read(const struct root *root, struct nd_devices *nd)
{
	/* buses first: what is being probed is there then; and each before what is on it */
	int rc = add_all(root, nd, add_bus);

	rc = rc < 0 ? rc : add_all(root, nd, add_region);
	rc = rc < 0 ? rc : add_all(root, nd, add_namespace);
	if (rc < 0)
		return rc;
	if (nd->regions.count)
		qsort(nd->regions.items, nd->regions.count, sizeof(*nd->regions.items), compare_regions);
	if (nd->namespaces.count)
		qsort_r(nd->namespaces.items, nd->namespaces.count, sizeof(*nd->namespaces.items),
			compare_namespaces, nd);
	return 0;
}

void nd_devices_free(struct nd_devices *nd)
{
	array_each(bus, &nd->buses) {
		free(bus->name);
		free(bus->provider);
	}
	array_each(region, &nd->regions)
		free(region->name);
	array_each(ndns, &nd->namespaces)
		free(ndns->name);
	free(nd->buses.items);
	free(nd->regions.items);
	free(nd->namespaces.items);
}

const struct nd_namespace *nd_namespace_named(const struct nd_devices *nd, const char *name)
{
	array_each(ndns, &nd->namespaces)
		if (strcmp(ndns->name, name) == 0)
			return ndns;
	return NULL;
}

const struct nd_region *nd_region_named(const struct nd_devices *nd, const char *name)
{
	array_each(region, &nd->regions)
		if (strcmp(region->name, name) == 0)
			return region;
	return NULL;
}

const struct nd_region *nd_region_of(const struct nd_devices *nd, const struct nd_namespace *ndns)
{
	return region_numbered(nd, ndns->region);
}

const struct nd_bus *nd_bus_of(const struct nd_devices *nd, const struct nd_region *region)
{
	return bus_numbered(nd, region->bus);
}
