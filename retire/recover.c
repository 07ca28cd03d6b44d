// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/recover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "retire/capture.h"
#include "retire/execute.h"
#include "retire/holders/holders.h"
#include "retire/retire.h"
#include "retire/retirement.h"
#include "retire/session.h"
#include "util/cleanup.h"
#include "util/root.h"

/* What a retirement was asked for, for the way back or forward. */
static struct request request_of(const struct retirement *retirement)
{
	return (struct request){
		.command = retirement->command,
		.evict = retirement->evict,
		.allow = retirement->allow,
		.allow_count = retirement->allow_count,
		.grace_ms = retirement->grace_ms,
		.timeout_ms = retirement->timeout_ms ? retirement->timeout_ms : 60000,
		.timeout_given = true,
		.no_unbind = retirement->no_unbind,
		.delete_region = retirement->delete_region,
		.power_off = retirement->power_off,
	};
}

/* One that is no more, or not the one that it was: without a number nothing of it is found, or put back. */
static void give_up(struct device *device)
{
	device->dev = 0;
}

/*
 * The devices, and who has what of them now. Nothing was unbound by us, so they
 * still have their numbers. One that has another was bound anew since, and a
 * journal that says so otherwise would be about somebody else's.
 */
static int look_again(const struct machine *machine, const struct retirement *retirement, struct look *look,
		      struct err *err)
{
	int rc = machine_find_again(machine, &retirement->was, look, err);

	if (rc == -ENODEV || rc == -ESTALE) {
		look_free(look);
		rc = look_copy_devices(&retirement->was, look);
		array_each(device, &look->devices)
			give_up(device);
	}
	for (size_t i = 0; rc == 0 && i < look->devices.count; i++)
		if (look->devices.items[i].dev != retirement->was.devices.items[i].dev)
			give_up(&look->devices.items[i]);
	look->initial_namespaces = true;
	return rc < 0 ? rc : machine->find_holders(machine->root, look, err);
}

/* Thawed by the one who froze it: whatever is frozen there now is not ours. */
static void forget_freeze(struct execution *execution, size_t thaw)
{
	struct step_record *records = &execution->result->steps.items[execution->record];

	for (size_t i = 0; i < thaw; i++)
		if (execution->captured.items[i].type == STEP_FREEZE &&
		    execution->captured.items[i].device == execution->captured.items[thaw].device &&
		    strcmp(execution->captured.items[i].subject, execution->captured.items[thaw].subject) == 0)
			records[i].state = STATE_UNDONE;
}

/* The captured steps and how far each got, for execute.c. */
static int take_steps(struct execution *execution, const struct retirement *retirement)
{
	for (size_t i = 0; i < retirement->captured.count; i++) {
		const struct captured *from = &retirement->captured.items[i];
		struct step_record *record = execute_take(execution, from);

		if (!record)
			return -ENOMEM;
		record->state = retirement->states.items[i];
		if (from->type == STEP_THAW && record->state == STATE_DONE)
			forget_freeze(execution, i);
	}
	execution->next = execution->captured.count;
	return 0;
}

/* Steps that had never been begun, or were undone before, are no news. */
static void leave_out_unbegun(struct result *result)
{
	size_t kept = 0;

	array_each(record, &result->steps) {
		if (record->state == STATE_PLANNED) {
			free(record->subject);
			free(record->message);
			continue;
		}
		result->steps.items[kept++] = *record;
	}
	result->steps.count = kept;
}

static bool is_about_processes(enum step_type type)
{
	return type == STEP_TERMINATE || type == STEP_KILL;
}

/* Who was killed had been asked before: the last word counts. */
static void tell_uncaptured(struct session *session, const struct retirement *retirement)
{
	for (size_t i = retirement->endings.count; i-- > 0;) {
		const struct ending *ending = &retirement->endings.items[i];
		char name[128];

		snprintf(name, sizeof(name), "%s[%d]", ending->was.comm, ending->was.pid);
		if (!holders_process_lives(session->machine->root, &ending->was))
			result_add_loss_once(session->result, "process", name, ending->reason);
	}
}

/* Whom the one that was cut has ended, and could not tell; some end only when all is thawed. */
static void tell_ended(struct session *session, const struct retirement *retirement)
{
	_cleanup_(look_free) struct look now = { 0 };
	struct execution execution = {
		.root = session->machine->root, .look = &now, .result = session->result, .recovering = true
	};

	tell_uncaptured(session, retirement);
	if (look_again(session->machine, retirement, &now, NULL) < 0)
		return;
	for (size_t i = 0; i < retirement->captured.count; i++) {
		const struct captured *captured = &retirement->captured.items[i];

		if (is_about_processes(captured->type) && retirement->states.items[i] != STATE_PLANNED)
			step_kind(captured->type)->undo(&execution, captured, NULL);
	}
}

static void roll_back(struct session *session, const struct retirement *retirement, struct journal *journal)
{
	struct request request = request_of(retirement);
	struct look look = { 0 };
	struct err err = { 0 };
	int *claims = calloc(retirement->was.devices.count + 1, sizeof(int));
	struct execution execution = {
		.root = session->machine->root,
		.request = &request,
		.effects = session->machine->effects,
		.look = &look,
		.result = session->result,
		.log = { .fd = -1 },
		.journal = *journal,
		.recovering = true,
		.base = retirement->last,
		.find_holders = session->machine->find_holders,
		.claims = claims,
	};
	int rc = claims ? look_again(session->machine, retirement, &look, &err) : -ENOMEM;

	*journal = JOURNAL_NONE;
	if (claims)
		memset(claims, 0xff, (retirement->was.devices.count + 1) * sizeof(int));
	rc = rc < 0 ? rc : take_steps(&execution, retirement);
	if (rc < 0) {
		session_finish(session, OUTCOME_STUCK, err.message);
		result_add_stuck(session->result, retirement->id, NULL, "cannot be rolled back: %s",
				 err.code ? err.message : strerror(-rc));
	} else {
		execute_rollback(&execution, session->progress);
		/* those that only we keep end now */
		look_release_namespaces(&look);
		tell_ended(session, retirement);
		session_finish(session, session->result->stuck.count ? OUTCOME_STUCK : OUTCOME_ROLLED_BACK, NULL);
	}
	execute_end(&execution);
	execute_free(&execution);
	leave_out_unbegun(session->result);
	look_copy_devices(&retirement->was, &session->result->look);
	session->result->changed = true;
	look_free(&look);
	free(claims);
}

static void name_vetoes(struct result *result, const char *id)
{
	array_each(veto, &result->vetoes)
		if (veto->stands)
			result_add_stuck(result, veto->subject, NULL,
					 "retirement %s was committed and is not finished: %s", id, veto->message);
}

/* A mounted unbind leaves a file system that is shut down: its mounts go, the inner first. */
static void unmount_dead(struct session *session, const struct retirement *retirement)
{
	const struct machine *machine = session->machine;
	_cleanup_(look_free) struct look look = { 0 };

	if (look_again(machine, retirement, &look, NULL) < 0)
		return;
	for (size_t i = look.holders.count; i-- > 0;) {
		const struct holder *holder = &look.holders.items[i];
		struct err err = { 0 };

		if (holder->type != HOLDER_MOUNT ||
		    machine->is_enabled(machine->root, &look.devices.items[holder->device]) != 0)
			continue;
		if (machine->effects->unmount(machine->effects, &holder->mount,
					      look.namespaces.items[holder->mount.ns].fd, NULL, deadline_in(10000),
					      &err) < 0)
			result_add_stuck(session->result, holder->name, NULL,
					 "cannot be unmounted after the unbind: %s", err.message);
	}
}

static bool is_thawed(const struct retirement *retirement, size_t freeze)
{
	const struct captured *frozen = &retirement->captured.items[freeze];

	for (size_t i = freeze + 1; i < retirement->captured.count; i++) {
		const struct captured *captured = &retirement->captured.items[i];

		if (captured->type == STEP_THAW && captured->device == frozen->device &&
		    strcmp(captured->subject, frozen->subject) == 0)
			return retirement->states.items[i] == STATE_DONE;
	}
	return false;
}

/* A recovery before this one was cut while it had something frozen. */
static void thaw_left(struct session *session, const struct retirement *retirement)
{
	_cleanup_(look_free) struct look now = { 0 };
	struct execution execution = { .root = session->machine->root,
				       .look = &now,
				       .effects = session->machine->effects,
				       .result = session->result,
				       .recovering = true,
				       .deadline = deadline_in(10000) };

	if (look_again(session->machine, retirement, &now, NULL) < 0)
		return;
	for (size_t i = retirement->captured.count; i-- > 0;) {
		const struct captured *captured = &retirement->captured.items[i];
		struct err err = { 0 };

		if (captured->type == STEP_FREEZE && retirement->states.items[i] != STATE_PLANNED &&
		    retirement->states.items[i] != STATE_UNDONE && !is_thawed(retirement, i) &&
		    step_kind(STEP_FREEZE)->undo(&execution, captured, &err) < 0)
			result_add_stuck(session->result, captured->subject, NULL, "cannot thaw it: %s",
					 err.message);
	}
}

/* Committed, it does not go back: what hardly ever goes offline is tried, too, since nothing but time is lost. */
static const char *const forward_risk = "unmovable-zone";

static void go_forward(struct session *session, const struct retirement *retirement, struct journal *journal)
{
	const char *allow[COUNT_OF(retirement->allow) + 1];
	struct request request = request_of(retirement);
	struct result *result = session->result;

	memcpy(allow, retirement->allow, sizeof(retirement->allow));
	allow[request.allow_count++] = forward_risk;
	request.allow = allow;
	session->request = &request;
	thaw_left(session, retirement);
	if (request_allows(&request, "mounted-unbind"))
		unmount_dead(session, retirement);
	retire_forward(session, &retirement->was, retirement->id, journal);
	tell_ended(session, retirement);
	result->command = NULL;
	if (result->outcome == OUTCOME_ALREADY_RETIRED)
		result->outcome = OUTCOME_RETIRED;
	if (result->outcome == OUTCOME_RETIRED && !result->stuck.count) {
		execute_end_journal(journal, outcome_name(OUTCOME_RETIRED));
		return;
	}
	name_vetoes(result, retirement->id);
	if (!result->stuck.count)
		result_add_stuck(result, retirement->id, NULL, "was committed and is not finished: %s",
				 result->message ? result->message : outcome_name(result->outcome));
	result->outcome = OUTCOME_STUCK;
	execute_end_journal(journal, outcome_name(OUTCOME_STUCK));
}

static bool needs_recovery(const struct retirement *retirement)
{
	return !retirement->end || strcmp(retirement->end, outcome_name(OUTCOME_STUCK)) == 0;
}

static void tell(struct result *result, const struct retirement *retirement, const char *state)
{
	struct told_retirement *told = array_add(&result->retirements);
	size_t length = 1;

	if (!told)
		return;
	strcpy(told->id, retirement->id);
	told->command = retirement->command ? strdup(retirement->command) : NULL;
	told->state = strdup(state);
	told->started = retirement->started;
	told->ended = retirement->ended;
	told->restorable = retirement_is_restorable(retirement);
	array_each(device, &retirement->was.devices)
		length += strlen(device->name) + 1;
	told->devices = calloc(length, 1);
	array_each(device, &retirement->was.devices)
		if (told->devices)
			strcat(strcat(told->devices, *told->devices ? " " : ""), device->name);
}

/* One of this boot. Its files go when it is whole. */
static void recover_one(struct session *session, const struct retirement *retirement)
{
	const struct root *root = session->machine->root;
	struct result *result = session->result;
	struct journal journal;
	struct err err = { 0 };

	if (journal_append(root, retirement->id, &journal, &err) < 0) {
		result_add_stuck(result, retirement->id, NULL, "%s", err.message);
		result->outcome = OUTCOME_STUCK;
		return;
	}
	if (retirement->committed)
		go_forward(session, retirement, &journal);
	else
		roll_back(session, retirement, &journal);
	journal_close(&journal);
	if (result->outcome != OUTCOME_STUCK)
		journal_remove(root, JOURNAL_RUN, retirement->id);
	tell(result, retirement, outcome_name(result->outcome));
}

/* A reboot has thawed, bound and mounted what there was. */
static void expire(struct session *session, const struct retirement *retirement)
{
	struct journal journal;

	if (journal_append(session->machine->root, retirement->id, &journal, NULL) < 0)
		return;
	execute_end_journal(&journal, "expired");
	journal_close(&journal);
	journal_remove(session->machine->root, JOURNAL_RUN, retirement->id);
	tell(session->result, retirement, "expired");
}

/* Merges what becomes of one retirement into the result of the whole. */
static void recover_into(struct session *session, const struct retirement *retirement)
{
	struct result *whole = session->result, part = { .frozen_ms = -1 };
	struct session one = *session;

	if (!retirement->this_boot) {
		if (!retirement->end)
			expire(session, retirement);
		return;
	}
	one.result = &part;
	recover_one(&one, retirement);
	if (part.outcome == OUTCOME_STUCK)
		whole->outcome = OUTCOME_STUCK;
	else if (whole->outcome == OUTCOME_NOTHING_TO_DO)
		whole->outcome = OUTCOME_RECOVERED;
	if (part.message && !whole->message)
		whole->message = take_ptr(part.message);
	result_merge(whole, &part);
}

/* A journal that cannot be trusted is acted on by nobody, and stands in nobody's way once it is moved. */
static void name_unreadable(struct session *session, const char *id, const struct err *err)
{
	session->result->outcome = OUTCOME_STUCK;
	result_add_stuck(session->result, id, NULL,
			 "%s; look at the machine by hand, then remove the journals of that name in "
			 "/run/dax-retire/journal and /var/lib/dax-retire",
			 err->message);
}

static bool is_asked_for(const struct request *request, const char *id)
{
	return !request->name_count || strcmp(request->names[0], id) == 0;
}

static void recover_all(struct session *session, const struct journal_names *names)
{
	const struct root *root = session->machine->root;
	const struct request *request = session->request;

	array_each(name, &names->list) {
		struct retirement retirement;
		struct err err = { 0 };
		int rc;

		if (!is_asked_for(request, name->id))
			continue;
		rc = retirement_read(root, name->id, &retirement, &err);
		if (rc == 0) {
			/* of this boot every record is in /run: one that is not there has ended */
			if (needs_recovery(&retirement) && (name->in[JOURNAL_RUN] || !retirement.this_boot))
				recover_into(session, &retirement);
		} else if (rc == -ENODATA) {
			/* cut before its first record: nothing was begun */
			journal_remove(root, JOURNAL_RUN, name->id);
			journal_remove(root, JOURNAL_STATE, name->id);
		} else if (name->in[JOURNAL_RUN] || request->name_count) {
			name_unreadable(session, name->id, &err);
		}
		retirement_free(&retirement);
		session->request = request;
	}
}

static bool is_known(const struct journal_names *names, const char *id)
{
	array_each(name, &names->list)
		if (strcmp(name->id, id) == 0)
			return true;
	return false;
}

void recover_on(const struct machine *machine, const struct request *request, struct progress *progress,
		struct result *result)
{
	struct session session = { machine, request, progress, result };
	struct journal_names names = { 0 };
	struct err err = { 0 };
	char message[256];

	if (session_begin(&session)) {
		if (journal_list(machine->root, &names, &err) < 0) {
			session_finish(&session, OUTCOME_ERROR, err.message);
		} else if (request->name_count && !is_known(&names, request->names[0])) {
			snprintf(message, sizeof(message),
				 "%.64s: no retirement has such an id (see 'list-retirements')",
				 request->names[0]);
			session_finish(&session, OUTCOME_ERROR, message);
		} else {
			result->outcome = OUTCOME_NOTHING_TO_DO;
			recover_all(&session, &names);
			machine->effects->let_online(machine->effects, NULL);
			if (result->outcome != OUTCOME_STUCK)
				machine->effects->forget_kept(machine->effects, NULL);
		}
	}
	free(names.list.items);
	session_end(&session);
}

void recover_retirements(const struct root *root, const struct request *request, struct progress *progress,
			 struct result *result)
{
	struct effects_system effects;
	struct machine machine = machine_system(root, &effects);

	recover_on(&machine, request, progress, result);
	effects_system_end(&effects);
}

/* The step that was begun last, or is being done. */
static void tell_place(struct told_retirement *told, const struct retirement *retirement)
{
	static const char *const phases[] = { "ask", "settle", "claim", "unbind" };

	for (size_t i = retirement->captured.count; i-- > 0;) {
		const struct captured *captured = &retirement->captured.items[i];

		if (retirement->states.items[i] == STATE_PLANNED && !retirement->committed)
			continue;
		told->phase = strdup(phases[step_phase(captured->type)]);
		if (asprintf(&told->step, "%s %s", step_name(captured->type), captured->subject) < 0)
			told->step = NULL;
		return;
	}
}

static void list_one(const struct root *root, const char *id, struct result *result)
{
	struct retirement retirement;
	struct err err = { 0 };
	int rc = retirement_read(root, id, &retirement, &err);

	if (rc == 0) {
		tell(result, &retirement, retirement_state(root, &retirement));
		if (!retirement.end && result->retirements.count)
			tell_place(&result->retirements.items[result->retirements.count - 1], &retirement);
	} else if (rc != -ENODATA && rc != -ENOENT) {
		tell(result, &retirement, "unreadable");
	}
	retirement_free(&retirement);
}

void list_retirements(const struct root *root, const struct request *request, struct result *result)
{
	struct machine machine = { .root = root };
	struct request reads = *request;
	struct session session = { &machine, &reads, NULL, result };
	struct journal_names names = { 0 };
	struct err err = { 0 };
	int rc;

	reads.dry_run = true;
	session_begin(&session);
	result->id[0] = '\0';
	rc = journal_list(root, &names, &err);
	array_each(name, &names.list)
		if (rc == 0 && is_asked_for(request, name->id))
			list_one(root, name->id, result);
	if (rc == 0 && request->name_count && !result->retirements.count)
		rc = err_set(&err, -ENOENT, "%.64s: no retirement has such an id", request->names[0]);
	free(names.list.items);
	session_finish(&session, rc < 0 ? OUTCOME_ERROR : OUTCOME_LISTED, rc < 0 ? err.message : NULL);
	session_end(&session);
}
