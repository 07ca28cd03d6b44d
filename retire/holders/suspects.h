/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processes are worth a look at all. Private to this room. */
#ifndef RETIRE_HOLDERS_SUSPECTS_H
#define RETIRE_HOLDERS_SUSPECTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "util/root.h"

struct look;

struct suspects {
	bool all; /* not known: every process is */
	pid_t *pids;
	size_t count; /* sorted */
};

/*
 * A kernel that lets itself be asked names the processes that use anything of
 * what the look has so far; whoever has no part in it is not among them.
 */
void suspects_find(const struct root *root, const struct look *look, struct suspects *suspects);
void suspects_free(struct suspects *suspects);

#endif
