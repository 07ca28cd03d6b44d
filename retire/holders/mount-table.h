/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mounts of every mount namespace, read at one time. Private to this room. */
#ifndef RETIRE_HOLDERS_MOUNT_TABLE_H
#define RETIRE_HOLDERS_MOUNT_TABLE_H

#include "retire/model.h"

struct root;

struct mount_table {
	ARRAY_OF(struct mount) mounts; /* by namespace, and by id within one; strings point into the texts */
	ARRAY_OF(char *) texts;
};

/* Finds the namespaces, too. What cannot be read goes to look->unknowns. 0 or a negative errno. */
int mount_table_read(const struct root *root, struct look *look, struct mount_table *table);

/* A mount by namespace and id; NULL when it is not there. */
struct mount *mount_table_find(const struct mount_table *table, int ns, uint64_t id);

/* The mount that it is mounted in; NULL for a root. */
struct mount *mount_table_parent(const struct mount_table *table, const struct mount *mount);

void mount_table_free(struct mount_table *table);

/* Its id in the look, 0 when it is not there. */
int look_mount(const struct look *look, const struct mount *mount);

#endif
