// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From the names of a request to pmem namespaces.
 */
#include "retire/targets/targets.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "retire/targets/finding.h"
#include "retire/targets/pmem.h"
#include "retire/targets/sysfs.h"
#include "util/root.h"
#include "util/text.h"

#define NAME_ROOM 256 /* of a user's name in a message */

/* A filter is the name, or the number alone. Compared as text: "0garbage" and "00" are no numbers of ours. */
static bool is_named(const char *filter, const char *name, unsigned id)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", id);
	return strcmp(filter, name) == 0 || strcmp(filter, number) == 0;
}

static bool bus_fits(const char *filter, const struct nd_bus *bus)
{
	return !filter || strcmp(filter, "all") == 0 || is_named(filter, bus->name, bus->number) ||
	       strcmp(filter, bus->provider) == 0;
}

static bool region_fits(const char *filter, const struct nd_region *region)
{
	return !filter || strcmp(filter, "all") == 0 || is_named(filter, region->name, region->number);
}

/* A filter that fits nothing is a mistake, even where all names would be refused anyway. */
static int check_filters(const struct nd_devices *nd, const struct request *request, struct err *err)
{
	bool any_bus = !request->bus, any_region = !request->region;
	char name[NAME_ROOM];

	array_each(bus, &nd->buses)
		any_bus |= bus_fits(request->bus, bus);
	array_each(region, &nd->regions)
		any_region |= region_fits(request->region, region);
	if (!any_bus)
		return err_set(err, -ENODEV, "%s: no such bus (see 'ndctl list -B')",
			       printable(request->bus, name, sizeof(name)));
	if (!any_region)
		return err_set(err, -ENODEV, "%s: no such region (see 'ndctl list -R -i')",
			       printable(request->region, name, sizeof(name)));
	return 0;
}

const char *pmem_refusing_filter(const struct request *request, const struct nd_devices *nd,
				 const struct nd_region *region)
{
	if (!bus_fits(request->bus, nd_bus_of(nd, region)))
		return request->bus;
	if (!region_fits(request->region, region))
		return request->region;
	return NULL;
}

int pmem_add_namespace(const struct root *root, const struct nd_namespace *ndns, struct look *look,
		       struct err *err)
{
	return finding_has(look, "nd", ndns->name) ? 0 : finding_add(root, pmem_describe, ndns->name, look, err);
}

/* "pmem0" or its partition "pmem0p1", "pmem0s" or "pmem0s1" (block/partitions/core.c:add_partition()) */
static bool is_node_of(const char *name, const struct device *device)
{
	size_t length = device->blockdev ? strlen(device->blockdev) : 0;
	const char *partition = name + length;

	if (!length || strncmp(name, device->blockdev, length) != 0)
		return false;
	if (!*partition)
		return true;
	if (isdigit((unsigned char)partition[-1]) && *partition++ != 'p')
		return false;
	return *partition && !partition[strspn(partition, "0123456789")];
}

/* The namespace whose disk, character device or instance has this name; caller frees; NULL when none has. */
static char *owner_of(const struct root *root, const struct nd_devices *nd, const char *name)
{
	if (starts_with(name, "/dev/"))
		name += strlen("/dev/");
	array_each(ndns, &nd->namespaces) {
		struct device device = { 0 };
		char *owner = NULL;

		if (pmem_describe(root, ndns->name, &device) == 0 &&
		    (is_node_of(name, &device) ||
		     (device.driver_device && strcmp(name, device.driver_device) == 0)))
			owner = take_ptr(device.name);
		device_free(&device);
		if (owner)
			return owner;
	}
	return NULL;
}

static int no_such_namespace(const struct root *root, const struct nd_devices *nd, const char *name,
			     struct err *err)
{
	_cleanup_free_ char *owner = owner_of(root, nd, name);
	char text[NAME_ROOM];

	printable(name, text, sizeof(text));
	if (owner)
		return err_set(err, -ENODEV, "%s: not a namespace, but it belongs to %s", text, owner);
	if (nd_region_named(nd, name))
		return err_set(err, -ENODEV, "%s: not a namespace, but a region (see 'ndctl retire-region')",
			       text);
	return err_set(err, -ENODEV, "%s: no such namespace (see 'ndctl list -N -i')", text);
}

int pmem_find_named(const struct root *root, const struct request *request, const struct nd_devices *nd,
		    const char *name, struct look *look, struct err *err)
{
	const struct nd_namespace *ndns = nd_namespace_named(nd, name);
	const char *refusing = ndns ? pmem_refusing_filter(request, nd, nd_region_of(nd, ndns)) : NULL;
	char text[NAME_ROOM];

	if (!ndns)
		return no_such_namespace(root, nd, name, err);
	if (refusing)
		return err_set(err, -ENODEV, "%s: not on %s", name, printable(refusing, text, sizeof(text)));
	if (!ndns->size)
		return err_set(err, -ENXIO, "%s: it has no capacity (a seed for 'ndctl create-namespace')", name);
	return pmem_add_namespace(root, ndns, look, err);
}

static int find_all(const struct root *root, const struct request *request, const struct nd_devices *nd,
		    struct look *look, struct err *err)
{
	array_each(ndns, &nd->namespaces) {
		int rc;

		if (pmem_refusing_filter(request, nd, nd_region_of(nd, ndns)) || !ndns->size)
			continue;
		rc = pmem_add_namespace(root, ndns, look, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int find_names(const struct root *root, const struct request *request, const struct nd_devices *nd,
		      struct look *look, struct err *err)
{
	for (size_t i = 0; i < request->name_count; i++) {
		const char *name = request->names[i];
		int rc;

		if (strcmp(name, "all") != 0)
			rc = pmem_find_named(root, request, nd, name, look, err);
		else if (request->name_count == 1)
			rc = find_all(root, request, nd, look, err);
		else
			rc = err_set(err, -EINVAL, "'all' cannot stand beside other names");
		if (rc < 0)
			return rc;
	}
	return 0;
}

int pmem_begin(const struct root *root, const struct request *request, struct look *look, struct nd_devices *nd,
	       struct err *err)
{
	int rc = nd_devices_read(root, nd);

	look->initial_namespaces = sysfs_sees_everybody(root);
	return rc < 0 ? err_errno(err, rc, "cannot list namespaces") : check_filters(nd, request, err);
}

static int find_pmem(const struct root *root, const struct request *request, struct look *look, struct err *err)
{
	_cleanup_nd_ struct nd_devices nd = { 0 };
	int rc = pmem_begin(root, request, look, &nd, err);

	return rc < 0 ? rc : find_names(root, request, &nd, look, err);
}

int pmem_find_safely(finder *find, const struct root *root, const struct request *request, struct look *look,
		     struct err *err)
{
	int rc = finding_returns(find, root, request, err);

	if (rc < 0)
		return rc;
	if (rc)
		return find(root, request, look, err);
	look->initial_namespaces = sysfs_sees_everybody(root);
	return pmem_find_stuck(root, request, look, err);
}

int targets_find_pmem(const struct root *root, const struct request *request, struct look *look, struct err *err)
{
	return pmem_find_safely(find_pmem, root, request, look, err);
}
