/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What devices of every bus have in sysfs. Only for targets/. */
#ifndef RETIRE_TARGETS_SYSFS_H
#define RETIRE_TARGETS_SYSFS_H

#include "retire/model.h"

struct root;

/* The directory of a device of that bus, without links; caller frees; NULL with errno set. */
char *sysfs_path(const struct root *root, const char *bus, const char *name);

/* Writes an attribute. 0 or a negative errno. */
int sysfs_write(const struct root *root, const char *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The last part of what a link of a device of that bus leads to, "cxl_mem" of its "driver"; caller frees; NULL:
 * the device has none, or is not there. 0 or a negative errno: that cannot be told.
 */
int sysfs_link(const struct root *root, const char *bus, const char *device, const char *link, char **name);

/* 1 a driver has the device of that bus, 0 none, or a negative errno: that cannot be told. */
int sysfs_has_driver(const struct root *root, const char *bus, const char *device);

/* The last part of the target of a link; NULL for NULL; caller frees. */
char *sysfs_basename(const char *link);

/* "PREFIX7", and nothing else, as the kernel writes it. */
bool sysfs_is_numbered(const char *name, const char *prefix, unsigned *number);

/* 0 or -ENOMEM. */
int sysfs_add_memory(struct device *device, uint64_t start, uint64_t size);

/* Names of devices, "dax2.0" before "dax10.0" once they are sorted. */
struct sysfs_names {
	ARRAY_OF(char *) list;
};

/* A copy of it. 0 or -ENOMEM. */
int sysfs_names_add(struct sysfs_names *names, const char *name);
void sysfs_names_sort(struct sysfs_names *names);

/* Adds those in a directory that begin with `prefix`; one that is not there has none. 0 or a negative errno. */
int sysfs_names_read(const struct root *root, const char *prefix, struct sysfs_names *names, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

void sysfs_names_free(struct sysfs_names *names);

#define _cleanup_names_ __attribute__((cleanup(sysfs_names_free)))

/* This program lives in the initial pid and user namespaces. */
bool sysfs_sees_everybody(const struct root *root);

#endif
