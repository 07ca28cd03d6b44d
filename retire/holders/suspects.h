/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processes are worth a look at all. Private to this room. */
#ifndef RETIRE_HOLDERS_SUSPECTS_H
#define RETIRE_HOLDERS_SUSPECTS_H

#include <stdbool.h>
#include <stddef.h>

#include "retire/bpf/watch.h"
#include "retire/holders/pids.h"
#include "util/root.h"

struct look;

struct suspects {
	bool all;		  /* not known: every process is; the rest is empty */
	struct bpf_suspect *list; /* sorted by pid; of one process there may be several */
	size_t count;
	struct pid_set pids;  /* of these */
	struct pid_set asked; /* were there before the kernel was asked */
};

/*
 * A kernel that lets itself be asked names the processes that use anything of
 * what the look has so far; whoever has no part in it is not among them. `proc`
 * is /proc. 0 or a negative errno.
 */
int suspects_find(const struct root *root, const struct look *look, int proc, struct suspects *suspects);

/* What is known of process `pid`, *count times; NULL when nothing is. */
const struct bpf_suspect *suspects_of(const struct suspects *suspects, pid_t pid, size_t *count);

void suspects_free(struct suspects *suspects);

#endif
