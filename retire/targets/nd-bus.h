/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is on the nd bus, from sysfs (Documentation/ABI/testing/sysfs-bus-nvdimm
 * of the kernel). libndctl tells it, too, but brings libkmod and libcrypto with
 * it: most of the memory of a program that only looks, and of its start.
 * Only for targets/pmem*.c.
 */
#ifndef RETIRE_TARGETS_ND_BUS_H
#define RETIRE_TARGETS_ND_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "util/array.h"

struct root;

struct nd_bus {
	char *name; /* "ndbus0" */
	unsigned number;
	char *provider; /* "ACPI.NFIT" */
};

struct nd_region {
	char *name; /* "region0" */
	unsigned number, bus;
	uint64_t nstype; /* ND_DEVICE_NAMESPACE_… of linux/ndctl.h: what its namespaces are */
};

struct nd_namespace {
	char *name; /* "namespace0.1" */
	unsigned number, region;
	uint64_t size; /* bytes; 0: a seed */
};

/* Regions by bus and number, namespaces by bus, region and number. Numbers of regions are unique on the machine.
 */
struct nd_devices {
	ARRAY_OF(struct nd_bus) buses;
	ARRAY_OF(struct nd_region) regions;
	ARRAY_OF(struct nd_namespace) namespaces;
};

/*
 * Fills *nd, which the caller frees whatever is returned; a device that comes
 * or goes meanwhile may be missing. Waits, without an end, for probes that are
 * under way and for the lock of a device. 0 or a negative errno.
 */
int nd_devices_read(const struct root *root, struct nd_devices *nd);
void nd_devices_free(struct nd_devices *nd);

/* By its exact name; NULL when there is none. */
const struct nd_namespace *nd_namespace_named(const struct nd_devices *nd, const char *name);
const struct nd_region *nd_region_named(const struct nd_devices *nd, const char *name);

/* Never NULL for what nd_devices_read() has found. */
const struct nd_region *nd_region_of(const struct nd_devices *nd, const struct nd_namespace *ndns);
const struct nd_bus *nd_bus_of(const struct nd_devices *nd, const struct nd_region *region);

/* Is it "namespace0.1" and nothing else? Fills the numbers. */
bool nd_is_namespace(const char *name, unsigned *region, unsigned *number);

#define _cleanup_nd_ __attribute__((cleanup(nd_devices_free)))

#endif
