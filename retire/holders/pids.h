/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of processes. Private to this room. */
#ifndef RETIRE_HOLDERS_PIDS_H
#define RETIRE_HOLDERS_PIDS_H

#include <stdbool.h>
#include <sys/types.h>

#include "util/array.h"

struct pid_set {
	ARRAY_OF(pid_t) list; /* sorted, each once */
};

/* Those that are in the directory `proc` now and not in `known`. 0 or a negative errno. */
int pid_set_read(struct pid_set *set, int proc, const struct pid_set *known);

/* Adds those of `more` that are not in `but`. 0 or -ENOMEM. */
int pid_set_merge(struct pid_set *set, const struct pid_set *more, const struct pid_set *but);

bool pid_set_has(const struct pid_set *set, pid_t pid);
void pid_set_free(struct pid_set *set);

#endif
