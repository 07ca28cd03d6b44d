/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine with two CXL memdevs, mem1 (serial 0xaa) and mem2 (0xbb), and region0
 * over both, with a device-dax that nobody has. In a tree an attribute is a plain
 * file: what was written is what it reads.
 */
#ifndef TEST_UNIT_CXL_TREE_H
#define TEST_UNIT_CXL_TREE_H

#include "retire/model.h"
#include "retire/request.h"
#include "test/unit/tree-root.h"

#define ROOT   "/sys/devices/platform/ACPI0017:00/root0"
#define BLOCK  0x8000000ULL
#define REGION ROOT "/decoder0.0/region0"
#define DAX    REGION "/dax_region0/dax0.0"

struct fixture {
	struct place place;
	struct look look, again;
	struct err err;
};

/* What cmocka wants. */
int cxl_make(void **state);
int cxl_remove(void **state);

/* The attribute now reads so. */
void text(const struct fixture *f, const char *value, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The device at that path is on that bus; that driver has it. */
void on_bus(const struct fixture *f, const char *bus, const char *path);
void drive(const struct fixture *f, const char *bus, const char *path, const char *driver);

/* f->look of what is asked for by that name. */
int find_with(struct fixture *f,
	      int (*how)(const struct root *root, const struct request *request, struct look *look,
			 struct err *err),
	      const char *name, const char *bus, const char *decoder);
int find(struct fixture *f, const char *name);
struct device *found(struct fixture *f, size_t which);

/* What the file now has, without its newline. */
void reads(const struct fixture *f, const char *expected, const char *name);

#endif
