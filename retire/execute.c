// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/execute.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

static int may_go_on(const struct execution *execution, enum phase phase, struct err *err)
{
	/* after the commit there is only forward */
	if (phase == PHASE_UNBIND)
		return 0;
	if (wait_readable(execution->effects->interrupt, -1, deadline_in(0)) == 1)
		return err_set(err, -EINTR, "interrupted by a signal");
	if (deadline_passed(execution->deadline))
		return err_set(err, -ETIMEDOUT, "the time limit (--timeout) has passed");
	return 0;
}

static struct step_record *record_of(const struct execution *execution, size_t step)
{
	return &execution->result->steps.items[execution->record + step];
}

/* A terminal or a log file can lie on what is frozen: that is told after the thaw. */
static void tell(const struct execution *execution, struct progress *progress, enum event_type type,
		 const struct step_record *record)
{
	progress_step(progress, type, record, execution->frozen != 0);
}

static void note_hanging(struct execution *execution, const char *subject, const char *what)
{
	_cleanup_free_ char *stack = NULL;
	struct child *child = &execution->effects->hanging;

	if (!execution->effects->hanging_more && child_reap(child))
		return;
	stack = child_stack(child->pid);
	result_add_stuck(
		execution->result, subject, stack,
		"%s does not come back from the kernel (process %d); nothing else is done to it meanwhile, "
		"run the command again when that process has ended",
		what, child->pid);
}

static int run(struct execution *execution, const struct step *step, struct step_record *record, struct err *err)
{
	uint64_t start = clock_us();
	int rc = may_go_on(execution, step_phase(step->type), err);

	if (rc == 0)
		rc = step_kind(step->type)->apply(execution, step, record, err);
	record->ms = (double)(clock_us() - start) / 1000;
	record->state = rc < 0 ? STATE_FAILED : rc ? STATE_NOT_NEEDED : STATE_DONE;
	if (rc >= 0)
		return rc;
	if (!record->message)
		record->message = strdup(err->message);
	if (execution->effects->hanging.pid >= 0)
		note_hanging(execution, record->subject, step_name(step->type));
	return err_wrap(err, "cannot %s %s", step_name(step->type), record->subject);
}

int execute_begin(struct execution *execution, const struct plan *plan, enum phase last, struct err *err)
{
	execution->plan = plan;
	execution->next = 0;
	execution->record = execution->result->steps.count;
	array_each(step, &plan->steps)
		if (step_phase(step->type) <= last &&
		    !result_add_step(execution->result, step->type, step_subject(execution->look, step)))
			return err_set(err, -ENOMEM, "out of memory");
	return 0;
}

int execute_until(struct execution *execution, enum phase last, struct progress *progress, struct err *err)
{
	while (execution->next < execution->plan->steps.count) {
		size_t at = execution->next;
		const struct step *step = &execution->plan->steps.items[at];
		int rc;

		if (step_phase(step->type) > last)
			break;
		execution->next++;
		tell(execution, progress, EVENT_STEP_BEGUN, record_of(execution, at));
		rc = run(execution, step, record_of(execution, at), err);
		tell(execution, progress, EVENT_STEP, record_of(execution, at));
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void undo(struct execution *execution, const struct step *step, struct step_record *record)
{
	bool hangs = execution->effects->hanging_more || !child_reap(&execution->effects->hanging);
	struct err err = { 0 };
	int rc;

	/* what a child in the kernel may still be taking down is not put back under its hands */
	if (hangs && (step->type == STEP_UNMOUNT || step->type == STEP_SWAP_OFF)) {
		result_add_stuck(execution->result, record->subject, NULL,
				 "was not put back: a call into the kernel hangs");
		return;
	}
	rc = step_kind(step->type)->undo(execution, step, &err);
	if (rc < 0)
		result_add_stuck(execution->result, record->subject, NULL, "cannot put it back: %s", err.message);
	else if (rc == 0 && record->state == STATE_DONE)
		record->state = STATE_UNDONE;
}

void execute_rollback(struct execution *execution, struct progress *progress)
{
	execution->deadline = deadline_in(execution->request->timeout_ms);
	for (size_t i = execution->next; i-- > 0;) {
		struct step_record *record = record_of(execution, i);
		const struct step *step = &execution->plan->steps.items[i];

		if (record->state != STATE_DONE && record->state != STATE_FAILED)
			continue;
		if (!step_kind(step->type)->undo)
			continue;
		tell(execution, progress, EVENT_UNDO_BEGUN, record);
		undo(execution, step, record);
		tell(execution, progress, EVENT_UNDO, record);
	}
}
