// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The devices of a retirement of CXL as they are now. When a region has lost
 * its driver the dax device or nd region on it is no more, and without power a card is not there:
 * both are what was wanted, and stay in the list as disabled.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "retire/slot.h"
#include "retire/targets/cxl.h"
#include "retire/targets/finding.h"
#include "retire/targets/kinds.h"
#include "retire/targets/sysfs.h"
#include "util/cleanup.h"
#include "util/root.h"

static int add_absent(const struct root *root, const struct look *was, int index, struct look *look)
{
	int rc = look_copy_device(was, index, look);
	struct device *device = rc < 0 ? NULL : &look->devices.items[index];

	if (rc < 0)
		return rc;
	device->enabled = device->system_ram = device->gone = false;
	device->dev = 0;
	free(device->driver);
	free(device->driver_device);
	free(device->memory.items);
	free(take_ptr(device->cxl.other));
	device->driver = device->driver_device = NULL;
	device->memory.items = NULL;
	device->memory.count = device->memory.room = 0;
	device->cxl.committed = device->cxl.unowned = false;
	/* as long as it may have power that is still to be taken */
	device->cxl.absent = !device->cxl.slot || slot_power(root, device->cxl.slot) == SLOT_OFF;
	return 0;
}

/* The name that it has now; caller frees; NULL with errno set. */
static char *name_now(const struct root *root, const struct device *was)
{
	return was->type == DEVICE_CXL_MEMDEV ? cxl_memdev_now(root, was) : strdup(was->name);
}

/* Not only could it not be read: -ENODEV. A memdev is looked for among all of them anyway. */
static int check_gone(const struct root *root, const struct device *was)
{
	int rc = was->type == DEVICE_CXL_MEMDEV
			 ? 0
			 : root_findf(root, "/sys/bus/%s/devices/%s", device_bus(was->type), was->name);

	return rc > 0 ? -EAGAIN : rc < 0 ? rc : -ENODEV;
}

static int add_again(const struct root *root, const struct look *was, int index, struct look *look,
		     struct err *err)
{
	const struct device *before = &was->devices.items[index];
	_cleanup_free_ char *name = name_now(root, before);
	int rc = name ? finding_add(root, target_kind(before->type)->describe, name, look, err) : -errno;

	if (rc == -ESTALE)
		return err_set(err, rc, "another card is in the place of %s", before->name);
	if (rc == -ENODEV)
		rc = check_gone(root, before);
	if (rc == -ENODEV)
		rc = add_absent(root, was, index, look);
	return rc < 0 ? err_errno(err, rc, "%s: cannot look at it again", before->name) : 0;
}

int cxl_find_again(const struct root *root, const struct look *was, struct look *look, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < was->devices.count; i++)
		rc = add_again(root, was, (int)i, look, err);
	rc = rc < 0 ? rc : cxl_find_slots(root, look);
	rc = rc < 0 ? rc : cxl_find_below(look);
	look->again = false;
	look->initial_namespaces = sysfs_sees_everybody(root);
	return rc;
}
