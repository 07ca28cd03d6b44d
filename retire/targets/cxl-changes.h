/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be done to CXL devices: struct target_kind (kinds.h) of both, whose
 * tables are in cxl-kinds.c. Only for targets/cxl*.c. All of them return 0, 1 where
 * it was so already, or a negative errno; -EADDRINUSE: what is above it has not gone.
 */
#ifndef RETIRE_TARGETS_CXL_CHANGES_H
#define RETIRE_TARGETS_CXL_CHANGES_H

#include "retire/model.h"

struct root;

int cxl_region_disable(const struct root *root, const struct device *device);
int cxl_region_decommit(const struct root *root, const struct device *device);
int cxl_region_erase(const struct root *root, const struct device *device);
int cxl_memdev_disable(const struct root *root, const struct device *device);

/* As targets_check_identity(). */
int cxl_region_check_identity(const struct root *root, const struct device *device, struct err *err);
int cxl_memdev_check_identity(const struct root *root, const struct device *device, struct err *err);

/*
 * The region, as it was: made by its root decoder where it is not there, with its
 * cards in their positions, and committed.
 */
int cxl_region_commit(const struct root *root, const struct device *device);

/* Its driver. What it makes of the memory comes offline, and without a driver of its own. */
int cxl_region_enable(const struct root *root, const struct device *device);
int cxl_memdev_enable(const struct root *root, const struct device *device);

/* The PCI device of the memdev, then its slot's power. Off: -ENOTUNIQ another function is in that slot. On: waits
 * for the card; -ESTALE: another one came. */
int cxl_memdev_power_off(const struct root *root, const struct device *device);
int cxl_memdev_power_on(const struct root *root, const struct device *device);

#endif
