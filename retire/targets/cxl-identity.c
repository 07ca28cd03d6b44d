// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is what has the name of a CXL device now still that device? A card is told by
 * its serial number, wherever it is put; a region by its root decoder, its size
 * and the cards that it is of.
 *
 * What can be made again, or can come back, is not there (-ENXIO); what cannot
 * is gone (-ENODEV).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retire/targets/cxl-changes.h"
#include "retire/targets/cxl.h"
#include "retire/targets/kinds.h"
#include "retire/targets/sysfs.h"
#include "util/cleanup.h"
#include "util/root.h"

static int same_targets(const struct device *was, const struct device *now, struct err *err)
{
	for (size_t i = 0; i < was->cxl.targets.count && i < now->cxl.targets.count; i++) {
		const struct cxl_target *one = &was->cxl.targets.items[i], *other = &now->cxl.targets.items[i];

		if (one->decoder && other->decoder && one->serial && other->serial && one->serial != other->serial)
			return err_set(err, -ESTALE,
				       "%s is another one: at position %zu it has the memdev with serial %#" PRIx64
				       ", it had %#" PRIx64,
				       was->name, i, other->serial, one->serial);
	}
	return 0;
}

/* One that was torn down and not deleted has no size or targets of its own any more. */
static int same_region(const struct root *root, const struct device *device, struct err *err)
{
	struct device now = { 0 };
	int rc = cxl_region_describe(root, device->name, &now);

	if (rc < 0)
		rc = err_errno(err, rc, "%s cannot be read", device->name);
	rc = rc < 0 ? rc : identity_same_text(device, "path", device->path, now.path, err);
	rc = rc < 0 ? rc : identity_same_number(root, device, "size", false, device->capacity, err);
	if (rc == 0 && now.uuid)
		rc = identity_same_text(device, "uuid", device->uuid, now.uuid, err);
	if (rc == 0 && now.size && now.mode != device->mode)
		rc = identity_same_text(device, "mode", device_mode_name(device->mode), device_mode_name(now.mode),
					err);
	rc = rc < 0 ? rc : same_targets(device, &now, err);
	device_free(&now);
	return rc;
}

int cxl_region_check_identity(const struct root *root, const struct device *device, struct err *err)
{
	int rc = root_findf(root, CXL_DEVICES "/%s/commit", device->name);

	if (rc > 0)
		return same_region(root, device, err);
	rc = rc < 0 ? rc : root_findf(root, CXL_DEVICES "/%s/delete_region", device->cxl.root_decoder);
	if (rc < 0)
		return err_errno(err, rc, "%s cannot be read", device->name);
	if (rc > 0)
		return err_set(err, -ENXIO, "%s is not there: it was deleted", device->name);
	return err_set(err, -ENODEV, "%s is not there, and neither is %s", device->name, device->cxl.root_decoder);
}

int cxl_memdev_check_identity(const struct root *root, const struct device *device, struct err *err)
{
	_cleanup_free_ char *name = cxl_memdev_now(root, device);

	if (name)
		return 0;
	if (errno == ESTALE)
		return err_set(err, -ESTALE, "another card is in the place of %s (%s): its serial was %#" PRIx64,
			       device->name, device->cxl.host, device->cxl.serial);
	if (errno != ENODEV)
		return err_errno(err, -errno, "%s", device->name);
	if (device->cxl.slot)
		return err_set(err, -ENXIO, "%s is not there: slot %s has no power, or is empty", device->name,
			       device->cxl.slot);
	return err_set(err, -ENODEV, "%s is not there (%s, serial %#" PRIx64 ")", device->name, device->cxl.host,
		       device->cxl.serial);
}
