/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel says while we work: /dev/kmsg from a point in time on.
 * Reads only; every search starts at that point again.
 */
#ifndef RETIRE_KERNEL_LOG_H
#define RETIRE_KERNEL_LOG_H

#include <sys/types.h>

struct kernel_log {
	int fd;			 /* -1: cannot be read (no permission, dmesg_restrict) */
	unsigned long long from; /* sequence number of the first record that counts */
};

enum kernel_log_kind {
	KERNEL_LOG_PINNED,  /* a page of a dax file was still referenced: dax_disassociate_entry */
	KERNEL_LOG_WARNING, /* WARNING, BUG, Oops, hung task, lockdep */
	KERNEL_LOG_BURNED,  /* memory was online when its driver let go: drivers/dax/kmem.c */
	KERNEL_LOG_KINDS
};

/* From now on. 0, or a negative errno with log->fd -1; harmless to use all the same. */
int kernel_log_start(struct kernel_log *log);

/* 1 and *line (caller frees) the first that matches, 0 none, negative errno when it cannot be read. */
int kernel_log_find(struct kernel_log *log, enum kernel_log_kind kind, char **line);

/*
 * Has XFS on `disk` been told that its device goes, and come to the end of
 * that, since it was mounted last? 1, 0 when the log does not show it (which
 * proves nothing), or a negative errno.
 */
int kernel_log_tells_of_removal(const char *disk);

/* That, one message of the log after the other: pure; `seen` starts at 0, and at 2 it was told. */
size_t kernel_log_follow_removal(const char *message, const char *disk, size_t seen);

void kernel_log_end(struct kernel_log *log);

#endif
