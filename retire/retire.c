// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The whole job, once through: look, plan, ask, look again, settle, claim,
 * commit, unbind, verify. Data goes one way; what comes out is a result.
 */
#include "retire/retire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retire/execute.h"
#include "retire/retirement.h"
#include "retire/session.h"
#include "retire/verify.h"
#include "util/cleanup.h"
#include "util/root.h"

/* One retirement under way. */
struct job {
	struct session *session;
	const struct machine *machine;
	struct request request;
	struct result *result;
	struct progress *progress;
	find_devices *find;	  /* by name; NULL: `again` */
	const struct look *again; /* the devices of a retirement that is gone on with */
	struct journal *journal;  /* its journal; NULL: a new one */
	struct kernel kernel;
	struct plan plan;  /* from the first look; result takes its vetoes */
	struct plan final; /* from the look after the ask */
	struct look second;
	struct execution execution;
};

static void finish(struct job *job, enum outcome outcome, const char *message)
{
	session_finish(job->session, outcome, message);
}

static void fail(struct job *job, const struct err *err)
{
	finish(job, OUTCOME_ERROR, err->message);
}

static int look(struct job *job, struct look *into, struct err *err)
{
	return job->machine->find_holders(job->machine->root, into, err);
}

static void show_plan(struct job *job)
{
	char subject[SUBJECT_ROOM];

	array_each(step, &job->plan.steps)
		result_add_step(job->result, step->type, step_subject(&job->result->look, step, subject));
}

/* True when there is something to execute. */
static bool decide(struct job *job)
{
	struct result *result = job->result;
	bool refused = job->plan.refused;

	result_take_vetoes(result, &job->plan);
	if (job->plan.already_retired)
		finish(job, result->look.devices.count ? OUTCOME_ALREADY_RETIRED : OUTCOME_NOTHING_TO_DO, NULL);
	else if (refused)
		finish(job, OUTCOME_REFUSED, NULL);
	else if (job->request.dry_run)
		finish(job, OUTCOME_PLANNED, NULL);
	else
		return true;
	if (job->request.dry_run)
		show_plan(job);
	return false;
}

/* The plan refuses a device that the journal lies on. */
static void note_journal_places(struct job *job)
{
	for (enum journal_place place = 0; place < JOURNAL_PLACES; place++)
		job->result->look.journal_devs[place] = journal_dev(job->machine->root, place);
}

/* What is interrupted has to be put right first: who knows what this one would take for how things are. */
static int refuse_after_interrupted(struct job *job, struct err *err)
{
	char id[JOURNAL_ID_ROOM];
	int rc = retirement_find_interrupted(job->machine->root, id, err);

	if (rc <= 0)
		return rc;
	return err_set(err, -EBUSY, "retirement %s was interrupted; 'ndctl recover' makes the machine whole first",
		       id);
}

static bool prepare(struct job *job, struct err *err)
{
	struct result *result = job->result;
	int rc;

	progress_phase(job->progress, "look");
	rc = job->find && !job->request.dry_run ? refuse_after_interrupted(job, err) : 0;
	if (rc < 0) {
		fail(job, err);
		return false;
	}
	rc = job->find ? job->find(job->machine->root, &job->request, &result->look, err)
		       : machine_find_again(job->machine, job->again, &result->look, err);

	if (rc == 0)
		rc = look(job, &result->look, err);
	if (rc == 0)
		rc = machine_count_references(job->machine, &result->look, job->session->interrupt, err);
	if (rc == 0)
		rc = machine_find_memory_keepers(job->machine, &result->look, err);
	if (rc == 0) {
		note_journal_places(job);
		job->request.timeout_ms = plan_timeout_ms(&result->look, &job->request);
		if (job->request.timeout_ms != job->session->request->timeout_ms)
			result->timeout_ms = job->request.timeout_ms;
		job->machine->probe(job->machine->root, &job->kernel);
		rc = plan_make(&result->look, &job->request, &job->kernel, PLAN_WHOLE, &job->plan);
		if (rc < 0)
			err_errno(err, rc, "cannot make a plan");
	}
	if (rc < 0) {
		fail(job, err);
		return false;
	}
	return decide(job);
}

static int open_journal(struct job *job, struct err *err)
{
	struct execution *execution = &job->execution;

	if (job->journal) {
		execution->journal = *job->journal;
		*job->journal = JOURNAL_NONE;
		return 0;
	}
	retirements_prune(job->machine->root);
	execution->head = retirement_head(job->machine->root, job->result->id, &job->request);
	if (!execution->head)
		return err_set(err, -ENOMEM, "out of memory");
	return journal_create(job->machine->root, job->result->id, &execution->journal, err);
}

static int start_execution(struct job *job, struct err *err)
{
	struct execution *execution = &job->execution;
	size_t count = job->result->look.devices.count;
	int rc;

	*execution = (struct execution){
		.root = job->machine->root,
		.request = &job->request,
		.kernel = &job->kernel,
		.effects = job->machine->effects,
		.look = &job->result->look,
		.result = job->result,
		.deadline = deadline_in(job->request.timeout_ms),
		.claims = calloc(count, sizeof(int)),
		.journal = JOURNAL_NONE,
		.find_holders = job->machine->find_holders,
		.count_references = job->machine->count_references,
		.find_memory_keepers = job->machine->find_memory_keepers,
	};
	if (!execution->claims)
		return err_set(err, -ENOMEM, "out of memory");
	memset(execution->claims, 0xff, count * sizeof(int));
	kernel_log_start(&execution->log);
	rc = files_open(execution, err);
	return rc < 0 ? rc : open_journal(job, err);
}

static void end_execution(struct job *job)
{
	struct execution *execution = &job->execution;

	for (size_t i = 0; execution->claims && i < job->result->look.devices.count; i++)
		cleanup_close(&execution->claims[i]);
	free(execution->claims);
	array_each(file, &execution->files)
		cleanup_close(&file->fd);
	free(execution->files.items);
	array_each(kept, &execution->kept)
		cleanup_close(&kept->fd);
	free(execution->kept.items);
	kernel_log_end(&execution->log);
	execute_free(execution);
}

static bool has_mount(const struct look *look, uint64_t id)
{
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_MOUNT && holder->mount.id == id)
			return true;
	return false;
}

/* Mounts that went with the last process of their namespace; nothing brings those back. */
static void note_lost_mounts(struct job *job, const struct look *now)
{
	const struct look *first = &job->result->look;

	array_each(holder, &first->holders)
		if (look_is_pinned_mount(first, holder) && !has_mount(now, holder->mount.id))
			result_add_loss(job->result, "mount", holder->name, "its mount namespace ended");
}

/* A shutdown that was not ours has taken what was not written before it. */
static void note_lost_data(struct job *job, const struct look *look)
{
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_FILESYSTEM && holder->filesystem.shut_down)
			result_add_loss_once(job->result, "data", holder->name,
					     look->devices.items[holder->device].gone
						     ? "its device vanished: what was not written before is lost"
						     : "it was shut down: what was not written before is lost");
}

static void roll_back(struct job *job, const struct err *err)
{
	_cleanup_(look_free) struct look now = { 0 };

	execute_rollback(&job->execution, job->progress);
	execute_forget(&job->execution);
	/* a namespace that only we keep ends now */
	look_release_namespaces(&job->result->look);
	look_release_namespaces(&job->second);
	if (look_copy_devices(&job->result->look, &now) == 0 && look(job, &now, NULL) == 0)
		note_lost_mounts(job, &now);
	job->result->changed = job->result->losses.count || job->result->stuck.count;
	finish(job, job->result->stuck.count ? OUTCOME_STUCK : OUTCOME_ROLLED_BACK, err->message);
}

static bool is_refused_for_processes(const struct plan *plan)
{
	array_each(veto, &plan->vetoes)
		if (veto->stands && strcmp(veto->code, "process") == 0)
			return true;
	return false;
}

/* When its last mount has gone by itself, our own descriptor is what keeps a file system alive. */
static int let_go_of_detached(struct job *job, struct err *err)
{
	int rc = 0;

	array_each(holder, &job->second.holders)
		if (rc == 0 && holder->type == HOLDER_FILESYSTEM && holder->filesystem.detached)
			rc = files_close(&job->execution, holder->dev, err);
	return rc;
}

static bool has_page_keeper(const struct look *look)
{
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_PROCESS && holder->process.uses & USE_PAGES)
			return true;
	return false;
}

/*
 * Who has nothing of a device but pages in a pipe or a ring is found by these only, so they are counted once more.
 * Whether they are gone is asked when nobody can make new references, with more patience.
 */
static int look_again(struct job *job, struct err *err)
{
	int rc = look_copy_devices(&job->result->look, &job->second);

	rc = rc < 0 ? err_errno(err, rc, "cannot look again") : look(job, &job->second, err);
	if (rc == 0 && has_page_keeper(&job->result->look)) {
		rc = machine_count_references(job->machine, &job->second, job->session->interrupt, err);
		look_forget_references(&job->second);
	}
	return rc < 0 ? rc : machine_find_memory_keepers(job->machine, &job->second, err);
}

/*
 * A look after the ask, and the plan for who is left. What the last process of
 * a file system or a mount namespace leaves goes a moment after it: what is
 * refused for anything but processes is looked at again for a while.
 */
static int plan_again(struct job *job, struct err *err)
{
	struct deadline patience = step_deadline(&job->execution, 3000);
	int rc;

	progress_phase(job->progress, "look");
	for (;;) {
		look_free(&job->second);
		plan_free(&job->final);
		rc = look_again(job, err);
		if (rc < 0)
			return rc;
		rc = plan_make(&job->second, &job->request, &job->kernel, PLAN_ASKED, &job->final);
		if (rc < 0)
			return err_errno(err, rc, "cannot make a plan");
		if (!job->final.refused || is_refused_for_processes(&job->final) || deadline_passed(patience))
			return 0;
		rc = let_go_of_detached(job, err);
		if (rc < 0)
			return rc;
		if (wait_readable(-1, job->session->interrupt, step_deadline(&job->execution, 100)) == -EINTR)
			return err_set(err, -EINTR, "interrupted by a signal");
	}
}

/* A veto that came up in mid-run is reported like the first ones, but its holder is of the second look. */
static int report_refusal(struct job *job, struct err *err)
{
	array_each(veto, &job->final.vetoes) {
		veto->holder = 0;
		if (veto->stands)
			err_set(err, -EBUSY, "%s", veto->message);
	}
	result_take_vetoes(job->result, &job->final);
	return -EBUSY;
}

static bool asks_anybody(const struct plan *plan)
{
	array_each(step, &plan->steps)
		if (step_phase(step->type) == PHASE_ASK)
			return true;
	return false;
}

/* Nothing has changed since the first look but by others, and who comes later is met by each step. */
static int plan_on(struct job *job, struct err *err)
{
	int rc = plan_make(&job->result->look, &job->request, &job->kernel, PLAN_ASKED, &job->final);

	return rc < 0 ? err_errno(err, rc, "cannot make a plan") : 0;
}

/* Asks, and looks again at who is left; the second plan is for those. */
static int ask(struct job *job, struct err *err)
{
	struct execution *execution = &job->execution;
	int rc;

	if (!asks_anybody(&job->plan))
		return plan_on(job, err);
	rc = execute_until(execution, PHASE_ASK, job->progress, err);

	look_release_namespaces(&job->result->look);
	rc = rc < 0 ? rc : plan_again(job, err);
	if (rc < 0)
		return rc;
	if (job->final.refused)
		return report_refusal(job, err);
	execution->look = &job->second;
	/* what was mounted meanwhile is flushed as well */
	return files_open(execution, err);
}

/* What says nothing about what was retired, or was named already. */
static bool is_told_only(const char *check)
{
	static const char *const checks[] = { "no-kernel-warning", "no-link-errors", "not-burned" };

	for (size_t i = 0; i < COUNT_OF(checks); i++)
		if (strcmp(check, checks[i]) == 0)
			return true;
	return false;
}

static void name_unfinished(struct job *job)
{
	array_each(verify, &job->result->verify)
		if (verify->ok == CHECK_FALSE && !is_told_only(verify->check))
			result_add_stuck(job->result, verify->check, NULL, "%s%s",
					 verify->reason ? verify->reason : "not so",
					 job->request.no_unbind ? "" : " after the unbind");
}

/* After the commit there is only forward: what fails is stuck, and named. */
static void commit(struct job *job)
{
	struct err err = { 0 };
	bool good;
	int rc;

	job->result->changed = true;
	while (job->execution.next < job->final.steps.count) {
		size_t known = job->result->stuck.count;

		/* one that fails does not hold up the others */
		rc = execute_until(&job->execution, PHASE_UNBIND, job->progress, &err);
		if (rc < 0 && job->result->stuck.count == known)
			result_add_stuck(job->result, "unbind", NULL, "%s", err.message);
	}
	progress_phase(job->progress, "verify");
	note_lost_mounts(job, &(struct look){ 0 });
	note_lost_data(job, &job->result->look);
	note_lost_data(job, &job->second);
	good = verify_retired(&job->execution, job->machine->is_enabled);
	if (!good)
		name_unfinished(job);
	execute_forget(&job->execution);
	finish(job, job->result->stuck.count ? OUTCOME_STUCK : OUTCOME_RETIRED, err.code ? err.message : NULL);
}

/* Nothing has been done yet: no journal is left, either. */
static void forget_journal(struct job *job)
{
	if (job->journal)
		return;
	journal_close(&job->execution.journal);
	for (enum journal_place place = 0; place < JOURNAL_PLACES; place++)
		journal_remove(job->machine->root, place, job->result->id);
}

/* Ended, and told so: what is stuck stays for `recover`. */
static void close_journal(struct job *job, const char *id)
{
	execute_end(&job->execution);
	if (job->result->outcome != OUTCOME_STUCK)
		journal_remove(job->machine->root, JOURNAL_RUN, id);
}

static void run(struct job *job)
{
	struct err err = { 0 };
	int rc;

	rc = ask(job, &err);
	if (rc < 0) {
		roll_back(job, &err);
		return;
	}
	rc = execute_begin(&job->execution, &job->final, PHASE_UNBIND, &err);
	rc = rc < 0 ? rc : execute_until(&job->execution, PHASE_CLAIM, job->progress, &err);
	rc = rc < 0 ? rc : execute_commit(&job->execution, &err);
	if (rc < 0)
		roll_back(job, &err);
	else
		commit(job);
}

static void execute(struct job *job, const char *id)
{
	struct err err = { 0 };
	int rc = start_execution(job, &err);

	rc = rc < 0 ? rc : execute_begin(&job->execution, &job->plan, PHASE_ASK, &err);
	if (rc < 0) {
		forget_journal(job);
		fail(job, &err);
		return;
	}
	run(job);
	/* what was committed before is not undone by what was undone now */
	if (job->again && job->result->outcome == OUTCOME_ROLLED_BACK)
		job->result->outcome = OUTCOME_STUCK;
	close_journal(job, id);
}

static void end_job(struct job *job)
{
	end_execution(job);
	/* the result outlives the job, and nobody has to keep a namespace for what is printed */
	look_release_namespaces(&job->result->look);
	plan_free(&job->plan);
	plan_free(&job->final);
	look_free(&job->second);
}

static struct job job_of(struct session *session)
{
	return (struct job){
		.session = session,
		.machine = session->machine,
		.request = *session->request,
		.result = session->result,
		.progress = session->progress,
		.execution = { .journal = JOURNAL_NONE, .log = { .fd = -1 } },
	};
}

void retire_on(const struct machine *machine, const struct request *request, find_devices *find,
	       struct progress *progress, struct result *result)
{
	struct session session = { machine, request, progress, result };
	struct job job = job_of(&session);
	struct err err = { 0 };

	job.find = find;
	if (session_begin(&session) && prepare(&job, &err))
		execute(&job, result->id);
	end_job(&job);
	session_end(&session);
}

void retire_forward(struct session *session, const struct look *devices, const char *id, struct journal *journal)
{
	struct job job = job_of(session);
	struct err err = { 0 };

	job.again = devices;
	job.journal = journal;
	if (prepare(&job, &err))
		execute(&job, id);
	end_job(&job);
}

void retire_devices(const struct root *root, const struct request *request, find_devices *find,
		    struct progress *progress, struct result *result)
{
	struct effects_system effects;
	struct machine machine = machine_system(root, &effects);

	retire_on(&machine, request, find, progress, result);
	effects_system_end(&effects);
}
