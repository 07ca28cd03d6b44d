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
void sysfs_names_free(struct sysfs_names *names);

/* This program lives in the initial pid and user namespaces. */
bool sysfs_sees_everybody(const struct root *root);

#endif
