// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/retiring.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/output.h"
#include "util/cleanup.h"

static void cleanup_progress(struct progress **progress)
{
	if (*progress)
		progress_free(*progress);
}

/*
 * When it is done, what is left to wait for is a reader, and a signal ends us
 * as it ends any program; those that came meanwhile were heeded. True when one
 * of them asked to end.
 */
static bool let_signals(const sigset_t *before)
{
	static const struct timespec now = { 0 };
	bool asked = false;
	sigset_t ending;

	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGHUP);
	sigaddset(&ending, SIGQUIT);
	while (sigtimedwait(&ending, NULL, &now) > 0)
		asked = true;
	sigprocmask(SIG_SETMASK, before, NULL);
	return asked;
}

/* What a command was called with. */
struct call {
	const struct options *options;
	const struct root *root;
	find_devices *find;
};

/* One retirement from its begin to what is left to print. *asked: a signal came. The caller frees the progress. */
static struct progress *retire(const struct call *call, const struct request *request, struct result *result,
			       bool *asked)
{
	struct progress *progress = progress_new(&call->options->report, STDOUT_FILENO, STDERR_FILENO);
	sigset_t before;

	sigprocmask(SIG_SETMASK, NULL, &before);
	retire_devices(call->root, request, call->find, progress, result);
	*asked = let_signals(&before);
	return progress;
}

/* The names that --each goes through, which outlive `look`'s devices only with it. */
struct names {
	ARRAY_OF(const char *) list;
	struct look look; /* what "all" stands for */
};

static void names_free(struct names *names)
{
	free(names->list.items);
	look_free(&names->look);
}

static bool add_name(struct names *names, const char *name)
{
	const char **place;

	array_each(before, &names->list)
		if (strcmp(*before, name) == 0)
			return true;
	place = array_add(&names->list);
	if (place)
		*place = name;
	return place;
}

/* "all" of nothing, or that cannot be told, stays "all": the retirement says what is wrong. */
static bool expand(const struct call *call, struct names *names)
{
	const struct request *request = &call->options->request;
	bool all = request->name_count == 1 && strcmp(request->names[0], "all") == 0;

	if (all && call->find(call->root, request, &names->look, NULL) == 0)
		array_each(device, &names->look.devices)
			if (!add_name(names, device->name))
				return false;
	if (names->list.count)
		return true;
	for (size_t i = 0; i < request->name_count; i++)
		if (!add_name(names, request->names[i]))
			return false;
	return true;
}

static void not_begun(const struct request *request, struct result *result)
{
	*result = (struct result){ .command = request->command, .outcome = OUTCOME_ERROR, .frozen_ms = -1 };
	if (asprintf(&result->message, "%s was not begun: interrupted by a signal", request->names[0]) < 0)
		result->message = NULL;
}

/* Tells of one as soon as it has ended, but for the JSON array, which is for the end. */
static int tell_one(const struct options *options, const struct result *result, struct progress *progress)
{
	if (options->report.events)
		return output_result(result, options, progress);
	progress_end_lines(progress);
	report_people(result, &options->report, stderr);
	return outcome_exit(result->outcome);
}

static int retire_each(const struct call *call, const struct names *names, struct result *results)
{
	struct request request = call->options->request;
	bool asked = false, changed = false;
	int worst = 0, code;

	request.name_count = 1;
	for (size_t i = 0; i < names->list.count; i++) {
		_cleanup_(cleanup_progress) struct progress *progress = NULL;

		request.names = &names->list.items[i];
		if (asked)
			not_begun(&request, &results[i]);
		else
			progress = retire(call, &request, &results[i], &asked);
		code = tell_one(call->options, &results[i], progress);
		worst = code > worst ? code : worst;
		changed |= results[i].changed;
	}
	if (call->options->report.events)
		return worst;
	code = report_json_each(results, names->list.count, &call->options->report, stdout);
	return output_code(worst, code, changed);
}

static int run_each(const struct call *call)
{
	_cleanup_(names_free) struct names names = { 0 };
	_cleanup_free_ struct result *results = NULL;
	int code;

	if (expand(call, &names))
		results = calloc(names.list.count, sizeof(*results));
	if (!results) {
		fputs("error: out of memory\n", stderr);
		return EXIT_FAILURE;
	}
	code = retire_each(call, &names, results);
	for (size_t i = 0; i < names.list.count; i++)
		result_free(&results[i]);
	return code;
}

static int run_one(const struct call *call)
{
	_cleanup_(result_free) struct result result = { .frozen_ms = -1 };
	_cleanup_(cleanup_progress) struct progress *progress = NULL;
	bool asked;

	progress = retire(call, &call->options->request, &result, &asked);
	return output_result(&result, call->options, progress);
}

int run_retire(const struct option_table *table, find_devices *find, int argc, const char **argv, void *ctx)
{
	_cleanup_(options_free) struct options options;
	struct call call = { &options, ctx, find };
	int done = options_begin(&options, table, argc, argv);

	if (done >= 0)
		return done;
	return options.each ? run_each(&call) : run_one(&call);
}

typedef void work(const struct root *root, const struct request *request, struct progress *progress,
		  struct result *result);

static int run_job(const struct option_table *table, work *job, int argc, const char **argv, void *ctx)
{
	_cleanup_(options_free) struct options options;
	_cleanup_(result_free) struct result result = { .frozen_ms = -1 };
	_cleanup_(cleanup_progress) struct progress *progress = NULL;
	int done = options_begin(&options, table, argc, argv), code;
	sigset_t before;

	if (done >= 0)
		return done;
	progress = progress_new(&options.report, STDOUT_FILENO, STDERR_FILENO);
	sigprocmask(SIG_SETMASK, NULL, &before);
	job(ctx, &options.request, progress, &result);
	let_signals(&before);
	code = output_result(&result, &options, progress);
	/* a boot unit or a udev event that comes while another one is at work has nothing to do */
	return result.outcome == OUTCOME_IN_PROGRESS && job == recover_retirements ? 0 : code;
}

int run_recover(const struct option_table *table, int argc, const char **argv, void *ctx)
{
	return run_job(table, recover_retirements, argc, argv, ctx);
}

int run_restore(const struct option_table *table, int argc, const char **argv, void *ctx)
{
	return run_job(table, restore_retirement, argc, argv, ctx);
}
