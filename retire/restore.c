// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Brings back what a retirement took away: its devices, then what was on them,
 * in the reverse of the order in which it went. Each step first looks whether
 * it is so already, so a restore that was cut is simply run again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "retire/capture.h"
#include "retire/execute.h"
#include "retire/recover.h"
#include "retire/retirement.h"
#include "retire/session.h"
#include "util/cleanup.h"
#include "util/root.h"

struct restoring {
	struct session *session;
	struct retirement retirement;
	int only; /* index of the device that was named; -1: all of the retirement */
	struct look look;
	struct execution execution;
};

/* A region brings its namespaces back by itself, so with one of them comes the whole retirement. */
static int only(const struct retirement *retirement, int device)
{
	array_each(other, &retirement->was.devices)
		if (!device_has_users(other->type))
			return -1;
	return device;
}

/* The newest retirement that took the device away and has not given it back. */
static int find_by_device(struct restoring *restoring, const char *name, struct err *err)
{
	const struct root *root = restoring->session->machine->root;
	struct retirement *retirement = &restoring->retirement;
	struct journal_names names = { 0 };
	int rc = journal_list(root, &names, err), found = 0;

	for (size_t i = names.list.count; rc == 0 && !found && i-- > 0;) {
		if (retirement_read(root, names.list.items[i].id, retirement, NULL) == 0) {
			int device = retirement_device(retirement, restoring->session->request->tool, name);

			found = device >= 0 && retirement->committed && !retirement->restored[device];
			restoring->only = only(retirement, device);
		}
		if (!found)
			retirement_free(retirement);
	}
	free(names.list.items);
	if (rc < 0 || found)
		return rc;
	return err_set(err, -ENOENT, "%.64s: no retirement is known from which it could be restored", name);
}

static int find(struct restoring *restoring, struct err *err)
{
	const struct root *root = restoring->session->machine->root;
	const char *name = restoring->session->request->names[0];
	int rc;

	restoring->only = -1;
	if (!journal_is_id(name))
		return find_by_device(restoring, name, err);
	rc = retirement_read(root, name, &restoring->retirement, err);
	if (rc == -ENOENT)
		return err_set(err, rc, "%s: no retirement has such an id (see 'list-retirements')", name);
	if (rc == 0 && !restoring->retirement.committed)
		return err_set(err, -EINVAL, "%s: took nothing away%s", name,
			       restoring->retirement.end ? "" : " yet; 'recover' puts back what was begun");
	return rc;
}

/* Those that are asked for and not back yet. */
static bool concerns(const struct restoring *restoring, size_t device)
{
	return (restoring->only < 0 || restoring->only == (int)device) && !restoring->retirement.restored[device];
}

/* A namespace whose region is still away is looked at when that is back, a card when its slot has power again. */
static bool comes_back(const struct restoring *restoring, size_t device)
{
	if (restoring->retirement.was.devices.items[device].type != DEVICE_CXL_MEMDEV)
		return restoring->only < 0;
	array_each(captured, &restoring->retirement.captured)
		if (captured->device == (int)device && captured->type == STEP_POWER_OFF)
			return true;
	return false;
}

/* All that stands against it, in one go. */
static bool is_refused(struct restoring *restoring)
{
	const struct machine *machine = restoring->session->machine;
	struct result *result = restoring->session->result;
	const struct look *was = &restoring->retirement.was;
	bool refused = false;

	for (size_t i = 0; i < was->devices.count; i++) {
		struct err err = { 0 };
		struct veto *veto;

		int rc = concerns(restoring, i)
				 ? machine->check_identity(machine->root, &was->devices.items[i], &err)
				 : 0;

		if (rc >= 0 || (rc == -ENXIO && comes_back(restoring, i)))
			continue;
		refused = true;
		veto = array_add(&result->vetoes);
		if (!veto)
			continue;
		*veto = (struct veto){ .code = "identity", .severity = SEVERITY_CRITICAL, .stands = true };
		veto->subject = strdup(was->devices.items[i].name);
		veto->message = strdup(err.message);
	}
	return refused;
}

/* In the order in which things come back: the last to go is the first. */
static int take_steps(struct restoring *restoring)
{
	struct execution *execution = &restoring->execution;

	for (size_t i = restoring->retirement.captured.count; i-- > restoring->retirement.base;) {
		const struct captured *from = &restoring->retirement.captured.items[i];
		struct step_record *record;

		if (!concerns(restoring, (size_t)from->device) || !step_kind(from->type)->restore)
			continue;
		record = execute_take(execution, from);
		if (!record)
			return -ENOMEM;
		record->restores = true;
	}
	return 0;
}

static void start(struct restoring *restoring)
{
	struct session *session = restoring->session;

	restoring->execution = (struct execution){
		.root = session->machine->root,
		.request = session->request,
		.effects = session->machine->effects,
		.look = &restoring->look,
		.result = session->result,
		.deadline = deadline_in(session->request->timeout_ms),
		.log = { .fd = -1 },
		.journal = JOURNAL_NONE,
		.recovering = true,
		.long_after = true,
		.other_boot = !restoring->retirement.this_boot,
		.find_holders = session->machine->find_holders,
	};
}

/* The devices are back, with new numbers: who is on them now? */
static int look_again(struct restoring *restoring, struct err *err)
{
	const struct machine *machine = restoring->session->machine;
	int rc;

	look_free(&restoring->look);
	rc = machine_find_again(machine, &restoring->retirement.was, &restoring->look, err);
	return rc < 0 ? rc : machine->find_holders(machine->root, &restoring->look, err);
}

static void note_restored(struct restoring *restoring)
{
	struct json_object *record = capture_list("restored");
	const struct root *root = restoring->session->machine->root;
	struct journal journal;

	for (size_t i = 0; i < restoring->retirement.was.devices.count; i++)
		if (concerns(restoring, i)) {
			capture_add(record, "restored",
				    capture_text(restoring->retirement.was.devices.items[i].name));
			restoring->retirement.restored[i] = true;
		}
	put_number(record, "time", (uint64_t)time(NULL));
	if (journal_append(root, restoring->retirement.id, &journal, NULL) < 0) {
		capture_free(record);
		return;
	}
	journal_write(&journal, record, true, NULL);
	journal_close(&journal);
}

static bool was_changed(const struct result *result)
{
	array_each(record, &result->steps)
		if (record->state == STATE_DONE)
			return true;
	return false;
}

static void restore(struct restoring *restoring)
{
	struct session *session = restoring->session;
	struct result *result = session->result;
	struct err err = { 0 };
	int rc;

	execute_restore(&restoring->execution, PHASE_UNBIND, PHASE_UNBIND, session->progress);
	rc = result->stuck.count ? -EIO : look_again(restoring, &err);
	if (rc == 0)
		execute_restore(&restoring->execution, PHASE_SETTLE, PHASE_CLAIM, session->progress);
	else if (!result->stuck.count)
		result_add_stuck(result, restoring->retirement.id, NULL, "%s", err.message);
	result->changed = was_changed(result);
	if (result->stuck.count) {
		session_finish(session, OUTCOME_STUCK, NULL);
		return;
	}
	note_restored(restoring);
	session_finish(session, OUTCOME_RESTORED, NULL);
}

static void run(struct restoring *restoring)
{
	struct session *session = restoring->session;
	struct err err = { 0 };
	int rc = find(restoring, &err);

	if (rc == 0)
		rc = look_copy_devices(&restoring->retirement.was, &restoring->look);
	start(restoring);
	if (rc == 0)
		rc = take_steps(restoring);
	if (rc < 0)
		session_finish(session, OUTCOME_ERROR, err.code ? err.message : strerror(-rc));
	else if (is_refused(restoring))
		session_finish(session, OUTCOME_REFUSED, NULL);
	else if (!session->result->steps.count)
		session_finish(session, OUTCOME_NOTHING_TO_DO, NULL);
	else if (session->request->dry_run)
		session_finish(session, OUTCOME_PLANNED, NULL);
	else
		restore(restoring);
}

void restore_on(const struct machine *machine, const struct request *request, struct progress *progress,
		struct result *result)
{
	struct session session = { machine, request, progress, result };
	struct restoring restoring = { .session = &session, .execution = { .journal = JOURNAL_NONE } };

	if (session_begin(&session))
		run(&restoring);
	look_copy_devices(restoring.look.devices.count ? &restoring.look : &restoring.retirement.was,
			  &result->look);
	execute_free(&restoring.execution);
	look_free(&restoring.look);
	retirement_free(&restoring.retirement);
	session_end(&session);
}

void restore_retirement(const struct root *root, const struct request *request, struct progress *progress,
			struct result *result)
{
	struct effects_system effects;
	struct machine machine = machine_system(root, &effects);

	restore_on(&machine, request, progress, result);
	effects_system_end(&effects);
}
