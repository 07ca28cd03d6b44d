// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From the names of a request to dax devices, whatever stands behind them: a
 * pmem namespace, a CXL region, memory that firmware has set apart (hmem).
 *
 * Only sysfs is read: libdaxctl leaves out what has no node in /dev
 * (daxctl/lib/libdaxctl.c:add_dax_dev()), which can be mapped all the same, and
 * what has two ranges it shows as one.
 */
#include "retire/targets/dax.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retire/targets/finding.h"
#include "retire/targets/kinds.h"
#include "retire/targets/modules.h"
#include "retire/targets/online-policy.h"
#include "retire/targets/sysfs.h"
#include "retire/targets/targets.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

#define NAME_ROOM 256 /* of a user's name in a message */

bool dax_is_name(const char *name)
{
	size_t digits = starts_with(name, "dax") ? strspn(name + 3, "0123456789") : 0;
	const char *after = name + 3 + digits;

	return digits && *after == '.' && after[1] && !after[1 + strspn(after + 1, "0123456789")];
}

char *dax_driver(const struct root *root, const char *name)
{
	_cleanup_free_ char *link = root_readlinkf(root, "/sys/bus/dax/devices/%s/driver", name);

	return sysfs_basename(link);
}

/* An attribute that older kernels, or unprivileged users, do not have is 0. */
static uint64_t number_of(const struct root *root, const char *name, const char *attribute)
{
	uint64_t number;

	return root_numberf(root, &number, "/sys/bus/dax/devices/%s/%s", name, attribute) < 0 ? 0 : number;
}

int dax_describe(const struct root *root, const char *name, struct device *device)
{
	int rc;

	device->type = DEVICE_DAX;
	device->name = strdup(name);
	device->path = sysfs_path(root, "dax", name);
	if (!device->name || !device->path)
		return errno == ENOENT ? -ENODEV : -errno;
	rc = sysfs_link(root, "dax", name, "driver", &device->driver);
	if (rc < 0)
		return rc;
	device->size = device->capacity = number_of(root, name, "size");
	device->resource = number_of(root, name, "resource");
	device->enabled = device->driver;
	device->system_ram = dax_is_system_ram(root, name);
	device->mode = device->system_ram ? MODE_SYSTEM_RAM : MODE_DEVDAX;
	device->blockdev = strdup(name);
	if (!device->blockdev)
		return -ENOMEM;
	/* under kmem there is no character device, though sysfs has its number */
	if (device->enabled && !device->system_ram &&
	    root_devf(root, &device->dev, "/sys/bus/dax/devices/%s/dev", name) < 0)
		device->dev = 0;
	if (device->enabled) {
		device->driver_device = strdup(name);
		if (!device->driver_device)
			return -ENOMEM;
	}
	return dax_find_memory(root, device);
}

static int list_names(const struct root *root, struct sysfs_names *names)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, "/sys/bus/dax/devices");
	struct dirent *entry;

	/* a kernel without the bus has no devices on it */
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir))) {
		if (dax_is_name(entry->d_name) && sysfs_names_add(names, entry->d_name) < 0)
			return -ENOMEM;
	}
	sysfs_names_sort(names);
	return 0;
}

/* `daxctl list -r`: the number before the point. Compared as text: "00" is no number of ours. */
static bool region_fits(const char *filter, const char *name)
{
	const char *digits = name + strlen("dax");
	size_t length = strcspn(digits, ".");

	return !filter || strcmp(filter, "all") == 0 ||
	       (strlen(filter) == length && strncmp(filter, digits, length) == 0);
}

/* Where its memory is, or would be: what it was told to be, as text. */
static bool node_fits(const struct root *root, const char *filter, const char *name)
{
	_cleanup_free_ char *node = NULL;

	if (!filter)
		return true;
	node = root_attributef(root, "/sys/bus/dax/devices/%s/target_node", name);
	return node && strcmp(node, filter) == 0;
}

int dax_add_device(const struct root *root, const char *name, struct look *look, struct err *err)
{
	return finding_has(look, "dax", name) ? 0 : finding_add(root, dax_describe, name, look, err);
}

static int find_named(const struct root *root, const struct request *request, const struct sysfs_names *names,
		      const char *wanted, struct look *look, struct err *err)
{
	char text[NAME_ROOM], filter[NAME_ROOM];
	/* as it stands in /dev, too */
	const char *bare = starts_with(wanted, "/dev/") ? wanted + strlen("/dev/") : wanted;

	printable(wanted, text, sizeof(text));
	array_each(name, &names->list) {
		if (strcmp(*name, bare) != 0)
			continue;
		if (bare != wanted)
			return err_set(err, -ENODEV, "%s: not a dax device, but the node of %s", text, *name);
		if (!region_fits(request->region, *name))
			return err_set(err, -ENODEV, "%s: not on region %s", text,
				       printable(request->region, filter, sizeof(filter)));
		if (!node_fits(root, request->node, *name))
			return err_set(err, -ENODEV, "%s: not on node %s", text, request->node);
		if (!number_of(root, *name, "size"))
			return err_set(err, -ENXIO, "%s: it has no capacity (a seed for 'daxctl create-device')",
				       text);
		return dax_add_device(root, *name, look, err);
	}
	return err_set(err, -ENODEV, "%s: no such dax device (see 'daxctl list -D -i')", text);
}

static int find_all(const struct root *root, const struct request *request, const struct sysfs_names *names,
		    struct look *look, struct err *err)
{
	bool any = !request->node;
	int rc = 0;

	array_each(name, &names->list) {
		if (rc < 0 || !region_fits(request->region, *name) || !node_fits(root, request->node, *name) ||
		    !number_of(root, *name, "size"))
			continue;
		any = true;
		rc = dax_add_device(root, *name, look, err);
	}
	return any ? rc : err_set(err, -ENODEV, "node %s has no dax device", request->node);
}

static int check_filter(const struct request *request, const struct sysfs_names *names, struct err *err)
{
	char text[NAME_ROOM];
	bool any = !request->region;

	array_each(name, &names->list)
		any |= region_fits(request->region, *name);
	return any ? 0
		   : err_set(err, -ENODEV, "%s: no such region (see 'daxctl list -R')",
			     printable(request->region, text, sizeof(text)));
}

static int find(const struct root *root, const struct request *request, struct look *look, struct err *err)
{
	_cleanup_(sysfs_names_free) struct sysfs_names names = { { 0 } };
	int rc = list_names(root, &names);

	look->initial_namespaces = sysfs_sees_everybody(root);
	if (rc < 0)
		return err_errno(err, rc, "cannot list dax devices");
	rc = check_filter(request, &names, err);
	for (size_t i = 0; rc == 0 && i < request->name_count; i++) {
		if (strcmp(request->names[i], "all") != 0)
			rc = find_named(root, request, &names, request->names[i], look, err);
		else if (request->name_count == 1)
			rc = find_all(root, request, &names, look, err);
		else
			rc = err_set(err, -EINVAL, "'all' cannot stand beside other names");
	}
	return rc;
}

int targets_find_dax(const struct root *root, const struct request *request, struct look *look, struct err *err)
{
	int rc = finding_returns(find, root, request, err);

	if (rc < 0)
		return rc;
	return rc ? find(root, request, look, err) : finding_gave_up(request->names[0], "a dax device", err);
}

static int check_identity(const struct root *root, const struct device *device, struct err *err)
{
	_cleanup_free_ char *path = sysfs_path(root, "dax", device->name);
	int rc = path || errno == ENOENT ? 0 : -errno;

	if (rc < 0)
		return err_errno(err, rc, "%s cannot be read", device->name);
	/* ".../region0/dax_region0/dax0.0": what it is on can be made again */
	if (!path && strstr(device->path, "/dax_region"))
		return err_set(err, -ENXIO, "%s is not there: its region is disabled", device->name);
	if (!path)
		return err_set(err, -ENODEV, "%s is not there", device->name);
	rc = identity_same_text(device, "path", device->path, path, err);
	rc = rc < 0 ? rc : identity_same_number(root, device, "size", false, device->capacity, err);
	return rc < 0 ? rc : identity_same_number(root, device, "resource", true, device->resource, err);
}

static int is_enabled(const struct root *root, const struct device *device)
{
	return sysfs_has_driver(root, "dax", device->name);
}

static int write_name(const struct root *root, const char *driver, const char *attribute, const char *name)
{
	return sysfs_write(root, name, "/sys/bus/dax/drivers/%s/%s", driver, attribute);
}

static int unbind(const struct root *root, const char *name, const char *driver)
{
	/* dev_dax_kmem_remove() does not wait: the memory would be in use until reboot, without an owner */
	if (dax_has_online_memory(root, name))
		return -EBUSY;
	/* or the driver would take it again whenever it is looked for one: drivers/dax/bus.c:do_id_store() */
	write_name(root, driver, "remove_id", name);
	return write_name(root, driver, "unbind", name);
}

int dax_release(const struct root *root, const char *name)
{
	_cleanup_free_ char *driver = dax_driver(root, name);

	return driver ? unbind(root, name, driver) : 0;
}

/* Its region has gone, as when a card is pulled: 1, there is nothing to take it from; -EBUSY: its memory stayed.
 */
static int has_vanished(const struct root *root, const struct device *device)
{
	array_each(range, &device->memory)
		if (dax_range_is_online(root, range))
			return -EBUSY;
	return 1;
}

static int disable(const struct root *root, const struct device *device)
{
	_cleanup_free_ char *driver = NULL;
	int rc = check_identity(root, device, NULL);

	if (rc == -ENXIO)
		return has_vanished(root, device);
	rc = rc < 0 ? rc : sysfs_link(root, "dax", device->name, "driver", &driver);
	if (rc < 0 || !driver)
		return rc;
	if (!device->driver || strcmp(driver, device->driver) != 0)
		return -ESTALE;
	return unbind(root, device->name, driver);
}

/*
 * A driver with identifiers of its own takes a device as soon as it knows its
 * name; one that takes any, device_dax, does so on a bind: drivers/dax/bus.c.
 */
static int bind(const struct root *root, const char *name, const char *driver)
{
	_cleanup_free_ char *now = NULL;
	int rc = write_name(root, driver, "new_id", name);

	now = dax_driver(root, name);
	if (!now)
		rc = write_name(root, driver, "bind", name);
	return now ? 0 : rc;
}

/* The policy applies to what is added meanwhile: mm/memory_hotplug.c:add_memory_resource(). */
static int bind_offline(const struct root *root, const char *name, const char *driver)
{
	struct online_policy policy;
	int rc = online_policy_set_offline(root, &policy);

	rc = rc < 0 ? rc : bind(root, name, driver);
	online_policy_put_back(&policy);
	return rc;
}

int dax_switch_driver(const struct root *root, const char *name, const char *driver)
{
	_cleanup_free_ char *before = dax_driver(root, name), *after = NULL;
	int rc = 0;

	if (before && strcmp(before, driver) == 0)
		return 1;
	if (before)
		rc = unbind(root, name, before);
	rc = rc < 0 ? rc : bind_offline(root, name, driver);
	after = dax_driver(root, name);
	if (after && strcmp(after, driver) == 0)
		return 0;
	return rc < 0 ? rc : -ENXIO;
}

static int enable(const struct root *root, const struct device *device)
{
	_cleanup_free_ char *before = dax_driver(root, device->name);
	int rc = check_identity(root, device, NULL);

	if (rc < 0)
		return rc;
	if (!device->driver)
		return -ENXIO;
	/* somebody else has given it to another one meanwhile */
	if (before && strcmp(before, device->driver) != 0)
		return -ESTALE;
	rc = modules_load_for(root, device->path);
	return rc < 0 ? rc : dax_switch_driver(root, device->name, device->driver);
}

const struct target_kind target_dax = { disable, enable, is_enabled, check_identity, dax_describe };
