// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "retire/targets/targets.h"
#include "util/array.h"
#include "util/cleanup.h"

/* How each type of device is found by its name. */
static int (*const finders[DEVICE_TYPES])(const struct root *root, const struct request *request,
					  struct look *look, struct err *err) = {
	[DEVICE_PMEM_NAMESPACE] = targets_find_pmem,
};

int targets_find_again(const struct root *root, const struct look *was, struct look *look, struct err *err)
{
	_cleanup_free_ const char **names = calloc(was->devices.count + 1, sizeof(char *));
	int rc = names ? 0 : err_set(err, -ENOMEM, "out of memory");

	for (enum device_type type = 0; rc == 0 && type < DEVICE_TYPES; type++) {
		struct request request = { .names = names };

		array_each(device, &was->devices)
			if (device->type == type)
				names[request.name_count++] = device->name;
		if (request.name_count)
			rc = finders[type](root, &request, look, err);
	}
	return rc;
}
