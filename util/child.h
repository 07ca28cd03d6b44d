/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A system call that may never come back runs in a forked child under a
 * deadline; the parent can give the child up. umount(2), FIFREEZE, syncfs(2)
 * and an unbind have all been seen to wait where no signal reaches them.
 */
#ifndef UTIL_CHILD_H
#define UTIL_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "util/clock.h"

struct child {
	pid_t pid;
	int pidfd;
	int socket; /* the child's answer comes here */
};

#define CHILD_NONE ((struct child){ .pid = -1, .pidfd = -1, .socket = -1 })

/* What a child does. Returns 0, a positive outcome or a negative errno; may hand a descriptor over in *fd. */
typedef int child_work(void *argument, int *fd);

/*
 * Forks and runs work(argument). All descriptors are inherited (the lock must
 * be); all signals but SIGKILL are blocked, which a child that calls execve()
 * has to undo. 0 or a negative errno.
 */
int child_start(struct child *child, child_work *work, void *argument);

/*
 * Waits for the answer. The work's own return value; or -ETIMEDOUT or -EINTR
 * with the child left running; or -EPROTO when it died without an answer. *fd
 * (may be NULL) gets the descriptor handed over, or -1. After an answer the
 * child is reaped and *child is CHILD_NONE.
 */
int child_wait(struct child *child, int interrupt, struct deadline deadline, int *fd);

/*
 * The same of a child that may have much to do: it is waited for until the
 * deadline as long as it works, and -ETIMEDOUT is returned when it has used no
 * time of a processor for so many milliseconds.
 */
int child_wait_working(struct child *child, unsigned idle_ms, struct deadline deadline, int *fd);

/*
 * Start, wait, and on a deadline or an interrupt kill the child. When it dies
 * within a second it is reaped; when not (it hangs in the kernel) it stays in
 * *left, which the caller keeps: what it may still be doing is not touched
 * again. `left` is CHILD_NONE otherwise.
 */
int child_run(child_work *work, void *argument, int interrupt, struct deadline deadline, int *fd,
	      struct child *left);

/* Kills it. One that dies within a second is reaped, and *child is CHILD_NONE; else it hangs in the kernel. */
void child_stop(struct child *child);

/* Where in the kernel it sleeps: the top lines of /proc/PID/stack joined by " <- ". Caller frees; NULL if unknown.
 */
char *child_stack(pid_t pid);

/* Reaps it when it has ended. True when it is gone. */
bool child_reap(struct child *child);

/*
 * Kills it and closes our ends. One that hangs in the kernel is left to itself:
 * only for what no harm can come from. Nothing happens to CHILD_NONE.
 */
void child_give_up(struct child *child);

/* Closes our ends without waiting for it. */
void child_forget(struct child *child);

#endif
