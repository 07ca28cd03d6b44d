/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine with namespace0.0 (pmem0, 259:0) and namespace1.0 (pmem1, 259:1),
 * with sda1 and dm-0, and on the first blocks 33 and 34 of memory, of which there is one; whose effects only note
 * what they are called with.
 */
#ifndef TEST_UNIT_HOSTILE_MACHINE_H
#define TEST_UNIT_HOSTILE_MACHINE_H

#include "retire/recover.h"
#include "test/unit/journal-build.h"

/* Of the effects that were called, in one string: "mount /dev/pmem0 /mnt;". */
struct noted {
	struct effects effects;
	const struct journal_tree *place;
	char calls[4096];
};

/* What recover (and then restore, by id and by device) does of it. */
struct outcome_of {
	struct noted noted;
	enum outcome recovered, restored;
	size_t stuck;
};

/* The tree of one, for a test's set-up. */
int make_machine(void **state);

/* Runs "recover", or "restore" by id and then by device. */
void act(const struct journal_tree *place, const char *command, struct outcome_of *out);

/* Both, each with a journal of these records in both places. */
struct outcome_of act_on(const struct journal_tree *place, const char *const *records, size_t count);

#endif
