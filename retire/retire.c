// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The whole job, once through: look, plan, ask, look again, settle, claim,
 * commit, unbind, verify. Data goes one way; what comes out is a result.
 */
#include "retire/retire.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "retire/effects-system.h"
#include "retire/execute.h"
#include "retire/holders/holders.h"
#include "retire/lock.h"
#include "retire/report-systemd.h"
#include "retire/targets/targets.h"
#include "retire/verify.h"
#include "util/cleanup.h"
#include "util/root.h"

/* One retirement under way. */
struct job {
	const struct root *root;
	const struct request *request;
	find_devices *find;
	struct progress *progress;
	struct result *result;
	struct kernel kernel;
	struct plan plan;  /* from the first look; result takes its vetoes */
	struct plan final; /* from the look after the ask */
	struct look second;
	struct effects_system effects;
	struct execution execution;
	int interrupt, lock;
};

/* "20261121T101502-7f3a": UTC, and enough chance to tell two of one second apart. */
static void make_id(char *id, size_t size)
{
	time_t now = time(NULL);
	unsigned chance = 0;
	struct tm utc;
	size_t n;

	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) < 0)
		chance = (unsigned)getpid();
	gmtime_r(&now, &utc);
	n = strftime(id, size, "%Y%m%dT%H%M%S", &utc);
	snprintf(id + n, size - n, "-%04x", chance & 0xffff);
}

/*
 * Signals that would end us become readable instead, so that a rollback can
 * follow; those that would stop us in mid-freeze are held off. SIGSTOP cannot
 * be: the guardian's time limit is for that.
 */
static int hold_signals(void)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	static const int stopping[] = { SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE };
	struct sigaction now;
	sigset_t set, all;

	sigemptyset(&set);
	/* one that was ignored from the start (nohup) stays so: blocked, it would be queued all the same */
	for (size_t i = 0; i < COUNT_OF(ending); i++)
		if (sigaction(ending[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaddset(&set, ending[i]);
	all = set;
	for (size_t i = 0; i < COUNT_OF(stopping); i++)
		sigaddset(&all, stopping[i]);
	sigprocmask(SIG_BLOCK, &all, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void finish(struct result *result, enum outcome outcome, const char *message)
{
	result->outcome = outcome;
	if (message && !result->message)
		result->message = strdup(message);
}

static void fail(struct job *job, const struct err *err)
{
	finish(job->result, OUTCOME_ERROR, err->message);
}

static int look(struct job *job, struct look *into, struct err *err)
{
	return holders_find(job->root, into, err);
}

/* The vetoes go over to the result, which reports them; the plan keeps its steps. */
static void hand_over_vetoes(struct plan *plan, struct result *result)
{
	array_each(veto, &plan->vetoes) {
		struct veto *to = array_add(&result->vetoes);

		if (!to)
			return;
		*to = *veto;
		*veto = (struct veto){ 0 };
	}
	plan->vetoes.count = 0;
}

static void show_plan(struct job *job)
{
	array_each(step, &job->plan.steps)
		result_add_step(job->result, step->type, step_subject(&job->result->look, step));
}

/* True when there is something to execute. */
static bool decide(struct job *job)
{
	struct result *result = job->result;
	bool refused = job->plan.refused;

	hand_over_vetoes(&job->plan, result);
	if (job->plan.already_retired)
		finish(result, result->look.devices.count ? OUTCOME_ALREADY_RETIRED : OUTCOME_NOTHING_TO_DO, NULL);
	else if (refused)
		finish(result, OUTCOME_REFUSED, NULL);
	else if (job->request->dry_run)
		finish(result, OUTCOME_PLANNED, NULL);
	else
		return true;
	if (job->request->dry_run)
		show_plan(job);
	return false;
}

static bool prepare(struct job *job, struct err *err)
{
	struct result *result = job->result;
	int rc;

	progress_phase(job->progress, "look");
	rc = job->find(job->root, job->request, &result->look, err);

	if (rc == 0)
		rc = look(job, &result->look, err);
	if (rc == 0) {
		kernel_probe(job->root, &job->kernel);
		rc = plan_make(&result->look, job->request, &job->kernel, PLAN_WHOLE, &job->plan);
		if (rc < 0)
			err_errno(err, rc, "cannot make a plan");
	}
	if (rc < 0) {
		fail(job, err);
		return false;
	}
	return decide(job);
}

static int start_execution(struct job *job, struct err *err)
{
	struct execution *execution = &job->execution;
	size_t count = job->result->look.devices.count;

	effects_system_init(&job->effects, targets_disable, job->interrupt);
	*execution = (struct execution){
		.root = job->root,
		.request = job->request,
		.kernel = &job->kernel,
		.effects = &job->effects.effects,
		.look = &job->result->look,
		.result = job->result,
		.deadline = deadline_in(job->request->timeout_ms),
		.claims = calloc(count, sizeof(int)),
	};
	if (!execution->claims)
		return err_set(err, -ENOMEM, "out of memory");
	memset(execution->claims, 0xff, count * sizeof(int));
	kernel_log_start(&execution->log);
	return files_open(execution, err);
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
	effects_system_end(&job->effects);
}

static bool has_mount(const struct look *look, uint64_t id)
{
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_MOUNT && holder->mount.id == id)
			return true;
	return false;
}

/* Mounts that went with the last process of their namespace; nothing brings those back. */
static void note_lost_mounts(struct job *job, bool all)
{
	const struct look *first = &job->result->look;

	array_each(holder, &first->holders)
		if (look_is_pinned_mount(first, holder) && (all || !has_mount(&job->second, holder->mount.id)))
			result_add_loss(job->result, "mount", holder->name, "its mount namespace ended");
}

static void roll_back(struct job *job, const struct err *err)
{
	execute_rollback(&job->execution, job->progress);
	note_lost_mounts(job, false);
	job->result->changed = job->result->losses.count || job->result->stuck.count;
	finish(job->result, job->result->stuck.count ? OUTCOME_STUCK : OUTCOME_ROLLED_BACK, err->message);
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
		rc = look_copy_devices(&job->result->look, &job->second);
		rc = rc < 0 ? err_errno(err, rc, "cannot look again") : look(job, &job->second, err);
		if (rc < 0)
			return rc;
		rc = plan_make(&job->second, job->request, &job->kernel, PLAN_ASKED, &job->final);
		if (rc < 0)
			return err_errno(err, rc, "cannot make a plan");
		if (!job->final.refused || is_refused_for_processes(&job->final) || deadline_passed(patience))
			return 0;
		rc = let_go_of_detached(job, err);
		if (rc < 0)
			return rc;
		if (wait_readable(-1, job->interrupt, step_deadline(&job->execution, 100)) == -EINTR)
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
	hand_over_vetoes(&job->final, job->result);
	return -EBUSY;
}

/* Asks, and looks again at who is left; the second plan is for those. */
static int ask(struct job *job, struct err *err)
{
	struct execution *execution = &job->execution;
	int rc = execute_begin(execution, &job->plan, PHASE_ASK, err);

	rc = rc < 0 ? rc : execute_until(execution, PHASE_ASK, job->progress, err);
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

static void name_unfinished(struct job *job)
{
	array_each(verify, &job->result->verify)
		if (verify->ok == CHECK_FALSE && strcmp(verify->check, "no-kernel-warning") != 0)
			result_add_stuck(job->result, verify->check, NULL, "%s after the unbind",
					 verify->reason ? verify->reason : "not so");
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
	note_lost_mounts(job, true);
	good = verify_retired(&job->execution, targets_is_enabled);
	if (!good)
		name_unfinished(job);
	finish(job->result, job->result->stuck.count ? OUTCOME_STUCK : OUTCOME_RETIRED,
	       err.code ? err.message : NULL);
}

static void execute(struct job *job)
{
	struct err err = { 0 };
	int rc = start_execution(job, &err);

	if (rc < 0) {
		fail(job, &err);
		return;
	}
	rc = ask(job, &err);
	if (rc < 0) {
		roll_back(job, &err);
		return;
	}
	rc = execute_begin(&job->execution, &job->final, PHASE_UNBIND, &err);
	rc = rc < 0 ? rc : execute_until(&job->execution, PHASE_CLAIM, job->progress, &err);
	if (rc < 0)
		roll_back(job, &err);
	else
		commit(job);
}

/* Nothing is looked at before the lock is there, so that no other retirement changes what was seen. */
static bool take_lock(struct job *job)
{
	const struct request *request = job->request;
	struct deadline deadline = deadline_in(request->wait_ms ? request->wait_ms : UINT32_MAX);
	struct err err = { 0 };

	if (request->dry_run)
		return true;
	if (geteuid() != 0) {
		finish(job->result, OUTCOME_ERROR,
		       "only root can do this (--dry-run shows what can be seen without)");
		return false;
	}
	progress_phase(job->progress, "lock");
	job->lock = lock_take(job->result->id, request->wait, deadline, job->interrupt, &err);
	if (job->lock < 0)
		finish(job->result, job->lock == -EWOULDBLOCK ? OUTCOME_IN_PROGRESS : OUTCOME_ERROR, err.message);
	return job->lock >= 0;
}

static void start_result(struct result *result, const struct request *request)
{
	memset(result, 0, sizeof(*result));
	result->command = request->command;
	result->frozen_ms = -1;
}

void retire_devices(const struct root *root, const struct request *request, find_devices *find,
		    struct progress *progress, struct result *result)
{
	struct job job = { root, request, find, progress, result, .interrupt = -1, .lock = -1 };
	uint64_t start = clock_us();
	struct err err = { 0 };

	start_result(result, request);
	make_id(result->id, sizeof(result->id));
	progress_begin(progress, request, result->id);
	if (!request->dry_run)
		job.interrupt = hold_signals();
	if (!request->dry_run && job.interrupt < 0)
		finish(result, OUTCOME_ERROR, "cannot hold signals: out of descriptors or memory");
	else if (take_lock(&job) && prepare(&job, &err)) {
		execute(&job);
		end_execution(&job);
	}
	plan_free(&job.plan);
	plan_free(&job.final);
	look_free(&job.second);
	cleanup_close(&job.lock);
	cleanup_close(&job.interrupt);
	result->elapsed_ms = (clock_us() - start) / 1000;
	/* whoever took the lock may have done something, and is remembered */
	if (job.lock >= 0)
		report_systemd(result);
}

void retire_list_holders(const struct root *root, const struct request *request, find_devices *find,
			 struct result *result)
{
	uint64_t start = clock_us();
	struct err err = { 0 };
	int rc;

	start_result(result, request);
	rc = find(root, request, &result->look, &err);
	if (rc == 0)
		rc = holders_find(root, &result->look, &err);
	finish(result, rc < 0 ? OUTCOME_ERROR : OUTCOME_LISTED, rc < 0 ? err.message : NULL);
	result->elapsed_ms = (clock_us() - start) / 1000;
}
