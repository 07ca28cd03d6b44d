/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who holds a device: one table of kinds, one file for each.
 *
 * A kind (struct holder_kind, plan.h) says how it is found and which steps
 * would end it. Probes only read:
 * they claim nothing, load no module, trigger no automount, write nothing.
 * Matching is by device number, never by path: nodes have aliases and paths
 * are per namespace. What a probe could not look at, it adds to
 * look->unknowns and goes on.
 */
#ifndef RETIRE_HOLDERS_H
#define RETIRE_HOLDERS_H

#include "retire/model.h"
#include "retire/plan.h"

struct root;

/* The table of kinds, by holder type. */
extern const struct holder_kind *const holder_kinds[HOLDER_TYPES];

/* Runs every probe over the devices of `look`. 0 or a negative errno. */
int holders_find(const struct root *root, struct look *look, struct err *err);

/*
 * After a count of references: whoever is found to have some of those pages, in
 * a pipe or in a buffer registered with io_uring, becomes a holder with
 * USE_PAGES. What cannot be found stays as it is counted. 0 or -ENOMEM.
 */
int holders_find_page_keepers(const struct root *root, struct look *look);

/*
 * The same of devices that are memory of this system, by look->page_array. What
 * is in a pipe for a moment only is nobody's.
 */
int holders_find_memory_keepers(const struct root *root, struct look *look);

/* Is there still the process with this pid and start time? One that is only waited for has ended. */
bool holders_process_lives(const struct root *root, const struct process *process);

/*
 * The blocks of memory on the device as they are now, by its ranges: states and
 * zones, without what they are used for. Their items are the caller's to free.
 * 0 or a negative errno.
 */
int holders_read_memory(const struct root *root, const struct device *device, struct system_ram *memory);

/* What a block of memory is used for: block->used, of which the rest is as it was. 0 or a negative errno: -EINTR
 * when `ended` (-1: none) is readable before it is through. */
int holders_block_use(const struct root *root, struct system_ram *block, uint64_t number, int ended);

/*
 * The same in words, and who is charged for it: "64.0 KiB anonymous; charged to
 * bench.service 64.0 KiB". The caller frees; NULL or "": that cannot be told.
 */
char *holders_tell_block(const struct root *root, const struct system_ram *block, uint64_t number);

/* All memory of a node, in bytes; a node without memory has none. 0, or a negative errno and *bytes is 0. */
int holders_node_total(const struct root *root, int node, uint64_t *bytes);

/*
 * Is memory of the device, whose driver has gone, the system's all the same? 1
 * and why, in at most `size` bytes; 0; or a negative errno: it cannot be told.
 */
int holders_burned(const struct root *root, const struct device *device, char *why, size_t size);

/*
 * Processes that have what can hold a file without showing which: "mkholder[812]
 * (descriptors in flight), …"; for the message when something is held and
 * nobody is seen. The caller frees; NULL: there are none.
 */
char *holders_likely(const struct root *root);

#endif
