// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>

#include "retire/targets/finding.h"
#include "retire/targets/kinds.h"
#include "retire/targets/targets.h"
#include "util/cleanup.h"
#include "util/root.h"

static const struct target_kind *const kinds[DEVICE_TYPES] = {
	[DEVICE_DAX] = &target_dax,
	[DEVICE_PMEM_NAMESPACE] = &target_pmem_namespace,
	[DEVICE_PMEM_REGION] = &target_pmem_region,
	[DEVICE_CXL_REGION] = &target_cxl_region,
	[DEVICE_CXL_MEMDEV] = &target_cxl_memdev,
};

const struct target_kind *target_kind(enum device_type type)
{
	return kinds[type];
}

int targets_disable(const struct device *device)
{
	_cleanup_(root_close) struct root root = { .fd = -1 };
	int rc = root_open(&root, NULL);

	return rc < 0 ? rc : kinds[device->type]->disable(&root, device);
}

int targets_enable(const struct device *device)
{
	_cleanup_(root_close) struct root root = { .fd = -1 };
	int rc = root_open(&root, NULL);

	return rc < 0 ? rc : kinds[device->type]->enable(&root, device);
}

int targets_change(const struct device *device, enum cxl_change change)
{
	_cleanup_(root_close) struct root root = { .fd = -1 };
	int rc = root_open(&root, NULL);

	if (rc == 0 && !kinds[device->type]->changes[change])
		rc = -ENOTSUP;
	return rc < 0 ? rc : kinds[device->type]->changes[change](&root, device);
}

int targets_is_enabled(const struct root *root, const struct device *device)
{
	return kinds[device->type]->is_enabled(root, device);
}

static void try_identity(const struct root *root, const void *what)
{
	const struct device *device = what;

	kinds[device->type]->check_identity(root, device, NULL);
}

int targets_check_identity(const struct root *root, const struct device *device, struct err *err)
{
	char what[64];

	snprintf(what, sizeof(what), "a device of the %s bus", device_bus(device->type));
	if (!finding_comes_back(try_identity, root, device))
		return finding_gave_up(device->name, what, err);
	return kinds[device->type]->check_identity(root, device, err);
}
