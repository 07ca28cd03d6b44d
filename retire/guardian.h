/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guardian: a process of its own that freezes and thaws, so that nothing
 * stays frozen when this program is killed.
 *
 * It is locked in memory, out of the OOM killer's reach, outside the
 * program's process group and holds the lock's descriptor. It starts the
 * FIFREEZE child itself and thaws only after that child has ended: a freezer
 * that was killed in the kernel completes its freeze later (freeze_super()
 * waits uninterruptibly for writers). It thaws when
 *	- it is told to,
 *	- the program dies (its pidfd says so),
 *	- GUARDIAN_FREEZE_MS have passed since the freeze was asked for.
 */
#ifndef RETIRE_GUARDIAN_H
#define RETIRE_GUARDIAN_H

#include "util/clock.h"

enum { GUARDIAN_FREEZE_MS = 5000 };

struct guardian {
	int pid; /* -1: not started */
	int socket;
};

#define GUARDIAN_NONE ((struct guardian){ .pid = -1, .socket = -1 })

/* Forks it. 0 or a negative errno. */
int guardian_start(struct guardian *guardian);

/*
 * Freezes the file system of `fd`. 0; FIFREEZE's errno; -ETIMEDOUT when it had
 * not ended in time: then the guardian stays until it ends, thaws, and goes.
 */
int guardian_freeze(struct guardian *guardian, int fd, struct deadline deadline);

/* 0; 1 when the time had run out and it was thawed before; a negative errno. */
int guardian_thaw(struct guardian *guardian, struct deadline deadline);

/* Ends it; its descriptors are closed when this returns 0. Harmless when it was not started. */
int guardian_stop(struct guardian *guardian, struct deadline deadline);

#endif
