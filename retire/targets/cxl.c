// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From the names of a request to CXL regions and memdevs, and to what stands
 * on them: dax devices of volatile memory, nd regions with their namespaces of
 * persistent memory. These are found as daxctl's and ndctl's are, and come
 * first; then the regions, then the memdevs.
 *
 * A dax device that firmware has set apart (its parent is "hmem.0") stands on
 * no region: it is a matter of daxctl alone.
 */
#include "retire/targets/cxl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retire/targets/dax.h"
#include "retire/targets/finding.h"
#include "retire/targets/pmem.h"
#include "retire/targets/sysfs.h"
#include "retire/targets/targets.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

#define NAME_ROOM 256 /* of a user's name in a message */

/* One search: what was found so far, each once. */
struct search {
	const struct root *root;
	const struct request *request;
	const struct cxl_devices *cxl;
	bool *has_region, *has_memdev; /* by index */
	struct look regions, memdevs;  /* their devices only */
	struct cxl_others others;
};

/* A filter is the name, or the number alone, or of a bus who provides it. */
static bool is_named(const char *filter, const char *prefix, const char *name)
{
	return !filter || strcmp(filter, "all") == 0 ||
	       (name && (strcmp(filter, name) == 0 || strcmp(filter, name + strlen(prefix)) == 0));
}

static bool bus_fits(const struct request *request, const char *path)
{
	_cleanup_free_ char *bus = path ? cxl_path_part(path, "root") : NULL;

	return is_named(request->bus, "root", bus) ||
	       (path && strcmp(request->bus, "ACPI.CXL") == 0 && strstr(path, "/ACPI0017"));
}

/* NULL when the filters of the request let the region through; else the one that does not. */
static const char *filter_refusing(const struct request *request, const struct cxl_region *region)
{
	_cleanup_free_ char *decoder = cxl_path_part(region->path, "decoder");

	if (!bus_fits(request, region->path))
		return request->bus;
	return is_named(request->decoder, "decoder", decoder) ? NULL : request->decoder;
}

/* Without a driver a memdev is on no bus that is known. */
static bool memdev_fits(const struct search *search, const struct cxl_memdev *memdev)
{
	_cleanup_free_ char *path = NULL;

	if (!search->request->bus)
		return true;
	path = memdev->endpoint ? sysfs_path(search->root, "cxl", memdev->endpoint) : NULL;
	return bus_fits(search->request, path);
}

/* What was found last has memory at these addresses: who else has? */
static int find_other(struct search *search, struct look *found, const struct memory_range *range)
{
	struct cxl *cxl = &found->devices.items[found->devices.count - 1].cxl;
	const char *other = cxl_other_at(&search->others, range);

	if (!other || cxl->other)
		return 0;
	cxl->other = strdup(other);
	cxl->unowned = false;
	return cxl->other ? 0 : -ENOMEM;
}

static int find_region(struct search *search, const struct cxl_region *region, struct err *err)
{
	bool *has = &search->has_region[region - search->cxl->regions.items];
	const struct device *device;
	int rc;

	if (*has)
		return 0;
	*has = true;
	rc = finding_add(search->root, cxl_region_describe, region->name, &search->regions, err);
	if (rc < 0)
		return rc;
	device = &search->regions.devices.items[search->regions.devices.count - 1];
	return find_other(search, &search->regions,
			  &(const struct memory_range){ device->resource, device->size });
}

/* Firmware has programmed the decoder, and no region is made of it: its memory may be in use all the same. */
static int find_loose(struct search *search, const char *decoder, struct err *err)
{
	struct cxl *cxl = &search->memdevs.devices.items[search->memdevs.devices.count - 1].cxl;
	struct memory_range range;
	int rc = cxl_decoder_range(search->root, decoder, &range);

	if (rc == 0 && range.size)
		rc = find_other(search, &search->memdevs, &range);
	if (rc < 0)
		return err_errno(err, rc, "cannot read what %s is for", decoder);
	cxl->unowned |= range.size && !cxl->other && dax_range_is_online(search->root, &range);
	return 0;
}

static int find_region_of(struct search *search, const char *decoder, struct err *err)
{
	_cleanup_free_ char *name = NULL;
	const struct cxl_region *region;
	int rc = cxl_decoder_region(search->root, decoder, &name);

	if (rc < 0 && rc != -ENOENT)
		return err_errno(err, rc, "cannot read which region %s is for", decoder);
	if (!name)
		return find_loose(search, decoder, err);
	region = cxl_region_named(search->cxl, name);
	return region ? find_region(search, region, err)
		      : err_set(err, -EAGAIN, "%s is for %s, which has just come or gone: look again", decoder,
				name);
}

/* Every region that has a part of the memdev: what its endpoint's decoders are for. */
static int find_regions_of(struct search *search, const struct cxl_memdev *memdev, struct err *err)
{
	_cleanup_names_ struct sysfs_names decoders = { { 0 } };
	int rc;

	if (memdev->endpoint)
		rc = cxl_endpoint_decoders(search->root, memdev->endpoint, &decoders);
	else /* with a driver it has an endpoint, or is just getting or losing it:
		drivers/cxl/mem.c:cxl_mem_probe() */
		rc = cxl_has_driver(search->root, memdev->name) ? -EAGAIN : 0;
	if (rc < 0)
		return err_errno(err, rc, "cannot look which regions %s is part of", memdev->name);
	array_each(decoder, &decoders.list)
		rc = rc < 0 ? rc : find_region_of(search, *decoder, err);
	return rc;
}

static int find_memdev(struct search *search, const struct cxl_memdev *memdev, struct err *err)
{
	bool *has = &search->has_memdev[memdev - search->cxl->memdevs.items];
	int rc;

	if (*has)
		return 0;
	*has = true;
	rc = finding_add(search->root, cxl_memdev_describe, memdev->name, &search->memdevs, err);
	return rc < 0 ? rc : find_regions_of(search, memdev, err);
}

/* Hands the devices of `from` over. */
static int move_device(struct look *from, size_t index, struct look *look)
{
	struct device *to = array_add(&look->devices);

	if (!to)
		return -ENOMEM;
	*to = from->devices.items[index];
	from->devices.items[index] = (struct device){ 0 };
	return 0;
}

static int move_regions(struct look *regions, struct look *look)
{
	_cleanup_free_ size_t *order = calloc(regions->devices.count + 1, sizeof(size_t));
	int rc = order ? cxl_order_regions(regions, order) : -ENOMEM;

	for (size_t i = 0; rc == 0 && i < regions->devices.count; i++)
		rc = move_device(regions, order[i], look);
	return rc;
}

static int add_dax(const struct search *search, const struct device *region, struct look *look, struct err *err)
{
	_cleanup_names_ struct sysfs_names names = { { 0 } };
	int rc = cxl_region_dax(search->root, region->path, &names);

	if (rc < 0)
		return err_errno(err, rc, "cannot look which dax devices are on %s", region->name);
	array_each(name, &names.list)
		rc = rc < 0 ? rc : dax_add_device(search->root, *name, look, err);
	return rc;
}

/* The nd region on a CXL region has its number (drivers/nvdimm/region_devs.c: ND_REGION_CXL), on a bus of CXL. */
static int add_nd_region(const struct search *search, const struct nd_devices *nd, const struct device *region,
			 struct look *look, struct err *err)
{
	const struct nd_region *on = nd_region_named(nd, region->name);

	if (!on && root_findf(search->root, "/sys/bus/nd/devices/%s", region->name) != 0)
		return err_set(err, -EAGAIN, "cannot look what is on %s: its nd region cannot be read",
			       region->name);
	if (!on || strcmp(nd_bus_of(nd, on)->provider, "CXL") != 0)
		return 0;
	return pmem_add_region(search->root, nd, on, look, err);
}

static int add_those_on(const struct search *search, struct look *look, struct err *err)
{
	_cleanup_nd_ struct nd_devices nd = { 0 };
	bool persistent = false;
	int rc = 0;

	array_each(region, &search->regions.devices)
		persistent |= region->mode == MODE_PMEM;
	if (persistent)
		rc = nd_devices_read(search->root, &nd);
	if (rc < 0)
		return err_errno(err, rc, "cannot list namespaces");
	array_each(region, &search->regions.devices) {
		rc = rc < 0 ? rc : add_dax(search, region, look, err);
		rc = rc < 0 || !persistent ? rc : add_nd_region(search, &nd, region, look, err);
	}
	return rc;
}

/* In *later, who has a decoder of that memdev behind that one, and is committed; the decoders are without gaps. */
static int find_later_on(const struct root *root, const char *decoder, const struct look *look, char **later)
{
	int port = (int)strcspn(decoder, ".");

	for (uint64_t number = cxl_decoder_number(decoder) + 1; !*later; number++) {
		_cleanup_free_ char *region = NULL;
		uint64_t committed;
		char name[64];
		int rc;

		snprintf(name, sizeof(name), "%.*s.%" PRIu64, port, decoder, number);
		rc = cxl_decoder_region(root, name, &region);
		if (rc < 0)
			return rc == -ENOENT ? 0 : rc;
		if (!region || finding_has(look, "cxl", region))
			continue;
		rc = cxl_number(root, region, "commit", &committed);
		if (rc < 0)
			return rc;
		if (committed)
			*later = take_ptr(region);
	}
	return 0;
}

static int find_later(const struct root *root, struct look *look)
{
	int rc = 0;

	array_each(device, &look->devices)
		array_each(target, &device->cxl.targets)
			if (rc == 0 && device->cxl.committed && target->decoder && !device->cxl.later)
				rc = find_later_on(root, target->decoder, look, &device->cxl.later);
	return rc;
}

/* What was found becomes devices: what stands on the regions, the regions, the memdevs. */
static int add_found(struct search *search, struct look *look, struct err *err)
{
	int rc = add_those_on(search, look, err);

	rc = rc < 0 ? rc : move_regions(&search->regions, look);
	for (size_t i = 0; rc == 0 && i < search->memdevs.devices.count; i++)
		rc = move_device(&search->memdevs, i, look);
	if (rc < 0)
		return rc;
	rc = cxl_find_slots(search->root, look);
	if (rc < 0)
		return err_errno(err, rc, "cannot look which slots the memdevs are in");
	rc = find_later(search->root, look);
	if (rc < 0)
		return err_errno(err, rc, "cannot look what was committed later");
	rc = cxl_find_below(look);
	return rc < 0 ? err_errno(err, rc, "cannot look what stands on what") : 0;
}

/* By name, by PCI address, or by serial number: 0 and *found, also NULL; -ENOTUNIQ: two have that number. */
static int memdev_known_as(const struct cxl_devices *cxl, const char *name, const struct cxl_memdev **found)
{
	*found = cxl_memdev_named(cxl, name);
	if (*found)
		return 0;
	array_each(memdev, &cxl->memdevs) {
		if (!cxl_is_called(name, memdev->name, memdev->host, memdev->serial))
			continue;
		if (*found)
			return -ENOTUNIQ;
		*found = memdev;
	}
	return 0;
}

static int find_memdev_named(struct search *search, const char *name, struct err *err)
{
	const struct cxl_memdev *memdev;
	char text[NAME_ROOM], filter[NAME_ROOM];
	int rc = memdev_known_as(search->cxl, name, &memdev);

	printable(name, text, sizeof(text));
	if (rc < 0)
		return err_set(err, rc,
			       "%s: several memdevs have that serial number; name one as 'cxl list -M' does",
			       text);
	if (!memdev && cxl_region_named(search->cxl, name))
		return err_set(err, -ENODEV, "%s: not a memdev, but a region (see 'cxl retire-region')", text);
	if (!memdev)
		return err_set(err, -ENODEV, "%s: no such memdev (see 'cxl list -M -i')", text);
	if (!memdev_fits(search, memdev))
		return err_set(err, -ENODEV, "%s: not on %s", text,
			       printable(search->request->bus, filter, sizeof(filter)));
	return find_memdev(search, memdev, err);
}

static int find_region_named(struct search *search, const char *name, struct err *err)
{
	const struct cxl_region *region = cxl_region_named(search->cxl, name);
	const char *refusing = region ? filter_refusing(search->request, region) : NULL;
	const struct cxl_memdev *memdev = NULL;
	char text[NAME_ROOM], filter[NAME_ROOM];

	printable(name, text, sizeof(text));
	if (refusing)
		return err_set(err, -ENODEV, "%s: not on %s", text, printable(refusing, filter, sizeof(filter)));
	if (region)
		return find_region(search, region, err);
	memdev_known_as(search->cxl, name, &memdev);
	if (memdev)
		return err_set(err, -ENODEV, "%s: not a region, but a memdev (see 'cxl retire-memdev')", text);
	return err_set(err, -ENODEV, "%s: no such CXL region (see 'cxl list -R -i')", text);
}

static int find_any_named(struct search *search, const char *name, struct err *err)
{
	const struct cxl_memdev *memdev;

	if (cxl_region_named(search->cxl, name))
		return find_region_named(search, name, err);
	if (memdev_known_as(search->cxl, name, &memdev) == 0 && memdev)
		return find_memdev_named(search, name, err);
	if (memdev_known_as(search->cxl, name, &memdev) < 0)
		return find_memdev_named(search, name, err);
	return err_set(err, -ENODEV, "%s: no such CXL region or memdev (see 'cxl list -RM -i')",
		       printable(name, (char[NAME_ROOM]){ 0 }, NAME_ROOM));
}

static int find_all_regions(struct search *search, struct err *err)
{
	int rc = 0;

	array_each(region, &search->cxl->regions)
		if (rc == 0 && !filter_refusing(search->request, region))
			rc = find_region(search, region, err);
	return rc;
}

static int find_all_memdevs(struct search *search, struct err *err)
{
	int rc = 0;

	array_each(memdev, &search->cxl->memdevs)
		if (rc == 0 && memdev_fits(search, memdev))
			rc = find_memdev(search, memdev, err);
	return rc;
}

static int find_all_of_both(struct search *search, struct err *err)
{
	int rc = find_all_regions(search, err);

	return rc < 0 || search->request->decoder ? rc : find_all_memdevs(search, err);
}

/* What names stand for, and what "all" does. */
struct kind {
	int (*named)(struct search *search, const char *name, struct err *err);
	int (*all)(struct search *search, struct err *err);
};

static int find_names(struct search *search, const struct kind *kind, struct err *err)
{
	const struct request *request = search->request;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < request->name_count; i++) {
		if (strcmp(request->names[i], "all") != 0)
			rc = kind->named(search, request->names[i], err);
		else if (request->name_count == 1)
			rc = kind->all(search, err);
		else
			rc = err_set(err, -EINVAL, "'all' cannot stand beside other names");
	}
	return rc;
}

/* A filter that fits nothing is a mistake, even where all names would be refused anyway. */
static int check_filters(const struct search *search, struct err *err)
{
	bool any_bus = !search->request->bus, any_decoder = !search->request->decoder;
	char text[NAME_ROOM];

	array_each(memdev, &search->cxl->memdevs)
		any_bus |= memdev_fits(search, memdev);
	array_each(region, &search->cxl->regions) {
		const char *refusing = filter_refusing(search->request, region);

		any_bus |= !refusing || refusing != search->request->bus;
		any_decoder |= !refusing;
	}
	if (!any_bus)
		return err_set(err, -ENODEV, "%s: no such bus (see 'cxl list -B')",
			       printable(search->request->bus, text, sizeof(text)));
	return any_decoder ? 0
			   : err_set(err, -ENODEV, "%s: no root decoder of a region (see 'cxl list -D -d root')",
				     printable(search->request->decoder, text, sizeof(text)));
}

/* Only root may read where their memory is. */
static int find_others(struct search *search, struct look *look, struct err *err)
{
	int rc = cxl_others_read(search->root, &search->others);

	if (rc == -EACCES || rc == -EPERM)
		rc = look_add_unknown(look, "dax devices that are on no region", "permission denied");
	return rc < 0 ? err_errno(err, rc, "cannot list dax devices") : 0;
}

/* Without its driver nobody sees which addresses a card has: what is on no region may be on it when its power
 * goes. */
static int note_blind(const struct search *search, struct look *look, struct err *err)
{
	int rc = 0;

	array_each(device, &search->memdevs.devices)
		if (rc == 0 && search->request->power_off && !device->driver && search->others.list.count)
			rc = look_add_unknown(look, device->name,
					      "whether memory of %s is on it, since it has no driver",
					      search->others.list.items[0].name);
	return rc < 0 ? err_set(err, rc, "out of memory") : 0;
}

static int find(const struct root *root, const struct request *request, const struct kind *kind, struct look *look,
		struct err *err)
{
	_cleanup_cxl_ struct cxl_devices cxl = { 0 };
	struct search search = { root, request, &cxl, NULL, NULL, { { 0 } }, { { 0 } }, { { 0 } } };
	int rc = cxl_devices_read(root, &cxl);

	look->initial_namespaces = sysfs_sees_everybody(root);
	search.has_region = calloc(cxl.regions.count + 1, sizeof(bool));
	search.has_memdev = calloc(cxl.memdevs.count + 1, sizeof(bool));
	if (rc == 0 && (!search.has_region || !search.has_memdev))
		rc = -ENOMEM;
	rc = rc < 0 ? err_errno(err, rc, "cannot list CXL devices") : check_filters(&search, err);
	rc = rc < 0 ? rc : find_others(&search, look, err);
	rc = rc < 0 ? rc : find_names(&search, kind, err);
	rc = rc < 0 ? rc : note_blind(&search, look, err);
	rc = rc < 0 ? rc : add_found(&search, look, err);
	cxl_others_free(&search.others);
	look_free(&search.regions);
	look_free(&search.memdevs);
	free(search.has_region);
	free(search.has_memdev);
	return rc;
}

static int find_regions(const struct root *root, const struct request *request, struct look *look, struct err *err)
{
	return find(root, request, &(struct kind){ find_region_named, find_all_regions }, look, err);
}

static int find_memdevs(const struct root *root, const struct request *request, struct look *look, struct err *err)
{
	return find(root, request, &(struct kind){ find_memdev_named, find_all_memdevs }, look, err);
}

static int find_either(const struct root *root, const struct request *request, struct look *look, struct err *err)
{
	return find(root, request, &(struct kind){ find_any_named, find_all_of_both }, look, err);
}

static int find_safely(finder *how, const struct root *root, const struct request *request, struct look *look,
		       struct err *err)
{
	int rc = finding_returns(how, root, request, err);

	if (rc < 0)
		return rc;
	return rc ? how(root, request, look, err) : finding_gave_up(request->names[0], CXL_REMOVED, err);
}

int targets_find_cxl_region(const struct root *root, const struct request *request, struct look *look,
			    struct err *err)
{
	return find_safely(find_regions, root, request, look, err);
}

int targets_find_cxl_memdev(const struct root *root, const struct request *request, struct look *look,
			    struct err *err)
{
	return find_safely(find_memdevs, root, request, look, err);
}

int targets_find_cxl(const struct root *root, const struct request *request, struct look *look, struct err *err)
{
	return find_safely(find_either, root, request, look, err);
}
