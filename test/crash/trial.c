// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/crash/trial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "retire/journal.h"
#include "retire/recover.h"
#include "retire/retire.h"
#include "retire/retirement.h"
#include "util/cleanup.h"

enum { TOLD_AT_MOST = 4000 };

void program_retire(struct trial *trial, struct result *result)
{
	struct request request = shape_request(trial->shape);

	retire_on(&trial->model->machine, &request, model_find, NULL, result);
}

void program_recover(struct trial *trial, struct result *result)
{
	struct request request = { .command = "recover" };

	recover_on(&trial->model->machine, &request, NULL, result);
}

void program_restore(struct trial *trial, struct result *result)
{
	struct journal_names names = { 0 };
	const char *id = "namespace0.0";
	struct request request = { .command = "restore", .names = &id, .name_count = 1, .timeout_ms = 60000 };

	if (journal_list(&trial->model->root, &names, NULL) == 0 && names.list.count)
		id = names.list.items[names.list.count - 1].id;
	restore_on(&trial->model->machine, &request, NULL, result);
	free(names.list.items);
}

void trial_reset(struct trial *trial)
{
	model_reset(trial->model, &trial->shape->state);
	points_clear();
	trial->at[0] = '\0';
	trial->error = 0;
	trial->fault = POINT_NEVER;
}

void trial_run(struct trial *trial, run_program *program, struct result *result)
{
	points->armed = true;
	program(trial, result);
	points->armed = false;
	if (points->last[0])
		strcpy(trial->at, points->last);
}

static void run_in_child(struct trial *trial, run_program *program)
{
	struct result result;
	pid_t pid = fork();
	int status;

	if (pid < 0)
		abort();
	if (pid == 0) {
		trial_run(trial, program, &result);
		/* it came to its end before it could be cut */
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    (WEXITSTATUS(status) != POINT_DIED && WEXITSTATUS(status) != 0))
		trial_count(trial, BROKEN, "it crashed by itself");
	strcpy(trial->at, points->last);
}

void trial_cut(struct trial *trial, run_program *program, long cut, size_t torn, bool with_guardian)
{
	struct result result;

	points_clear();
	points->cut = cut;
	points->torn = torn;
	points->by_exit = trial->forks;
	points->fault = trial->fault;
	points->error = -EIO;
	if (trial->forks) {
		run_in_child(trial, program);
	} else {
		trial_run(trial, program, &result);
		result_free(&result);
	}
	trial->was_cut = points->dead;
	points_clear();
	model_program_died(trial->model, with_guardian);
}

bool trial_at(struct trial *trial, long cut, long inner)
{
	trial->cut = cut;
	trial->inner = inner;
	return (trial->only_cut < 0 || trial->only_cut == cut) &&
	       (trial->only_inner < 0 || inner < 0 || trial->only_inner == inner);
}

static const struct {
	const char *name, *title;
} test_words[TESTS] = {
	[TEST_WHOLE] = { "whole", "not cut; and restored" },
	[TEST_CUT] = { "cut", "cut" },
	[TEST_CUT_BOTH] = { "cut-both", "cut, and its guardian with it" },
	[TEST_TORN] = { "torn", "cut in mid-record" },
	[TEST_RECOVER_CUT] = { "recover-cut", "recover cut, and run again" },
	[TEST_FAULT] = { "fault", "a call fails" },
	[TEST_FAULT_CUT] = { "fault-cut", "a call fails, and the rollback is cut" },
	[TEST_HANG] = { "hang", "a call does not come back" },
	[TEST_DISK] = { "disk", "the journal cannot be written" },
	[TEST_REBOOT] = { "reboot", "cut by a reboot" },
	[TEST_MEETING] = { "meeting", "another one comes in between" },
	[TEST_RESTORE] = { "restore", "cut, recovered and restored" },
	[TEST_ADMIN] = { "admin", "somebody mounts or onlines in between" },
	[TEST_ELSEWHERE] = { "elsewhere", "cut, and memory comes back elsewhere" },
	[TEST_REMOUNT] = { "remount", "somebody changes what was put back" },
};

const char *trial_test_name(enum test test)
{
	return test_words[test].name;
}

const char *trial_test_title(enum test test)
{
	return test_words[test].title;
}

void trial_count(struct trial *trial, enum whole whole, const char *why)
{
	struct count *count = &trial->tally->counts[trial->test][trial->shape->kind];

	count->trials++;
	count->ended[whole]++;
	if (whole != BROKEN || trial->tally->told++ >= TOLD_AT_MOST)
		return;
	fprintf(stderr, "BROKEN: %s (--plan %zu --test %s", trial->shape->name, trial->number,
		trial_test_name(trial->test));
	if (trial->cut >= 0)
		fprintf(stderr, " --cut %ld", trial->cut);
	if (trial->inner >= 0)
		fprintf(stderr, " --inner %ld", trial->inner);
	fprintf(stderr, ") before \"%s\"%s%s: %s\n", trial->at, trial->error ? ", " : "",
		trial->error ? strerror(-trial->error) : "", why);
}

/* One that ended may lie there until the next boot or the next retirement. */
static bool is_unfinished(const struct trial *trial, const char *id)
{
	struct retirement retirement;
	bool unfinished = retirement_read(&trial->model->root, id, &retirement, NULL) < 0 || !retirement.end ||
			  strcmp(retirement.end, outcome_name(OUTCOME_STUCK)) == 0;

	retirement_free(&retirement);
	return unfinished;
}

bool trial_has_journal(const struct trial *trial)
{
	struct journal_names names = { 0 };
	bool found = false;

	if (journal_list(&trial->model->root, &names, NULL) < 0)
		return true;
	array_each(name, &names.list)
		found |= name->in[JOURNAL_RUN] && is_unfinished(trial, name->id);
	free(names.list.items);
	return found;
}

/* What the outcome says and what the machine says have to agree. */
static enum whole check_recovered(struct trial *trial, const struct result *result, bool told, char *why,
				  size_t size)
{
	enum whole whole;

	/* nothing to do: it was cut when all had been done, and told */
	told |= result->outcome == OUTCOME_NOTHING_TO_DO;
	whole = whole_of(trial->model, told ? NULL : result, why, size);

	if (result->outcome != OUTCOME_RECOVERED && result->outcome != OUTCOME_NOTHING_TO_DO) {
		snprintf(why, size, "recover says %s: %s", outcome_name(result->outcome),
			 result->stuck.count ? result->stuck.items[0].message
			 : result->message   ? result->message
					     : "");
		return BROKEN;
	}
	if (whole != BROKEN && trial_has_journal(trial)) {
		snprintf(why, size, "recover leaves an unfinished journal in /run");
		return BROKEN;
	}
	return whole;
}

/* Once more does no harm. */
static bool is_idempotent(struct trial *trial, char *why, size_t size)
{
	struct model_state *before = malloc(sizeof(*before));
	struct result result;
	bool good;

	if (!before)
		abort();
	*before = *trial->model->state;
	program_recover(trial, &result);
	good = result.outcome == OUTCOME_NOTHING_TO_DO &&
	       memcmp(before, trial->model->state, sizeof(*before)) == 0;
	if (!good)
		snprintf(why, size, "recover again says %s", outcome_name(result.outcome));
	result_free(&result);
	free(before);
	return good;
}

/* Nobody but people can put back what was mounted inside; what is mounted in that is stuck until they do. */
bool trial_mount_by_hand(struct trial *trial, const struct result *result)
{
	struct model_state *state = trial->model->state;
	bool any = false;

	for (size_t i = 0; i < MODEL_MOUNTS; i++) {
		const struct model_mount *was = &trial->model->before.mounts[i];

		if (!was->there || trial->model->before.filesystems[was->filesystem].device >= 0 ||
		    model_mount_at(state, was->ns, was->point) >= 0)
			continue;
		array_each(loss, &result->losses)
			any |= strcmp(loss->name, was->point) == 0;
		model_add_mount(state, was);
	}
	return any && result->outcome == OUTCOME_STUCK;
}

enum whole trial_recovered(struct trial *trial, bool told, char *why, size_t size)
{
	struct result result;
	enum whole whole;

	program_recover(trial, &result);
	whole = check_recovered(trial, &result, told, why, size);
	result_free(&result);
	return whole;
}

void trial_recover(struct trial *trial)
{
	char why[512];
	enum whole whole = trial_recovered(trial, false, why, sizeof(why));

	if (whole != BROKEN && !is_idempotent(trial, why, sizeof(why)))
		whole = BROKEN;
	trial_count(trial, whole, why);
}

enum whole trial_check(struct trial *trial, const struct result *result, char *why, size_t size)
{
	enum whole whole = whole_of(trial->model, result, why, size), said = BROKEN;

	if (result->outcome == OUTCOME_RETIRED)
		said = RETIRED;
	if (result->outcome == OUTCOME_ROLLED_BACK || result->outcome == OUTCOME_ERROR ||
	    result->outcome == OUTCOME_REFUSED || result->outcome == OUTCOME_RESTORED)
		said = AS_BEFORE;
	if (whole == said && whole != BROKEN)
		return whole;
	snprintf(why + strlen(why), size - strlen(why), " (it says %s: %s)", outcome_name(result->outcome),
		 result->stuck.count ? result->stuck.items[0].message
		 : result->message   ? result->message
				     : "");
	return BROKEN;
}
