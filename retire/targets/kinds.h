/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each type of device can do; the table is in all.c. What each owes is in
 * targets.h, at the function of the same name.
 */
#ifndef RETIRE_TARGETS_KINDS_H
#define RETIRE_TARGETS_KINDS_H

#include "retire/model.h"

struct root;

struct target_kind {
	int (*disable)(const struct root *root, const struct device *device);
	int (*enable)(const struct root *root, const struct device *device);
	int (*is_enabled)(const struct root *root, const struct device *device);
	int (*check_identity)(const struct root *root, const struct device *device, struct err *err);
	/* Fills *device, which the caller frees whatever is returned. 0 or a negative errno; -ENODEV: it is gone.
	 */
	int (*describe)(const struct root *root, const char *name, struct device *device);
	/* Of CXL devices; NULL: there is no such thing. */
	int (*changes[CXL_CHANGES])(const struct root *root, const struct device *device);
};

extern const struct target_kind target_dax, target_pmem_namespace, target_pmem_region, target_cxl_region,
	target_cxl_memdev;

const struct target_kind *target_kind(enum device_type type);

/* Of devices of any type: is what was read (0, NULL: nothing) still so? 0, or -ESTALE with both in the message. */
int identity_same_text(const struct device *device, const char *what, const char *was, const char *is,
		       struct err *err);
int identity_same_number(const struct root *root, const struct device *device, const char *attribute, bool hex,
			 uint64_t was, struct err *err);

#endif
