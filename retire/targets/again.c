// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "retire/targets/cxl.h"
#include "retire/targets/finding.h"
#include "retire/targets/targets.h"
#include "util/array.h"
#include "util/cleanup.h"

static bool is_of_cxl(const struct device *device)
{
	return device->type == DEVICE_CXL_REGION || device->type == DEVICE_CXL_MEMDEV;
}

static int find_cxl(const struct root *root, const struct look *was, struct look *look, struct err *err)
{
	int rc = finding_again_returns(cxl_find_again, root, was, err);

	if (rc < 0)
		return rc;
	return rc ? cxl_find_again(root, was, look, err)
		  : finding_gave_up(was->devices.items[was->devices.count - 1].name, CXL_REMOVED, err);
}

int targets_find_again(const struct root *root, const struct look *was, struct look *look, struct err *err)
{
	_cleanup_free_ const char **names = calloc(was->devices.count + 1, sizeof(char *));
	struct request request = { .names = names };

	if (!names)
		return err_set(err, -ENOMEM, "out of memory");
	array_each(device, &was->devices)
		names[request.name_count++] = device->name;
	/* a retirement is of one bus: that of its command, and of CXL what stands on it comes first */
	if (was->devices.count && is_of_cxl(&was->devices.items[was->devices.count - 1]))
		return find_cxl(root, was, look, err);
	return was->devices.count && was->devices.items[0].type == DEVICE_DAX
		       ? targets_find_dax(root, &request, look, err)
		       : targets_find_nd(root, &request, look, err);
}
