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
 * Adds the pmem regions of the request and, before all of them, every
 * namespace on them that has capacity. Returns as above; -ENOTSUP for a region
 * that holds neither persistent nor volatile memory (a block window).
 */
int targets_find_pmem_region(const struct root *root, const struct request *request, struct look *look,
			     struct err *err);

/* Adds what is named, of either kind; "all" are the namespaces. */
int targets_find_nd(const struct root *root, const struct request *request, struct look *look, struct err *err);

/*
 * Takes the device away from its driver as `ndctl disable-namespace` leaves
 * it: pfn, btt or dax instance dissolved, namespace disabled; a region as
 * `ndctl disable-region` does, but -EBUSY while a namespace of it has a driver.
 * Blocks for as long as the kernel wants: call it in a child. 0 or a negative
 * errno; -ESTALE when something else has its name by now. The kernel never says
 * that an unbind failed, so targets_is_enabled() afterwards.
 */
int targets_disable(const struct device *device);

/* Read back from sysfs: 1 a driver still gives it to users, 0 not, or a negative errno. */
int targets_is_enabled(const struct root *root, const struct device *device);

#endif
