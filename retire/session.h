/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every job that changes the machine has around it: its id, the signals
 * that become readable instead of ending it, the lock, and the result.
 */
#ifndef RETIRE_SESSION_H
#define RETIRE_SESSION_H

#include "retire/machine.h"
#include "retire/progress.h"
#include "retire/request.h"
#include "retire/result.h"

struct session {
	const struct machine *machine;
	const struct request *request;
	struct progress *progress; /* NULL: none */
	struct result *result;
	uint64_t start_us;
	int interrupt, lock; /* -1: not held */
};

/*
 * Begins: fills the head of *result, holds signals and takes the lock (neither
 * for a request that only reads). False: result->outcome says why not.
 * session_end() in every case.
 */
bool session_begin(struct session *session);
void session_end(struct session *session);

/* How it went; the first message stays. */
void session_finish(struct session *session, enum outcome outcome, const char *message);

#endif
