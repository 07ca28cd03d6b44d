/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From names to devices: the only room that uses libndctl, libdaxctl, libcxl.
 *
 * A name is matched exactly and wholly. Several names, or "all" with the
 * filters of the request, give several devices of one retirement.
 */
#ifndef RETIRE_TARGETS_H
#define RETIRE_TARGETS_H

#include "retire/model.h"
#include "retire/request.h"

struct root;

/*
 * Adds the pmem namespaces of the request to look->devices, each once, in the
 * order named ("all": by bus, region, namespace). Fills look->initial_namespaces.
 * 0; -ENODEV when a name or filter matches nothing; -ENXIO when it is a namespace
 * without capacity (a seed); other negative errno. The message names the thing
 * and the way out.
 */
int targets_find_pmem(const struct root *root, const struct request *request, struct look *look, struct err *err);

/*
 * Takes the device away from its driver as `ndctl disable-namespace` leaves
 * it: pfn, btt or dax instance dissolved, namespace disabled. Blocks for as
 * long as the kernel wants: call it in a child. 0 or a negative errno; the
 * kernel never says that an unbind failed, so targets_is_enabled() afterwards.
 */
int targets_disable(const struct device *device);

/* Read back from sysfs: 1 a driver still gives it to users, 0 not, or a negative errno. */
int targets_is_enabled(const struct root *root, const struct device *device);

/* The devices of `was` as they are now, by type and name. -ENODEV when one is gone. */
int targets_find_again(const struct root *root, const struct look *was, struct look *look, struct err *err);

int targets_enable(const struct device *device);
int targets_check_identity(const struct root *root, const struct device *device, struct err *err);

#endif
