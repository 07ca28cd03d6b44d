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
struct sysfs_names;

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

/*
 * Fills *cxl, which the caller frees whatever is returned. Without the bus it is
 * empty; what goes meanwhile may be missing, what cannot be read is an error. 0 or a negative errno.
 */
int cxl_devices_read(const struct root *root, struct cxl_devices *cxl);
void cxl_devices_free(struct cxl_devices *cxl);

/* By its exact name; NULL when there is none. */
const struct cxl_memdev *cxl_memdev_named(const struct cxl_devices *cxl, const char *name);
const struct cxl_region *cxl_region_named(const struct cxl_devices *cxl, const char *name);

/* The part of a path of the bus that is a name of that kind: "root0", "decoder0.0"; caller frees; NULL: none is.
 */
char *cxl_path_part(const char *path, const char *prefix);

/* The memdev that an endpoint is of: "mem0"; caller frees; NULL: there is none. 0 or a negative errno. */
int cxl_endpoint_memdev(const struct root *root, const char *endpoint, char **memdev);

/* Its decoders. 0; -EAGAIN: it has just gone; other negative errno. */
int cxl_endpoint_decoders(const struct root *root, const char *endpoint, struct sysfs_names *decoders);

/*
 * The region that an endpoint decoder is for: "region0"; caller frees; NULL: it is for none. 0; -ENOENT: there is
 * no such decoder; -EBADMSG: that is no name of a region; other negative errno.
 */
int cxl_decoder_region(const struct root *root, const char *decoder, char **region);

/* What the memdev at that path is a child of; caller frees; NULL when memory is out. */
char *cxl_host_of(const char *path);

/* The driver of a device of the bus: "cxl_region"; caller frees; NULL: it has none. 0 or a negative errno. */
int cxl_driver(const struct root *root, const char *name, char **driver);
int cxl_has_driver(const struct root *root, const char *name); /* sysfs_has_driver() */

/* An attribute of a device of the bus, as a number; 0 where there is none. 0; -EAGAIN: the device is just going;
 * other negative errno. */
int cxl_number(const struct root *root, const char *name, const char *attribute, uint64_t *number);

/* The same of several. */
struct cxl_attribute {
	const char *name;
	uint64_t *number;
};
int cxl_numbers(const struct root *root, const char *name, const struct cxl_attribute *attributes, size_t count);

#define _cleanup_cxl_ __attribute__((cleanup(cxl_devices_free)))

#endif
