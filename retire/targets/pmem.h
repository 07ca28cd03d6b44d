/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the pmem namespace share: the facts about one namespace or
 * region. Only for targets/pmem*.c.
 */
#ifndef RETIRE_TARGETS_PMEM_H
#define RETIRE_TARGETS_PMEM_H

#include <stdbool.h>
#include <stdint.h>

#include "retire/model.h"
#include "retire/request.h"
#include "retire/targets/finding.h"
#include "retire/targets/nd-bus.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/err.h"

struct request;
struct root;

/* Calls `find`, if it returns; else says what can be said without: pmem_find_stuck(). */
int pmem_find_safely(finder *find, const struct root *root, const struct request *request, struct look *look,
		     struct err *err);

/*
 * What every search of this room begins with: what is on the nd bus, filters
 * that fit something, look->initial_namespaces. 0 or a negative errno.
 */
int pmem_begin(const struct root *root, const struct request *request, struct look *look, struct nd_devices *nd,
	       struct err *err);

/* NULL when both filters of the request let the region through; else the one that does not. */
const char *pmem_refusing_filter(const struct request *request, const struct nd_devices *nd,
				 const struct nd_region *region);

/* Adds the namespace to the devices, once. */
int pmem_add_namespace(const struct root *root, const struct nd_namespace *ndns, struct look *look,
		       struct err *err);

/* Adds the namespace of exactly that name, if the filters let it through and it has capacity. */
int pmem_find_named(const struct root *root, const struct request *request, const struct nd_devices *nd,
		    const char *name, struct look *look, struct err *err);

/* Adds the region to the devices, once, and before it all of its namespaces that have capacity. */
int pmem_add_region(const struct root *root, const struct nd_devices *nd, const struct nd_region *region,
		    struct look *look, struct err *err);

/* As pmem_describe(), of a region. */
int pmem_region_describe(const struct root *root, const char *name, struct device *device);

/* 0; -EBUSY when a namespace of the region at `path`, or an instance that claimed one, has a driver. */
int pmem_region_check_unused(const struct root *root, const char *path);

/* What struct target_kind has of both types. */
int pmem_namespace_disable(const struct root *root, const struct device *device);
int pmem_namespace_enable(const struct root *root, const struct device *device);
int pmem_namespace_is_enabled(const struct root *root, const struct device *device);
int pmem_region_enable(const struct root *root, const struct device *device);
int pmem_check_identity(const struct root *root, const struct device *device, struct err *err);

/* The driver of the region is taken away, if it is the same one and none of its namespaces has a driver. */
int pmem_region_disable(const struct root *root, const struct device *device);

/* 1 a driver has it, 0 not. */
int pmem_region_is_enabled(const struct root *root, const struct device *device);

/* Fills *device, which the caller frees whatever is returned. 0 or a negative errno; -ENODEV: it is gone. */
int pmem_describe(const struct root *root, const char *name, struct device *device);

/* Whose namespace this is at the moment: "pfn0.0", "" when nobody's; caller frees; NULL with errno set. */
char *pmem_instance(const struct root *root, const char *path);

/* The uuid of the instance `instance` of the namespace at `path`; caller frees; NULL when there is none. */
char *pmem_instance_uuid(const struct root *root, const char *path, const char *instance);

/* In sysfs, of the device-dax on the dax instance at `path`; caller frees; NULL when there is none. */
char *pmem_dax_path(const struct root *root, const char *path);

/* The name of the driver of the sibling `name` of the namespace at `path`; caller frees; NULL when unbound. */
char *pmem_driver(const struct root *root, const char *path, const char *name);

/*
 * The devices of the request where the finding does not come back, since the
 * kernel does not: those that it is removing, told from links and directories
 * alone. -ETIMEDOUT when one of them is none of these.
 */
int pmem_find_stuck(const struct root *root, const struct request *request, struct look *look, struct err *err);

/* Fills driver_device, enabled and half_removed when the kernel is removing the device of `instance` ("": none).
 */
int pmem_find_half_removed(const struct root *root, const char *instance, struct device *device);

/* The block device or device-dax of a device with a driver_device. */
void pmem_find_node(const struct root *root, struct device *device);

/* Fills device->memory; what cannot be read stays empty. 0 or -ENOMEM. */
int pmem_find_memory(const struct root *root, struct device *device);

/* What its block device is called whenever it has one; 0 or -ENOMEM. */
int pmem_name_disk(struct device *device);

/* The process in the kernel that takes a device of the nd bus away: "bash[812]"; caller frees; NULL when none is
 * seen. */
char *pmem_remover(const struct root *root);

#endif
