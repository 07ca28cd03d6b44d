/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs the steps of a plan under the deadline, records each, and undoes them
 * in reverse when one fails before the commit.
 */
#ifndef RETIRE_EXECUTE_H
#define RETIRE_EXECUTE_H

#include "retire/plan.h"
#include "retire/progress.h"
#include "retire/steps/steps.h"

/*
 * Makes `plan`, which must outlive it, the one that is executed, and records
 * its steps up to phase `last` as planned. 0 or -ENOMEM.
 */
int execute_begin(struct execution *execution, const struct plan *plan, enum phase last, struct err *err);

/*
 * Goes on with the steps up to phase `last`. 0, or the negative errno of the
 * step that failed, was cut by a signal or came after the deadline; its record
 * has the message.
 */
int execute_until(struct execution *execution, enum phase last, struct progress *progress, struct err *err);

/*
 * Undoes the steps that were begun, in reverse, under a deadline of its own.
 * What cannot be put back becomes result->stuck. Nothing is mounted while a
 * child still hangs in the kernel.
 */
void execute_rollback(struct execution *execution, struct progress *progress);

#endif
