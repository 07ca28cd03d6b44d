/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One process: what of ours it uses, and who it is. Private to this room. */
#ifndef RETIRE_HOLDERS_PROCESS_SCAN_H
#define RETIRE_HOLDERS_PROCESS_SCAN_H

#include "retire/holders/process-files.h"
#include "retire/holders/procfs.h"

struct suspects;

struct process_scan {
	int proc;			 /* /proc */
	pid_t own;			 /* this program; 0: in a recorded tree, which does not know us */
	const struct suspects *suspects; /* what is known of some before; NULL: nothing */
	struct file_scan files;
};

/* Somebody who uses something of ours, or who could not be looked at. */
struct finding {
	pid_t pid;
	int denied;	       /* negative errno of what was refused, 0: nothing */
	struct proc_stat stat; /* good, as is the next, only when there are matches */
	struct process who;    /* all but its uses and files */
};

/*
 * Looks at one process. 1: *finding is filled in, and scan->files.matches with
 * what it uses; the caller frees it. 0: nothing of ours. -ESRCH: it is
 * gone. Other negative errnos: the pass cannot go on.
 */
int process_scan(struct process_scan *scan, pid_t pid, struct finding *finding);

/* Only who it is; `proc` is /proc. 0 or a negative errno; the caller frees. */
int process_identify(int proc, pid_t pid, struct finding *finding);

void finding_free(struct finding *finding);

void process_scan_free(struct process_scan *scan);

#endif
