// SPDX-License-Identifier: GPL-2.0-or-later
/* What can happen to a plan, one function for each; trial.h has the list. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test/crash/trial.h"

/* What it says and what there is have to agree. */
static enum whole check_outcome(struct trial *trial, const struct result *result, char *why, size_t size)
{
	enum whole whole = whole_of(trial->model, result, why, size), said = BROKEN;

	if (result->outcome == OUTCOME_RETIRED)
		said = RETIRED;
	if (result->outcome == OUTCOME_ROLLED_BACK || result->outcome == OUTCOME_ERROR)
		said = AS_BEFORE;
	if (whole == said && whole != BROKEN && !trial_has_journal(trial))
		return whole;
	snprintf(why + strlen(why), size - strlen(why), " (it says %s: %s)", outcome_name(result->outcome),
		 result->message ? result->message : "");
	return BROKEN;
}

/* One that nothing happens to; whoever ignores SIGTERM can have it rolled back. */
static void test_whole(struct trial *trial)
{
	struct result result;
	char why[512];

	trial_at(trial, POINT_NEVER, POINT_NEVER);
	trial_reset(trial);
	trial_run(trial, program_retire, &result);
	trial->points = points->now;
	trial_count(trial, check_outcome(trial, &result, why, sizeof(why)), why);
	result_free(&result);
}

static void test_cut(struct trial *trial)
{
	for (long cut = 0; cut <= trial->points; cut++) {
		if (!trial_at(trial, cut, POINT_NEVER))
			continue;
		trial_reset(trial);
		trial_cut(trial, program_retire, cut, 0, trial->test == TEST_CUT_BOTH);
		trial_recover(trial);
	}
}

typedef void do_test(struct trial *trial);

static do_test *const tests[TESTS] = {
	[TEST_WHOLE] = test_whole,
	[TEST_CUT] = test_cut,
	[TEST_CUT_BOTH] = test_cut,
};

void trial_all(struct trial *trial, unsigned which)
{
	for (enum test test = TEST_WHOLE; test < TESTS; test++) {
		if (!tests[test] || (!(which & 1U << test) && test != TEST_WHOLE))
			continue;
		trial->test = test;
		trial->tally->counts[test][trial->shape->kind].plans++;
		tests[test](trial);
	}
}
