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
};

extern const struct target_kind target_dax, target_pmem_namespace, target_pmem_region;

/* Of devices of any type: is what was read (0, NULL: nothing) still so? 0, or -ESTALE with both in the message. */
int identity_same_text(const struct device *device, const char *what, const char *was, const char *is,
		       struct err *err);
int identity_same_number(const struct root *root, const struct device *device, const char *attribute, bool hex,
			 uint64_t was, struct err *err);

#endif
