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

/* Is there still the process with this pid and start time? One that is only waited for has ended. */
bool holders_process_lives(const struct root *root, const struct process *process);

/*
 * Processes that have what can hold a file without showing which: "mkholder[812]
 * (descriptors in flight), …"; for the message when something is held and
 * nobody is seen. The caller frees; NULL: there are none.
 */
char *holders_likely(const struct root *root);

#endif
