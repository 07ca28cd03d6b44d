// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/execute.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "retire/capture.h"
#include "util/cleanup.h"

/* In the journal only: a step whose outcome is not known. */
#define STATE_BEGUN "begun"

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

static struct json_object *journal_event(size_t at, const char *state)
{
	struct json_object *event = capture_new();

	put_number(event, "at", at);
	put_text(event, "state", state);
	return event;
}

/* After the commit it is better done than written down; before it, what cannot be written down is not done. */
static int note(struct execution *execution, size_t at, const char *state, struct err *err)
{
	int rc = journal_write(&execution->journal, journal_event(at, state), false, err);

	return step_phase(execution->captured.items[at].type) == PHASE_UNBIND ? 0 : rc;
}

static int run(struct execution *execution, size_t at, struct err *err)
{
	const struct step *step = &execution->plan->steps.items[at];
	struct step_record *record = record_of(execution, at);
	uint64_t start = clock_us();
	int rc = may_go_on(execution, step_phase(step->type), err);

	rc = rc < 0 ? rc : note(execution, at, STATE_BEGUN, err);
	rc = rc < 0 ? rc : step_kind(step->type)->apply(execution, step, record, err);
	record->ms = (double)(clock_us() - start) / 1000;
	record->state = rc < 0 ? STATE_FAILED : rc ? STATE_NOT_NEEDED : STATE_DONE;
	if (rc >= 0)
		rc = note(execution, at, step_state_name(record->state), err);
	if (rc >= 0)
		return rc;
	if (!record->message)
		record->message = strdup(err->message);
	if (execution->effects->hanging.pid >= 0)
		note_hanging(execution, record->subject, step_name(step->type));
	return err_wrap(err, "cannot %s %s", step_name(step->type), record->subject);
}

static void forget_captured(struct execution *execution)
{
	array_each(captured, &execution->captured)
		capture_free(captured->memo);
	execution->captured.count = 0;
}

/* Records the steps and captures how things are before any of them. */
static int capture(struct execution *execution, const struct plan *plan, enum phase last)
{
	array_each(step, &plan->steps) {
		char subject[SUBJECT_ROOM];
		struct step_record *record;
		struct captured *captured;

		if (step_phase(step->type) > last)
			break;
		record = result_add_step(execution->result, step->type,
					 step_subject(execution->look, step, subject));
		captured = record ? array_add(&execution->captured) : NULL;
		if (!captured)
			return -ENOMEM;
		*captured = (struct captured){ .type = step->type, .device = step->device };
		captured->subject = record->subject;
		errno = 0;
		captured->memo = step_kind(step->type)->capture(execution, step);
		if (!captured->memo && errno == ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

static struct json_object *journal_step(const struct captured *captured)
{
	struct json_object *object = capture_new();

	put_text(object, "step", step_name(captured->type));
	put_number(object, "device", (uint64_t)captured->device);
	put_text(object, "subject", captured->subject);
	if (captured->memo)
		put_object(object, "memo", capture_share(captured->memo));
	return object;
}

static int write_plan(struct execution *execution, struct err *err)
{
	struct json_object *object = execution->head ? take_ptr(execution->head) : capture_new();

	put_object(object, "devices", capture_items());
	array_each(device, &execution->look->devices)
		capture_add(object, "devices", capture_device(device));
	put_object(object, "steps", capture_items());
	array_each(captured, &execution->captured)
		capture_add(object, "steps", journal_step(captured));
	return journal_write(&execution->journal, object, true, err);
}

int execute_begin(struct execution *execution, const struct plan *plan, enum phase last, struct err *err)
{
	execution->plan = plan;
	execution->next = 0;
	execution->record = execution->result->steps.count;
	forget_captured(execution);
	if (capture(execution, plan, last) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	return write_plan(execution, err);
}

static void tell_amount(const struct execution *execution, uint64_t done, uint64_t total)
{
	progress_amount(execution->progress, execution->telling, done, total);
}

static void tell_wait(const struct execution *execution, const char *message)
{
	progress_wait(execution->progress, execution->telling, message);
}

int execute_until(struct execution *execution, enum phase last, struct progress *progress, struct err *err)
{
	execution->progress = progress;
	execution->tell_amount = tell_amount;
	execution->tell_wait = tell_wait;
	while (execution->next < execution->captured.count) {
		size_t at = execution->next;
		int rc;

		if (step_phase(execution->captured.items[at].type) > last)
			break;
		execution->next++;
		tell(execution, progress, EVENT_STEP_BEGUN, record_of(execution, at));
		execution->telling = record_of(execution, at);
		rc = run(execution, at, err);
		tell(execution, progress, EVENT_STEP, record_of(execution, at));
		if (rc < 0)
			return rc;
	}
	return 0;
}

int execute_commit(struct execution *execution, struct err *err)
{
	struct json_object *record = capture_new();

	put_bool(record, "commit", true);
	return journal_write(&execution->journal, record, true, err);
}

void execute_end_journal(struct journal *journal, const char *outcome)
{
	struct json_object *record = capture_new();

	put_text(record, "end", outcome);
	put_number(record, "time", (uint64_t)time(NULL));
	journal_write(journal, record, true, NULL);
}

void execute_end(struct execution *execution)
{
	execute_end_journal(&execution->journal, outcome_name(execution->result->outcome));
	journal_close(&execution->journal);
}

struct step_record *execute_take(struct execution *execution, const struct captured *captured)
{
	struct step_record *record = result_add_step(execution->result, captured->type, captured->subject);
	struct captured *to = record ? array_add(&execution->captured) : NULL;

	if (!to)
		return NULL;
	*to = *captured;
	to->memo = capture_share(captured->memo);
	return record;
}

/* What a child in the kernel may still be taking down is not put back under its hands. */
static bool is_in_the_way(struct execution *execution, enum step_type type)
{
	return step_kind(type)->restore && step_phase(type) == PHASE_SETTLE &&
	       (execution->effects->hanging_more || !child_reap(&execution->effects->hanging));
}

typedef int put_back(struct execution *execution, const struct captured *captured, struct err *err);

/* The state that it ends in; what cannot be put back is stuck. */
static enum step_state back(struct execution *execution, put_back *how, const struct captured *captured,
			    struct step_record *record, enum step_state done)
{
	struct err err = { 0 };
	int rc;

	if (is_in_the_way(execution, captured->type)) {
		result_add_stuck(execution->result, captured->subject, NULL,
				 "was not put back: a call into the kernel hangs");
		return STATE_STUCK;
	}
	rc = how(execution, captured, &err);
	if (rc >= 0)
		return rc ? STATE_NOT_NEEDED : done;
	result_add_stuck(execution->result, captured->subject, NULL, "cannot put it back: %s", err.message);
	if (!record->message)
		record->message = strdup(err.message);
	return STATE_FAILED;
}

/* One look at what came of it: every step that was undone says whether things are as it had found them. */
static void verify_back(struct execution *execution, enum step_state done)
{
	_cleanup_(look_free) struct look now = { 0 };
	struct err err = { 0 };
	size_t wrong = 0;
	int rc = look_copy_devices(execution->look, &now);

	rc = rc < 0 ? err_errno(&err, rc, "cannot look again")
		    : execution->find_holders(execution->root, &now, &err);
	for (size_t i = 0; rc == 0 && i < execution->captured.count; i++) {
		const struct captured *captured = &execution->captured.items[i];
		const struct step_record *record = record_of(execution, i);

		if ((record->state != done && record->state != STATE_NOT_NEEDED && !captured->undone) ||
		    step_kind(captured->type)->verify(&now, captured, &err) != 0)
			continue;
		wrong++;
		result_add_stuck(execution->result, captured->subject, NULL, "is not as it was: %s", err.message);
	}
	result_add_verify(execution->result, "as-before",
			  rc < 0  ? CHECK_NULL
			  : wrong ? CHECK_FALSE
				  : CHECK_TRUE,
			  rc < 0  ? err.message
			  : wrong ? "see stuck"
				  : NULL);
}

/*
 * The step that failed stays so; one that somebody else began has no outcome
 * but this. What has no way back stays done.
 */
static enum step_state state_after(const struct execution *execution, const struct captured *captured,
				   enum step_state before, enum step_state undo)
{
	bool has_way_back = step_kind(captured->type)->restore || captured->type == STEP_FREEZE;

	if (before == STATE_PLANNED || before == STATE_UNDONE)
		return undo == STATE_NOT_NEEDED ? before : undo;
	if (undo == STATE_NOT_NEEDED && before == STATE_DONE)
		return has_way_back && execution->recovering ? undo : before;
	return before == STATE_DONE || execution->recovering ? undo : before;
}

/* What was done, or failed half-way, or was brought about by another step. */
static bool is_to_be_undone(const struct captured *captured, enum step_state state)
{
	const struct step_kind *kind = step_kind(captured->type);

	/* or what a recovery that was cut has put back, and could not keep */
	if (state == STATE_PLANNED || state == STATE_UNDONE)
		return kind->comes_about && kind->comes_about(captured);
	return kind->undo && (state == STATE_DONE || state == STATE_FAILED);
}

void execute_rollback(struct execution *execution, struct progress *progress)
{
	bool any = false;

	execution->deadline = deadline_in(execution->request->timeout_ms);
	for (size_t i = execution->captured.count; i-- > 0;) {
		struct captured *captured = &execution->captured.items[i];
		struct step_record *record = record_of(execution, i);
		size_t lost = execution->result->losses.count;
		enum step_state state;

		if (!is_to_be_undone(captured, record->state))
			continue;
		tell(execution, progress, EVENT_UNDO_BEGUN, record);
		state = back(execution, step_kind(captured->type)->undo, captured, record, STATE_UNDONE);
		captured->undone = state == STATE_UNDONE;
		any |= captured->undone;
		record->state = state_after(execution, captured, record->state, state);
		/* what is lost is told again by a recovery, when this is cut before it is told */
		if (i >= execution->base && (state == STATE_UNDONE || (state == STATE_NOT_NEEDED &&
								       execution->result->losses.count == lost)))
			journal_write(&execution->journal,
				      journal_event(i - execution->base, step_state_name(STATE_UNDONE)), false,
				      NULL);
		tell(execution, progress, EVENT_UNDO, record);
	}
	if (any)
		verify_back(execution, STATE_UNDONE);
}

void execute_forget(struct execution *execution)
{
	struct err err = { 0 };

	if (!execution->result->stuck.count && execution->effects->forget_kept(execution->effects, &err) < 0)
		result_add_stuck(execution->result, "/run/dax-retire/kept", NULL,
				 "cannot be cleaned up: %s; 'umount -l' what is mounted there", err.message);
	if (execution->effects->let_online(execution->effects, &err) < 0)
		result_add_stuck(
			execution->result, "/run/dax-retire/offline", NULL,
			"cannot be cleaned up: %s; until it is removed, the rules of udev do not apply to "
			"the blocks of memory that it names",
			err.message);
}

void execute_restore(struct execution *execution, enum phase from, enum phase to, struct progress *progress)
{
	for (size_t i = 0; i < execution->captured.count; i++) {
		const struct captured *captured = &execution->captured.items[i];
		struct step_record *record = record_of(execution, i);
		uint64_t start = clock_us();

		if (step_phase(captured->type) < from || step_phase(captured->type) > to)
			continue;
		tell(execution, progress, EVENT_STEP_BEGUN, record);
		record->state = back(execution, step_kind(captured->type)->restore, captured, record, STATE_DONE);
		record->ms = (double)(clock_us() - start) / 1000;
		tell(execution, progress, EVENT_STEP, record);
	}
	if (from < PHASE_UNBIND)
		verify_back(execution, STATE_DONE);
}

void execute_free(struct execution *execution)
{
	forget_captured(execution);
	free(execution->captured.items);
	capture_free(execution->head);
	array_each(fd, &execution->held)
		cleanup_close(fd);
	free(execution->held.items);
	journal_close(&execution->journal);
}
