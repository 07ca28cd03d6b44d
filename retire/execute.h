/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs the steps of a plan under the deadline, records each, and undoes them
 * in reverse when one fails before the commit. The only writer of the journal:
 * a step is in there before it is done, and what came of it after.
 */
#ifndef RETIRE_EXECUTE_H
#define RETIRE_EXECUTE_H

#include "retire/plan.h"
#include "retire/progress.h"
#include "retire/steps/steps.h"

/*
 * Makes `plan`, which must outlive it, the one that is executed: records its
 * steps up to phase `last` as planned, captures how things are, and writes
 * that to the journal, synced. 0, -ENOMEM, or what the journal says.
 */
int execute_begin(struct execution *execution, const struct plan *plan, enum phase last, struct err *err);

/*
 * Goes on with the steps up to phase `last`. 0, or the negative errno of the
 * step that failed, was cut by a signal or came after the deadline; its record
 * has the message.
 */
int execute_until(struct execution *execution, enum phase last, struct progress *progress, struct err *err);

/* The one record after which there is only forward. 0 or a negative errno. */
int execute_commit(struct execution *execution, struct err *err);

/* Records how it ended, in the words of the result, and closes the journal. */
void execute_end(struct execution *execution);
void execute_end_journal(struct journal *journal, const char *outcome);

/* Takes over a step that another process has captured. Its record, or NULL when memory is out. */
struct step_record *execute_take(struct execution *execution, const struct captured *captured);

/*
 * Undoes the steps that were begun, in reverse, under a deadline of its own,
 * and looks whether all is as it was. What cannot be put back becomes
 * result->stuck. Nothing is mounted while a child still hangs in the kernel.
 */
void execute_rollback(struct execution *execution, struct progress *progress);

/* Lets go of what was kept for putting back, unless something is stuck: `recover` may still need it then. */
void execute_forget(struct execution *execution);

/*
 * For `restore`: brings back what the captured steps of the phases from…to took
 * away, in the order that they are in. After those from before the commit it
 * looks whether all is as it was.
 */
void execute_restore(struct execution *execution, enum phase from, enum phase to, struct progress *progress);

void execute_free(struct execution *execution);

#endif
