/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files of ours one process uses. Private to this room. */
#ifndef RETIRE_HOLDERS_PROCESS_FILES_H
#define RETIRE_HOLDERS_PROCESS_FILES_H

#include <stdatomic.h>

#include "retire/bpf/watch.h"
#include "retire/holders/bound-sockets.h"
#include "retire/holders/dead-files.h"
#include "retire/holders/inode-set.h"
#include "retire/holders/matcher.h"
#include "retire/holders/pinner.h"

/* One use of one target; all uses of files with the same key are merged. */
struct match {
	struct target target;
	unsigned uses;	 /* enum use */
	dev_t shut_down; /* st_dev of a file that answered EIO, 0: none did */
	char *path;	 /* of the first file found; NULL when it cannot be read */
};

struct file_scan {
	const struct root *root;
	const struct matcher *matcher;
	atomic_ullong *steps; /* counts what the kernel has answered; a scan that is stuck does not */
	pid_t thread;	      /* whose directory is looked at next */
	struct bound_sockets sockets;
	struct inode_set plain;		  /* mapped files that are known not to be ours */
	bool no_map_query;		  /* this kernel has no PROCMAP_QUERY */
	ARRAY_OF(struct match) matches;	  /* of the process at hand */
	ARRAY_OF(struct special) special; /* of the process; not of a thread's own table: */
	bool thread_can_pin;		  /* one that has its own can */
	int denied;			  /* negative errno of what was refused there, 0: nothing */
};

/*
 * Fills matches and denied for the process whose directory in /proc is `dir`.
 * `own`: our own process, of which only what the user gave it counts. 0 or
 * -ENOMEM. A process that ends meanwhile just has less.
 */
int file_scan_process(struct file_scan *scan, int dir, bool own);

/* Adds a file that the process keeps where its directory shows nothing. 0 or -ENOMEM. */
int file_scan_hidden(struct file_scan *scan, const struct bpf_suspect *suspect);

/* Lets go of the matches of the last process. */
void file_scan_forget(struct file_scan *scan);

/* What a thread can have apart from its process. */
enum { THREAD_FILES = 1 << 0, THREAD_PLACES = 1 << 1 };

/* After that one: adds what the thread whose directory is `dir` has in `tables` of its own. 0 or -ENOMEM. */
int file_scan_thread(struct file_scan *scan, int dir, unsigned tables);

void file_scan_free(struct file_scan *scan);

/* For the files of this pass: */

static inline void file_scan_goes_on(struct file_scan *scan)
{
	atomic_fetch_add_explicit(scan->steps, 1, memory_order_relaxed);
}

/* A process that is gone is no failure, nor is a descriptor that it has closed. */
void file_scan_error(struct file_scan *scan, int rc);

/* 0 or a negative errno. */
int file_scan_stat(struct file_scan *scan, int dir, const char *name, struct statx *stx);

/* Of a recorded tree, where the link `name` in `dir` is only text. 0 or -ENOMEM. */
int file_scan_recorded(struct file_scan *scan, unsigned use, int dir, const char *name);

/* The match with this key so far, or NULL. */
struct match *file_scan_match(const struct file_scan *scan, int key);

/* `name` in `dir` is the link to the file; NULL: there is none. 0 or -ENOMEM. */
int file_scan_use(struct file_scan *scan, const struct target *target, unsigned use, int dir, const char *name);

#endif
