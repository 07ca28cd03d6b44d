/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is on the cxl bus, from sysfs (Documentation/ABI/testing/sysfs-bus-cxl
 * of the kernel): libcxl 76.1 lacks some of it. Only for targets/cxl*.c.
 */
#ifndef RETIRE_TARGETS_CXL_BUS_H
#define RETIRE_TARGETS_CXL_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "util/array.h"

struct root;

#define CXL_DEVICES "/sys/bus/cxl/devices"

struct cxl_memdev {
	char *name; /* "mem0" */
	unsigned number;
	char *host;	 /* what it is a child of: the PCI device "0000:35:00.0" */
	uint64_t serial; /* 0: none, or it cannot be read */
	char *endpoint;	 /* "endpoint2"; NULL: no driver has the memdev */
};

struct cxl_region {
	char *name; /* "region0" */
	unsigned number;
	char *path; /* in sysfs, without links */
};

/* Each by their numbers. */
struct cxl_devices {
	ARRAY_OF(struct cxl_memdev) memdevs;
	ARRAY_OF(struct cxl_region) regions;
};

/* Fills *cxl, which the caller frees whatever is returned. Without the bus it is empty. 0 or a negative errno. */
int cxl_devices_read(const struct root *root, struct cxl_devices *cxl);
void cxl_devices_free(struct cxl_devices *cxl);

/* By its exact name; NULL when there is none. */
const struct cxl_memdev *cxl_memdev_named(const struct cxl_devices *cxl, const char *name);
const struct cxl_region *cxl_region_named(const struct cxl_devices *cxl, const char *name);

/* The part of a path of the bus that is a name of that kind: "root0", "decoder0.0"; caller frees; NULL: none is.
 */
char *cxl_path_part(const char *path, const char *prefix);

/* The memdev that an endpoint is of: "mem0"; caller frees; NULL when there is none. */
char *cxl_endpoint_memdev(const struct root *root, const char *endpoint);

/* What the memdev at that path is a child of; caller frees; NULL when memory is out. */
char *cxl_host_of(const char *path);

/* The driver of a device of the bus: "cxl_region"; caller frees; NULL when it has none. */
char *cxl_driver(const struct root *root, const char *name);

/* An attribute of a device of the bus, as a number; one that cannot be read is 0. */
uint64_t cxl_number(const struct root *root, const char *name, const char *attribute);

#define _cleanup_cxl_ __attribute__((cleanup(cxl_devices_free)))

#endif
