/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a PCI device or port has counted of errors of its link
 * (Documentation/ABI/testing/sysfs-bus-pci-devices-aer_stats of the kernel).
 */
#ifndef RETIRE_AER_H
#define RETIRE_AER_H

#include <stdint.h>

struct root;

/* Since it was found by the kernel. */
struct aer_counts {
	uint64_t correctable, nonfatal, fatal;
};

/* Of the PCI device of that address. 0, or a negative errno: it does not count, or that cannot be read. */
int aer_read(const struct root *root, const char *address, struct aer_counts *counts);

#endif
