/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mount namespaces that no process lives in, kept alive with all their mounts
 * by a mount of their file (unshare --mount=FILE) or by an open descriptor of
 * it. From 6.12 on the kernel lists them; here is who keeps them, and on older
 * kernels how they are found at all. Private to this room.
 */
#ifndef RETIRE_HOLDERS_NAMESPACE_KEEPERS_H
#define RETIRE_HOLDERS_NAMESPACE_KEEPERS_H

#include "retire/holders/mount-table.h"

/*
 * Those whose file is mounted in one of the tables, from mount `first` on. One
 * that cannot be opened is unknown. 0 or a negative errno.
 */
int keepers_find_mounts(struct look *look, const struct mount_table *table, size_t first);

/*
 * Those that a process has open; once in a look, and only where that is needed:
 * the kernel has not listed all (`walked`), or one of them has nobody yet.
 * `pids`: the processes by namespace, of the first `lived_in`. 0 or a negative
 * errno.
 */
int keepers_find_descriptors(struct look *look, int proc, const pid_t *pids, size_t lived_in, bool walked);

#endif
