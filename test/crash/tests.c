// SPDX-License-Identifier: GPL-2.0-or-later
/* What can happen to a plan, one function for each; trial.h has the list. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test/crash/trial.h"

static bool is_seen(const struct trial *trial, long point, const char *what)
{
	return point >= 0 && point < trial->points && point < POINTS_SEEN && strcmp(trial->seen[point], what) == 0;
}

/* Is it of a file of the program, and no effect? */
static bool is_file(const struct trial *trial, long point)
{
	static const char *const files[] = { "write", "sync", "create", "mkdir", "unlink", "truncate" };

	for (size_t i = 0; i < COUNT_OF(files); i++)
		if (is_seen(trial, point, files[i]))
			return true;
	return false;
}

static bool is_frozen(const struct trial *trial, long cut)
{
	while (cut-- > 0) {
		if (is_seen(trial, cut, "thaw"))
			return false;
		if (is_seen(trial, cut, "freeze"))
			return true;
	}
	return false;
}

/* The last effect that can still be undone. */
static long last_before_commit(const struct trial *trial)
{
	long point = trial->first_unbind - 1;

	while (point > 0 && is_file(trial, point))
		point--;
	return point;
}

static void note_points(struct trial *trial)
{
	trial->points = points->now;
	memcpy(trial->seen, points->seen, sizeof(trial->seen));
	trial->first_unbind = 0;
	while (trial->first_unbind < trial->points && !is_seen(trial, trial->first_unbind, "disable"))
		trial->first_unbind++;
	/* one that was rolled back by itself has no commit: its last effects are those of the rollback */
}

/* One that nothing happens to; whoever ignores SIGTERM can have it rolled back. */
static void test_whole(struct trial *trial)
{
	struct result result;
	enum whole whole;
	char why[512];

	trial_at(trial, POINT_NEVER, POINT_NEVER);
	trial_reset(trial);
	trial_run(trial, program_retire, &result);
	note_points(trial);
	whole = trial_check(trial, &result, why, sizeof(why));
	if (whole != BROKEN && trial_has_journal(trial)) {
		whole = BROKEN;
		strcpy(why, "a journal is left");
	}
	trial_count(trial, whole, why);
	result_free(&result);
}

static void test_cut(struct trial *trial)
{
	for (long cut = 0; cut <= trial->points; cut++) {
		/* where nothing is frozen a guardian makes no difference */
		if (!trial_at(trial, cut, POINT_NEVER) || (trial->test == TEST_CUT_BOTH && !is_frozen(trial, cut)))
			continue;
		trial_reset(trial);
		trial_cut(trial, program_retire, cut, 0, trial->test == TEST_CUT_BOTH);
		trial_recover(trial);
	}
}

/* Half of a record, and of the first plan of each sequence of steps every part of the last before the commit. */
static void test_torn(struct trial *trial)
{
	for (long cut = 0; cut <= trial->points; cut++) {
		bool every = trial->shape->first && cut == trial->first_unbind - 1;

		for (long torn = every ? 1 : 20; torn <= (every ? 40 : 20); torn++) {
			if (!is_seen(trial, cut, "write") || !trial_at(trial, cut, torn))
				continue;
			trial_reset(trial);
			trial_cut(trial, program_retire, cut, (size_t)torn, true);
			trial_recover(trial);
		}
	}
}

/* Cuts recover at its point `inner`; false when it has not so many. */
static bool cut_recover(struct trial *trial, long cut, long inner)
{
	bool was_cut;

	trial_reset(trial);
	trial_cut(trial, program_retire, cut, 0, true);
	points_clear();
	trial_cut(trial, program_recover, inner, 0, true);
	was_cut = trial->was_cut;
	if (was_cut)
		trial_recover(trial);
	return was_cut;
}

/* Where most is to be put back; and of the first plan of each sequence of steps, after every effect. */
static bool is_cut_again(const struct trial *trial, long cut)
{
	if (trial->shape->first && cut > 0 && !is_file(trial, cut - 1))
		return true;
	return cut == trial->first_unbind - 3;
}

static void test_recover_cut(struct trial *trial)
{
	for (long cut = 0; cut <= trial->points; cut++) {
		if (!is_cut_again(trial, cut))
			continue;
		for (long inner = 0;; inner++) {
			if (trial->only_inner >= 0 && inner > trial->only_inner)
				break;
			if (!trial_at(trial, cut, inner))
				continue;
			if (!cut_recover(trial, cut, inner))
				break;
		}
	}
}

/* After one that failed: what it says is so; what is stuck, recover finishes. */
static void check_failed(struct trial *trial, struct result *result)
{
	char why[512];
	enum whole whole;

	if (result->outcome == OUTCOME_STUCK && result->stuck.count) {
		trial_recover(trial);
		return;
	}
	whole = trial_check(trial, result, why, sizeof(why));
	/* where the journal's end could not be written either, recover has to find the same */
	if (whole != BROKEN && trial_has_journal(trial)) {
		enum whole after = trial_recovered(trial, true, why, sizeof(why));

		if (after != BROKEN && after != whole)
			snprintf(why, sizeof(why), "it said %s, and recover made it another",
				 outcome_name(result->outcome));
		whole = after == whole ? whole : BROKEN;
	}
	trial_count(trial, whole, why);
}

static void fail_at(struct trial *trial, long point, int error, bool late)
{
	struct result result;

	trial_reset(trial);
	trial->error = error;
	points->fault = point;
	points->error = error;
	points->late = late;
	trial_run(trial, program_retire, &result);
	trial->model->effects.hanging = CHILD_NONE;
	trial->model->effects.hanging_more = false;
	points_clear();
	model_program_died(trial->model, false);
	check_failed(trial, &result);
	result_free(&result);
}

static void test_fault(struct trial *trial)
{
	static const int errors[] = { -EIO, -EBUSY, -EINTR, -ENOMEM };

	for (long point = 0; point < trial->points; point++)
		for (size_t i = 0; i < COUNT_OF(errors); i++)
			if (!is_file(trial, point) && trial_at(trial, point, (long)i))
				fail_at(trial, point, errors[i], false);
}

/* It never happens, or it happens and does not come back all the same. */
static void test_hang(struct trial *trial)
{
	for (long point = 0; point < trial->points; point++)
		for (long late = 0; late < 2; late++)
			if (!is_file(trial, point) && trial_at(trial, point, late))
				fail_at(trial, point, -ETIMEDOUT, late);
}

static void test_fault_cut(struct trial *trial)
{
	long fault = last_before_commit(trial);

	for (long cut = fault + 1;; cut++) {
		if (trial->only_cut >= 0 && cut > trial->only_cut)
			break;
		if (!trial_at(trial, cut, POINT_NEVER))
			continue;
		trial_reset(trial);
		trial->fault = fault;
		trial_cut(trial, program_retire, cut, 0, cut % 2);
		if (!trial->was_cut)
			break;
		trial_recover(trial);
	}
}

static void test_disk(struct trial *trial)
{
	static const int errors[] = { -EIO, -ENOSPC, -EROFS };

	for (long point = 0; point < trial->points; point++)
		for (long lasting = 0; lasting < 2; lasting++) {
			struct result result;

			if (!is_file(trial, point) || !trial_at(trial, point, lasting))
				continue;
			trial_reset(trial);
			trial->error = errors[(size_t)point % COUNT_OF(errors)];
			points->kinds = POINT_FILE;
			points->fault = point;
			points->lasting = lasting;
			points->error = trial->error;
			trial_run(trial, program_retire, &result);
			points_clear();
			model_program_died(trial->model, false);
			check_failed(trial, &result);
			result_free(&result);
		}
}

/* What a boot has put right is left alone. */
static void test_reboot(struct trial *trial)
{
	struct model_state *after = malloc(sizeof(*after));

	for (long cut = 0; after && cut <= trial->points; cut++) {
		struct result result;
		enum whole whole = AS_BEFORE;

		if (!trial_at(trial, cut, POINT_NEVER) ||
		    (is_file(trial, cut) && !is_seen(trial, cut - 1, "sync")))
			continue;
		trial_reset(trial);
		trial_cut(trial, program_retire, cut, 0, true);
		model_reboot(trial->model, cut % 2);
		*after = *trial->model->state;
		program_recover(trial, &result);
		if (memcmp(after, trial->model->state, sizeof(*after)) != 0 ||
		    result.outcome != OUTCOME_NOTHING_TO_DO)
			whole = BROKEN;
		trial_count(trial, whole, outcome_name(result.outcome));
		result_free(&result);
		model_write_boot_id(trial->model, "one\n");
	}
	free(after);
}

struct meeting {
	struct trial *trial, other;
	struct model model;
	struct model_state before;
	bool harmed;
};

static void meet_program(struct meeting *meeting, run_program *program)
{
	struct result result;

	meeting->before = *meeting->trial->model->state;
	model_switch(&meeting->model);
	program(&meeting->other, &result);
	model_switch(meeting->trial->model);
	meeting->harmed |= result.outcome != OUTCOME_IN_PROGRESS ||
			   memcmp(&meeting->before, meeting->trial->model->state, sizeof(meeting->before)) != 0;
	result_free(&result);
}

static void meet_others(void *argument)
{
	meet_program(argument, program_retire);
	meet_program(argument, program_recover);
}

/* At every point from where the lock is taken on. */
static void test_meeting(struct trial *trial)
{
	struct meeting *meeting = calloc(1, sizeof(*meeting));
	struct result result;
	enum whole whole;
	char why[512];

	if (!meeting)
		abort();
	trial_at(trial, POINT_NEVER, POINT_NEVER);
	trial_reset(trial);
	model_copy(trial->model, &meeting->model);
	meeting->trial = trial;
	meeting->other = *trial;
	meeting->other.model = &meeting->model;
	for (points->meet = 0; !is_seen(trial, points->meet, "truncate");)
		points->meet++;
	points->meet_always = true;
	points->meeting = meet_others;
	points->argument = meeting;
	trial_run(trial, program_retire, &result);
	points_clear();
	whole = trial_check(trial, &result, why, sizeof(why));
	if (meeting->harmed)
		strcpy(why, "another one was not kept out");
	trial_count(trial, meeting->harmed ? BROKEN : whole, why);
	result_free(&result);
	free(meeting);
}

/* Somebody puts back by hand the first mount that is gone and has a place to be. */
static void admin_mounts(void *argument)
{
	struct model *model = ((struct trial *)argument)->model;

	for (size_t i = 0; i < MODEL_MOUNTS; i++) {
		const struct model_mount *was = &model->before.mounts[i];
		const struct model_mount *inside = was->inside < 0 ? NULL : &model->before.mounts[was->inside];

		if (!was->there || was->ns != MODEL_INITIAL ||
		    model->before.filesystems[was->filesystem].device < 0 ||
		    model_mount_at(model->state, was->ns, was->point) >= 0 ||
		    (inside && model_mount_at(model->state, inside->ns, inside->point) < 0))
			continue;
		model_add_mount(model->state, was);
		return;
	}
}

/* … or brings memory online, and not always where it was. */
static void admin_onlines(void *argument)
{
	struct trial *trial = argument;

	model_admin_onlines(trial->model, trial->cut % 2);
}

/* What somebody could do after this point; NULL: nothing that matters. Memory, also where all is rolled back. */
static void (*admin_at(const struct trial *trial, long point, bool offline))(void *)
{
	if (trial->first_unbind < trial->points && is_seen(trial, point, "unmount"))
		return admin_mounts;
	return offline ? admin_onlines : NULL;
}

static void test_admin(struct trial *trial)
{
	bool offline = false;

	for (long point = 0; point < trial->first_unbind; point++) {
		void (*admin)(void *argument);
		struct result result;

		offline |= is_seen(trial, point, "offline");
		admin = admin_at(trial, point, offline);
		if (!admin || !trial_at(trial, point, POINT_NEVER))
			continue;
		trial_reset(trial);
		points->meet = point + 1;
		points->meeting = admin;
		points->argument = trial;
		trial_run(trial, program_retire, &result);
		points_clear();
		check_failed(trial, &result);
		result_free(&result);
	}
}

/* There is no way back any more: who brings a block back where it hardly ever goes again does not change that. */
static void test_elsewhere(struct trial *trial)
{
	char why[512];

	if (trial->first_unbind >= trial->points || !trial_at(trial, trial->first_unbind, POINT_NEVER))
		return;
	trial_reset(trial);
	trial_cut(trial, program_retire, trial->first_unbind, 0, true);
	if (model_admin_onlines(trial->model, false))
		trial_count(trial, trial_recovered(trial, true, why, sizeof(why)) == RETIRED ? RETIRED : BROKEN,
			    why);
}

/* Somebody changes how that is mounted which was put back: it has a new number. */
static void admin_remounts(void *argument)
{
	struct trial *trial = argument;
	struct model *model = trial->model;

	for (size_t i = 0; i < MODEL_MOUNTS; i++) {
		const struct model_mount *was = &model->before.mounts[i];
		int now = was->there ? model_mount_at(model->state, was->ns, was->point) : -1;

		if (now < 0 || model->state->mounts[now].id == was->id)
			continue;
		snprintf(model->state->mounts[now].options, sizeof(was->options), "ro,changed");
		trial->harmed = true;
	}
}

/* One that failed although it was done, and is put back: with the first mount of that, `meeting` comes. */
static void fail_unmount(struct trial *trial, long point, long meet, struct result *result)
{
	trial_reset(trial);
	trial->harmed = false;
	points->fault = point;
	points->error = -EIO;
	points->late = true;
	points->meet = meet;
	points->meeting = admin_remounts;
	points->argument = trial;
	trial_run(trial, program_retire, result);
}

static void test_remount(struct trial *trial)
{
	for (long point = 0; point < trial->first_unbind && trial->first_unbind < trial->points; point++) {
		struct result result;
		long mount = point;

		if (!is_seen(trial, point, "unmount") || !trial_at(trial, point, POINT_NEVER))
			continue;
		fail_unmount(trial, point, POINT_NEVER, &result);
		while (mount < points->now && mount < POINTS_SEEN && strcmp(points->seen[mount], "mount") != 0)
			mount++;
		points_clear();
		result_free(&result);
		fail_unmount(trial, point, mount + 1, &result);
		points_clear();
		if (trial->harmed)
			trial_count(trial,
				    result.outcome == OUTCOME_STUCK && result.stuck.count ? AS_BEFORE : BROKEN,
				    outcome_name(result.outcome));
		result_free(&result);
	}
}

/* Whoever has ended does not come back, nor what ended with it. */
static void forget_lost(struct model *model)
{
	for (size_t i = 0; i < MODEL_PROCESSES; i++)
		model->before.processes[i].alive = model->state->processes[i].alive;
	for (size_t i = 0; i < MODEL_MOUNTS; i++)
		if (!model->state->namespaces[model->before.mounts[i].ns])
			model->before.mounts[i].there = false;
}

static void test_restore(struct trial *trial)
{
	for (long cut = trial->first_unbind - 4; cut <= trial->points; cut++) {
		struct result result;
		char why[512];

		/* what is unmounted as dead is in no plan, and not restored */
		if (trial->first_unbind >= trial->points || trial->shape->state.may_unbind_mounted ||
		    !trial_at(trial, cut, POINT_NEVER))
			continue;
		trial_reset(trial);
		trial_cut(trial, program_retire, cut, 0, true);
		if (trial_recovered(trial, true, why, sizeof(why)) != RETIRED)
			continue;
		forget_lost(trial->model);
		trial->model->foreign_may_go = true;
		program_restore(trial, &result);
		if (result.outcome == OUTCOME_STUCK && trial_mount_by_hand(trial, &result)) {
			result_free(&result);
			program_restore(trial, &result);
		}
		trial_count(trial, trial_check(trial, &result, why, sizeof(why)), why);
		result_free(&result);
	}
}

typedef void do_test(struct trial *trial);

static do_test *const tests[TESTS] = {
	[TEST_WHOLE] = test_whole,
	[TEST_CUT] = test_cut,
	[TEST_CUT_BOTH] = test_cut,
	[TEST_TORN] = test_torn,
	[TEST_RECOVER_CUT] = test_recover_cut,
	[TEST_FAULT] = test_fault,
	[TEST_FAULT_CUT] = test_fault_cut,
	[TEST_HANG] = test_hang,
	[TEST_DISK] = test_disk,
	[TEST_REBOOT] = test_reboot,
	[TEST_MEETING] = test_meeting,
	[TEST_RESTORE] = test_restore,
	[TEST_ADMIN] = test_admin,
	[TEST_ELSEWHERE] = test_elsewhere,
	[TEST_REMOUNT] = test_remount,
};

void trial_all(struct trial *trial, unsigned which)
{
	for (enum test test = TEST_WHOLE; test < TESTS; test++) {
		if (!(which & 1U << test) && test != TEST_WHOLE)
			continue;
		trial->test = test;
		trial->tally->counts[test][trial->shape->kind].plans++;
		tests[test](trial);
	}
}
