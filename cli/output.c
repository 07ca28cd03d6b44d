// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/output.h"

#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

static void cleanup_progress(struct progress **progress)
{
	if (*progress)
		progress_free(*progress);
}

/* A drawing has no place for an error: that stays JSON, as a script expects it. */
static int write_stdout(const struct result *result, const struct report_options *options)
{
	if (options->tree && result->outcome == OUTCOME_LISTED)
		return report_tree(result, stdout);
	if (options->dot && result->outcome == OUTCOME_LISTED)
		return report_dot(result, stdout);
	return report_json(result, options, stdout);
}

/* What happened to the devices outweighs a reader that went away. */
int output_result(const struct result *result, const struct options *options)
{
	int rc = write_stdout(result, &options->report);
	int code = outcome_exit(result->outcome);

	report_people(result, &options->report, stderr);
	if (rc == 0)
		return code;
	fprintf(stderr, "error: cannot write to stdout: %s\n", strerror(-rc));
	return code == 0 && !result->changed ? EXIT_FAILURE : code;
}

typedef void work(const struct root *root, const struct request *request, struct progress *progress,
		  struct result *result);

/* A command that changes the machine by what a journal says. */
static int run_job(const struct option_table *table, work *job, int argc, const char **argv, void *ctx)
{
	_cleanup_(options_free) struct options options;
	_cleanup_(result_free) struct result result = { .frozen_ms = -1 };
	_cleanup_(cleanup_progress) struct progress *progress = NULL;
	int done = options_begin(&options, table, argc, argv), code;

	if (done >= 0)
		return done;
	progress = progress_new(&options.report, stderr);
	job(ctx, &options.request, progress, &result);
	cleanup_progress(&progress);
	progress = NULL;
	code = output_result(&result, &options);
	/* a boot unit or a udev event that comes while another one is at work has nothing to do */
	return result.outcome == OUTCOME_IN_PROGRESS && job == recover_retirements ? 0 : code;
}

int run_restore(const struct option_table *table, int argc, const char **argv, void *ctx)
{
	return run_job(table, restore_retirement, argc, argv, ctx);
}

int run_recover(const struct option_table *table, int argc, const char **argv, void *ctx)
{
	return run_job(table, recover_retirements, argc, argv, ctx);
}

int run_list_retirements(const struct option_table *table, int argc, const char **argv, void *ctx)
{
	_cleanup_(options_free) struct options options;
	_cleanup_(result_free) struct result result = { .frozen_ms = -1 };
	int done = options_begin(&options, table, argc, argv);

	if (done >= 0)
		return done;
	list_retirements(ctx, &options.request, &result);
	return output_result(&result, &options);
}

int run_retire(const struct option_table *table, find_devices *find, int argc, const char **argv, void *ctx)
{
	_cleanup_(options_free) struct options options;
	_cleanup_(result_free) struct result result = { .frozen_ms = -1 };
	_cleanup_(cleanup_progress) struct progress *progress = NULL;
	int done = options_begin(&options, table, argc, argv);

	if (done >= 0)
		return done;
	progress = progress_new(&options.report, stderr);
	retire_devices(ctx, &options.request, find, progress, &result);
	/* the live line goes before anything else is said */
	cleanup_progress(&progress);
	progress = NULL;
	return output_result(&result, &options);
}

/* Somebody uses it: a holder of any kind, this system as its memory, or what could not be looked at. */
static bool in_use(const struct result *result)
{
	array_each(device, &result->look.devices)
		if (device->enabled && device->system_ram)
			return true;
	return result->look.holders.count || result->look.unknowns.count;
}

int run_list_holders(const struct option_table *table, find_devices *find, int argc, const char **argv, void *ctx)
{
	_cleanup_(options_free) struct options options;
	_cleanup_(result_free) struct result result = { .frozen_ms = -1 };
	int done = options_begin(&options, table, argc, argv), code;

	if (done >= 0)
		return done;
	retire_list_holders(ctx, &options.request, find, &result);
	code = output_result(&result, &options);
	if (code == 0 && options.exit_code && in_use(&result))
		return outcome_exit(OUTCOME_REFUSED);
	return code;
}
