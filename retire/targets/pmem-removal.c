// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A removal that the kernel has begun and not ended. It holds the lock of the
 * device, and whoever reads certain attributes waits for that where no signal
 * reaches (drivers/nvdimm/pfn_devs.c:resource_show() and others).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "retire/request.h"
#include "retire/targets/finding.h"
#include "retire/targets/pmem.h"
#include "retire/targets/sysfs.h"
#include "util/root.h"
#include "util/text.h"

/* Which instance of the region has the disk of the namespace: its attribute `holder` may not be read. */
static int find_instance(const struct root *root, struct device *device)
{
	static const char *const kinds[] = { "pfn", "btt" };
	_cleanup_closedir_ DIR *dir = root_opendirf(root, "/sys/bus/nd/devices");
	struct dirent *entry;
	int rc = pmem_find_half_removed(root, "", device);

	device->mode = MODE_RAW;
	while (dir && rc == 0 && !device->half_removed && (entry = readdir(dir)))
		for (size_t i = 0; i < COUNT_OF(kinds); i++) {
			if (!starts_with(entry->d_name, kinds[i]) ||
			    !root_existsf(root, "/sys/bus/nd/devices/%s/block/%s%s", entry->d_name, device->disk,
					  i ? "s" : ""))
				continue;
			device->mode = i ? MODE_SECTOR : MODE_FSDAX;
			rc = pmem_find_half_removed(root, entry->d_name, device);
		}
	return rc;
}

static int describe(const struct root *root, const char *name, struct device *device)
{
	int rc;

	device->type = DEVICE_PMEM_NAMESPACE;
	device->name = strdup(name);
	device->path = device->name ? sysfs_path(root, "nd", name) : NULL;
	if (!device->path)
		return errno == ENOMEM ? -ENOMEM : -ENODEV;
	rc = pmem_name_disk(device);
	rc = rc < 0 ? rc : find_instance(root, device);
	if (rc == 0 && device->half_removed)
		pmem_find_node(root, device);
	return rc;
}

static int add_stuck(const struct root *root, const char *name, struct look *look, struct err *err)
{
	_cleanup_free_ char *remover = NULL;
	struct device device = { 0 }, *added;
	unsigned region, number;
	char text[256], what[128];
	int rc = nd_is_namespace(name, &region, &number) ? describe(root, name, &device) : -ENODEV;

	added = rc == 0 && device.half_removed ? array_add(&look->devices) : NULL;
	if (added) {
		*added = device;
		return 0;
	}
	device_free(&device);
	if (rc == -ENOMEM)
		return err_set(err, rc, "out of memory");
	printable(name, text, sizeof(text));
	remover = pmem_remover(root);
	if (!remover)
		return err_set(err, -ETIMEDOUT,
			       "%s: cannot be looked at: the kernel does not answer for the nd bus, as while a "
			       "driver comes or goes; try again, or see 'dmesg'",
			       text);
	snprintf(what, sizeof(what), "a device of the nd bus (%s)", remover);
	return finding_gave_up(name, what, err);
}

int pmem_find_stuck(const struct root *root, const struct request *request, struct look *look, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < request->name_count; i++)
		rc = add_stuck(root, request->names[i], look, err);
	return rc;
}
