// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/output.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/terminal.h"

/* A drawing has no place for an error: that stays JSON, as a script expects it. */
static int write_stdout(const struct result *result, const struct report_options *options)
{
	const struct report_page page = { output_columns(STDOUT_FILENO), output_has_colour(STDOUT_FILENO) };

	if (options->tree && result->outcome == OUTCOME_LISTED)
		return report_tree(result, options, &page, stdout);
	if (options->dot && result->outcome == OUTCOME_LISTED)
		return report_dot(result, options, stdout);
	return report_json(result, options, stdout);
}

/* What happened to the devices outweighs a reader that went away. */
int output_code(int code, int rc, bool changed)
{
	if (rc == 0)
		return code;
	fprintf(stderr, "error: cannot write to stdout: %s\n", strerror(-rc));
	return code == 0 && !changed ? EXIT_FAILURE : code;
}

int run_list_retirements(const struct option_table *table, int argc, const char **argv, void *ctx)
{
	_cleanup_(options_free) struct options options;
	_cleanup_(result_free) struct result result = { .frozen_ms = -1 };
	int done = options_begin(&options, table, argc, argv);

	if (done >= 0)
		return done;
	list_retirements(ctx, &options.request, &result);
	return output_result(&result, &options, NULL);
}

int output_result(const struct result *result, const struct options *options, struct progress *progress)
{
	int rc, code = outcome_exit(result->outcome);

	/* a live line goes before anything else is said on a terminal; else nobody waits for the other's reader */
	if (isatty(STDOUT_FILENO))
		progress_end_lines(progress);
	progress_end_events(progress);
	rc = write_stdout(result, &options->report);
	progress_end_lines(progress);
	report_people(result, &options->report, stderr);
	return output_code(code, rc, result->changed);
}

/* A retirement without options would be refused: somebody uses it, or that could not be seen. */
static bool in_use(const struct result *result)
{
	return result->vetoes.count || result->look.unknowns.count;
}

int run_list_holders(const struct option_table *table, find_devices *find, int argc, const char **argv, void *ctx)
{
	_cleanup_(options_free) struct options options;
	_cleanup_(result_free) struct result result = { .frozen_ms = -1 };
	int done = options_begin(&options, table, argc, argv), code;

	if (done >= 0)
		return done;
	retire_list_holders(ctx, &options.request, find, &result);
	code = output_result(&result, &options, NULL);
	if (code == 0 && options.exit_code && in_use(&result))
		return outcome_exit(OUTCOME_REFUSED);
	return code;
}
