/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks at machines that do not exist, built in a few lines; plans told in one
 * line; and the rules that every plan keeps. Places are holder ids, or DISK0,
 * DISK1 for the bare devices; ids are returned. Memory that runs out aborts.
 */
#ifndef TEST_UNIT_PLAN_BUILD_H
#define TEST_UNIT_PLAN_BUILD_H

#include "retire/model.h"
#include "retire/plan.h"

enum { DISK0 = -1, DISK1 = -2 };

/* An enabled namespace: "namespace0.0" by "pfn0.0" as "pmem0", the next one with 1 for 0. Returns the device. */
struct device *add_device(struct look *look, enum device_mode mode);

/* "region0", enabled: it comes after its namespaces. */
void add_region(struct look *look, size_t number);

int add_stack(struct look *look, enum holder_type type, int on, const char *name);

/* Its name is that of its first mount, as in holders/filesystem.c. */
int add_fs(struct look *look, int on, const char *fstype, unsigned features);
int add_detached_fs(struct look *look, int on, const char *fstype);

/* In the initial mount namespace, at a place that is no concern of ours. */
int add_mount(struct look *look, int fs, const char *point);

/* In the tree of the mount `inside`; in the same mount namespace. */
int add_mount_inside(struct look *look, int fs, int inside, const char *point);

/* Something else, mounted in one of our mounts. */
int add_foreign(struct look *look, int inside, const char *fstype, const char *point);

/* A second mount namespace, and one of its mounts (`inside` 0: none of ours). */
int add_namespace(struct look *look);
int add_mount_in(struct look *look, int fs, int inside, int ns, const char *point);

int add_process(struct look *look, int on, const char *comm, pid_t pid, unsigned uses);
int add_swap(struct look *look, int on, const char *path, bool file);

/* A device, in MODE_DEVDAX or MODE_SYSTEM_RAM, whose two blocks are online memory of this system. */
struct system_ram *add_memory(struct look *look, enum device_mode mode, enum memory_zone zone);

/* "freeze /mnt, flush /mnt, …, claim pmem0, unbind pfn0.0"; the caller frees. */
char *tell_steps(const struct look *look, const struct plan *plan);

/* "process fio[812] --evict=term, …" of those that stand, or of those that are lifted; the caller frees. */
char *tell_vetoes(const struct plan *plan, bool stands);

/* The rule that the plan breaks, NULL when it keeps them all. */
const char *broken_rule(const struct look *look, const struct request *request, const struct plan *plan);

#endif
