/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From names to devices, in sysfs: the only room that uses libndctl and libkmod.
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

/*
 * Adds the dax devices of the request, by their names; "all" in the order of
 * their numbers, with the region's number as filter. Returns as above.
 */
int targets_find_dax(const struct root *root, const struct request *request, struct look *look, struct err *err);

/*
 * Adds the CXL regions of the request, or the memdevs, by name, PCI address or
 * serial number, with every region that has a part of one; before all of them what stands on
 * the regions: dax devices, nd regions and their namespaces. Regions in the order in
 * which they have to go. targets_find_cxl(): either kind. Returns as above; -ENOTUNIQ: two have
 * that serial number.
 */
int targets_find_cxl_region(const struct root *root, const struct request *request, struct look *look,
			    struct err *err);
int targets_find_cxl_memdev(const struct root *root, const struct request *request, struct look *look,
			    struct err *err);
int targets_find_cxl(const struct root *root, const struct request *request, struct look *look, struct err *err);

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

/*
 * Is what has this name now the device that was looked at? Reads only. 0;
 * -ESTALE it is another one (path, uuid, set cookie, size, address, uuid of the
 * instance): the message says which, was and is; -ENODEV there is none; -ENXIO
 * there is none because its region is disabled; -ETIMEDOUT: the kernel does not answer;
 * other negative errno. The instance shows only while the namespace is enabled.
 */
int targets_check_identity(const struct root *root, const struct device *device, struct err *err);

/*
 * Gives the device back to the driver that it had: loads modules as
 * modprobe.d(5) allows, enables it, and waits up to 10 s until it is read back
 * as enabled, in the same mode and with the same identity. A region first, then
 * its namespaces: the kernel enables those with it, and they answer 1.
 *
 * 0; 1 when it was so already; -ESTALE when it is another one (nothing was done)
 * or has become another one (it stays enabled); -ENODEV, -ENXIO as above, -ENXIO
 * also when no driver took it; -EPERM when its module is blacklisted; other
 * negative errno. Blocks for as long as the kernel wants: call it in a child.
 */
int targets_enable(const struct device *device);

/*
 * Changes a CXL device whose driver has gone, or brings it back (enum cxl_change). 0,
 * 1 where it was so already, or a negative errno: -EADDRINUSE when what stands on it has
 * not gone, else what the kernel answers. Blocks for as long as the kernel wants: call it in a child.
 */
int targets_change(const struct device *device, enum cxl_change change);

/* Read back from sysfs: 1 a driver still gives it to users, 0 not, or a negative errno. */
int targets_is_enabled(const struct root *root, const struct device *device);

/*
 * The devices of `was` as they are now, by name, in that order; a memdev by its
 * serial number. -ENODEV when one is gone; of CXL, what has gone with its region or card is there as
 * disabled.
 */
int targets_find_again(const struct root *root, const struct look *was, struct look *look, struct err *err);

#endif
