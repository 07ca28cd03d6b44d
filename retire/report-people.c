// SPDX-License-Identifier: GPL-2.0-or-later
/* What a person reads on stderr. Names from outside go through printable(). */
#include <string.h>

#include "retire/report-vetoes.h"
#include "retire/report-words.h"
#include "retire/report.h"
#include "util/text.h"

#define LINE	  1024
#define NAMES_MAX 8

/* `text` as it may be shown on a terminal; `copy` is of LINE bytes. */
static const char *shown(const char *text, char *copy)
{
	return printable(text ? text : "?", copy, LINE);
}

/* What the user named: a namespace that is here because of its region is not. */
static bool goes_with_region(const struct look *look, const struct device *device)
{
	if (device->below)
		return true;
	array_each(region, &look->devices) {
		size_t length = strlen(region->path ? region->path : "");

		if (region->type == DEVICE_PMEM_REGION && length && device->path &&
		    strncmp(device->path, region->path, length) == 0 && device->path[length] == '/')
			return true;
	}
	return false;
}

static void print_device_names(const struct result *result, FILE *err)
{
	size_t count = 0;
	char name[LINE];

	array_each(device, &result->look.devices)
		if (!goes_with_region(&result->look, device) && count++ < NAMES_MAX)
			fprintf(err, " %s", shown(device->name, name));
	if (count > NAMES_MAX)
		fputs(" ...", err);
}

static bool can_be_lifted(const struct result *result)
{
	char option[64];

	array_each(veto, &result->vetoes)
		if (veto->stands && !veto_lifted_by(veto, option, sizeof(option)))
			return false;
	return true;
}

static bool named_before(const struct result *result, const struct veto *until)
{
	array_each(veto, &result->vetoes) {
		if (veto == until)
			return false;
		if (veto->severity == SEVERITY_RISK && strcmp(veto->code, until->code) == 0)
			return true;
	}
	return false;
}

/* The options that would have let this request through, those already given included. */
static void print_options_needed(const struct result *result, FILE *err)
{
	enum evict_level level = EVICT_NONE;
	const char *separator = " --allow=";

	array_each(veto, &result->vetoes)
		if (veto->severity == SEVERITY_HOLDER && veto->level > level && veto->level < EVICT_NEVER)
			level = veto->level;
	if (level != EVICT_NONE)
		fprintf(err, " --evict=%s", evict_level_name(level));
	array_each(veto, &result->vetoes) {
		if (veto->severity != SEVERITY_RISK || named_before(result, veto))
			continue;
		fprintf(err, "%s%s", separator, veto->code);
		separator = ",";
	}
}

/* What was named comes after what stands on it. */
static const char *tool_of(const struct result *result)
{
	const struct look *look = &result->look;

	return look->devices.count ? device_tool(look->devices.items[look->devices.count - 1].type) : "ndctl";
}

static void people_refused(const struct result *result, bool verbose, FILE *err)
{
	fputs("refused, nothing was changed:", err);
	print_device_names(result, err);
	fputc('\n', err);
	print_vetoes(result, verbose, verbose, err);
	if (!can_be_lifted(result)) {
		fputs("end by hand what no option lifts, then run the command again\n", err);
		return;
	}
	fprintf(err, "to go on, if this may go: dax-retire %s %s", tool_of(result), result->command);
	fputs(result->no_unbind ? " --no-unbind" : "", err);
	fputs(result->delete_region ? " --delete" : "", err);
	fputs(result->power_off ? " --power-off" : "", err);
	print_options_needed(result, err);
	print_device_names(result, err);
	fputc('\n', err);
}

static void print_failed_steps(const struct result *result, FILE *err)
{
	char subject[LINE], message[LINE];

	array_each(record, &result->steps)
		if (record->state == STATE_FAILED || record->state == STATE_STUCK)
			fprintf(err, "  %s %s %s%s%s\n", step_record_name(record), shown(record->subject, subject),
				step_state_name(record->state), record->message ? ": " : "",
				record->message ? shown(record->message, message) : "");
}

static void print_losses(const struct result *result, FILE *err)
{
	char name[LINE], reason[LINE];

	array_each(loss, &result->losses)
		fprintf(err, "  lost: %s %s (%s)\n", loss->kind, shown(loss->name, name),
			shown(loss->reason, reason));
}

static void print_stuck(const struct result *result, FILE *err)
{
	char subject[LINE], text[LINE];

	array_each(stuck, &result->stuck) {
		fprintf(err, "  %s: %s\n", shown(stuck->subject, subject), shown(stuck->message, text));
		if (stuck->stack)
			fprintf(err, "    waits in %s\n", shown(stuck->stack, text));
	}
}

static void print_unknowns(const struct result *result, FILE *err)
{
	char subject[LINE], reason[LINE];

	array_each(unknown, &result->look.unknowns)
		fprintf(err, "  not looked at: %s: %s\n", shown(unknown->subject, subject),
			shown(unknown->reason, reason));
}

/* How it ended when it did not end well: what failed, what is gone, what is left to do. */
static void people_failed(const struct result *result, const char *what, FILE *err)
{
	char message[LINE];

	fprintf(err, "%s%s%s\n", what, result->message ? ": " : "",
		result->message ? shown(result->message, message) : "");
	if (result->outcome == OUTCOME_ERROR || result->outcome == OUTCOME_IN_PROGRESS)
		return;
	print_failed_steps(result, err);
	print_losses(result, err);
	print_stuck(result, err);
}

static void people_well(const struct result *result, const char *what, FILE *err)
{
	fprintf(err, "%s%s", what, result->look.devices.count ? ":" : "");
	print_device_names(result, err);
	fputc('\n', err);
	print_losses(result, err);
}

static const struct {
	const char *what;
	bool failed;
} endings[] = {
	[OUTCOME_RETIRED] = { "retired", false },
	[OUTCOME_ALREADY_RETIRED] = { "retired already, nothing was changed", false },
	[OUTCOME_RESTORED] = { "restored", false },
	[OUTCOME_RECOVERED] = { "recovered", false },
	[OUTCOME_NOTHING_TO_DO] = { "nothing to do", false },
	[OUTCOME_PLANNED] = { "planned, nothing was changed", false },
	[OUTCOME_LISTED] = { NULL, false },
	[OUTCOME_ERROR] = { "error", true },
	[OUTCOME_IN_PROGRESS] = { "not begun", true },
	[OUTCOME_REFUSED] = { "refused", true },
	[OUTCOME_ROLLED_BACK] = { "not retired, and put back", true },
	[OUTCOME_STUCK] = { "stuck", true },
};

void report_people(const struct result *result, const struct report_options *options, FILE *err)
{
	const char *what = endings[result->outcome].what;
	bool verbose = options && options->verbose, quiet = options && options->quiet;

	if (result->outcome == OUTCOME_REFUSED)
		people_refused(result, verbose, err);
	else if (endings[result->outcome].failed)
		people_failed(result, what, err);
	else if (what && !quiet)
		people_well(result, what, err);
	if (result->outcome == OUTCOME_PLANNED && !quiet)
		print_vetoes(result, true, verbose, err);
	/* a drawing has no place for them, and unknown is not none */
	if (verbose || (result->outcome == OUTCOME_LISTED && options && (options->tree || options->dot)))
		print_unknowns(result, err);
	fflush(err);
}
