/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pass over a set of processes: children of ours look side by side, each
 * at one process after the other, and one that gets stuck at a process (whose
 * memory map is locked, say) is given up. Private to this room.
 */
#ifndef RETIRE_HOLDERS_PROCESS_PASS_H
#define RETIRE_HOLDERS_PROCESS_PASS_H

#include "retire/holders/pids.h"
#include "retire/holders/process-scan.h"

/* `denied` is -ETIMEDOUT when the process does not answer, -EPROTO when who looked at it died. */
struct sighting {
	struct finding finding;
	size_t first, count; /* in the matches of the pass */
};

struct process_pass {
	/* given */
	const struct root *root;
	const struct matcher *matcher;
	int proc;
	pid_t own;
	const struct pid_set *pids;
	const struct suspects *suspects; /* what is known of them before; NULL: nothing */

	/* found */
	ARRAY_OF(struct sighting) sightings; /* by pid */
	ARRAY_OF(struct match) matches;
	ARRAY_OF(char *) answers; /* all strings point in here */
	struct pid_set gone;	  /* were not there any more; their numbers may be given anew */
	size_t left;		  /* were not looked at, since too many did not answer */
};

/* Fills in what is found. 0 or a negative errno. */
int process_pass_run(struct process_pass *pass);

void process_pass_free(struct process_pass *pass);

#endif
