// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/text.h"

#define WEEK_SECONDS (7 * 24 * 3600)
#define ENTRIES_MAX  32
/* getopt's value of entry number 0: beyond every letter */
#define FIRST_VALUE 256

const char *const risk_codes[] = {
	"incomplete",	  "references-unknown",
	"mounted-unbind", "volatile-mount",
	"shutdown",	  "interleave-siblings",
	"would-not-fit",  "unmovable-zone",
	"policy-broken",  "poison",
	"locked",	  "decoder-order",
};

int parse_seconds(const char *text, unsigned *ms)
{
	unsigned long long whole = 0, thousandths = 0, scale = 100;
	bool rest = false;
	const char *c = text;

	if (!isdigit((unsigned char)*c))
		return -EINVAL;
	for (; isdigit((unsigned char)*c) && whole <= WEEK_SECONDS; c++)
		whole = whole * 10 + (unsigned)(*c - '0');
	if (*c == '.' && !isdigit((unsigned char)c[1]))
		return -EINVAL;
	for (c += *c == '.'; isdigit((unsigned char)*c) && whole <= WEEK_SECONDS; c++, scale /= 10) {
		thousandths += scale * (unsigned)(*c - '0');
		rest |= !scale && *c != '0';
	}
	whole = whole * 1000 + thousandths + rest;
	if (whole > WEEK_SECONDS * 1000ULL)
		return -ERANGE;
	*ms = (unsigned)whole;
	return *c ? -EINVAL : 0;
}

static int set_seconds(unsigned *ms, const char *name, const char *value, struct err *err)
{
	int rc = parse_seconds(value, ms);

	if (rc == -ERANGE)
		return err_set(err, -EINVAL, "--%s=%s is more than a week (%d)", name, value, WEEK_SECONDS);
	if (rc)
		return err_set(err, -EINVAL, "--%s=%s is not a number of seconds", name, value);
	return 0;
}

static int set_dry_run(struct options *options, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	options->request.dry_run = true;
	return 0;
}

static int set_evict(struct options *options, const char *value, struct err *err)
{
	for (enum evict_level level = EVICT_NONE; level < EVICT_NEVER; level++) {
		if (strcmp(value, evict_level_name(level)) != 0)
			continue;
		options->request.evict = level;
		return 0;
	}
	return err_set(err, -EINVAL, "unknown level '%s' of --evict: none, stop, term or kill", value);
}

static int set_force(struct options *options, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	options->request.evict = EVICT_KILL;
	return 0;
}

static const char *known_code(const char *code)
{
	for (size_t i = 0; i < RISK_CODES; i++)
		if (strcmp(code, risk_codes[i]) == 0)
			return risk_codes[i];
	return NULL;
}

static int unknown_code(const char *code, struct err *err)
{
	char known[256] = "";
	size_t at = 0;

	for (size_t i = 0; i < RISK_CODES; i++)
		at += (size_t)snprintf(known + at, sizeof(known) - at, "%s%s", i ? ", " : "", risk_codes[i]);
	return err_set(err, -EINVAL, "unknown code '%s' of --allow; known are %s", code, known);
}

static int set_allow(struct options *options, const char *value, struct err *err)
{
	struct request *request = &options->request;
	_cleanup_free_ char *codes = strdup(value);
	char *cursor = codes;

	if (!codes)
		return err_set(err, -ENOMEM, "out of memory");
	for (char *code; (code = strsep(&cursor, ","));) {
		const char *known = known_code(code);

		if (!known)
			return unknown_code(code, err);
		if (!request_allows(request, known))
			options->allowed[request->allow_count++] = known;
	}
	return 0;
}

static int set_grace(struct options *options, const char *value, struct err *err)
{
	return set_seconds(&options->request.grace_ms, "grace", value, err);
}

static int set_timeout(struct options *options, const char *value, struct err *err)
{
	int rc = set_seconds(&options->request.timeout_ms, "timeout", value, err);

	options->request.timeout_given = true;
	if (rc == 0 && options->request.timeout_ms == 0)
		return err_set(err, -EINVAL, "--timeout=%s leaves no time at all", value);
	return rc;
}

/* In a request 0 ms means without limit; --wait=0 means not to wait. */
static int set_wait(struct options *options, const char *value, struct err *err)
{
	int rc = 0;

	options->request.wait_ms = 0;
	if (value)
		rc = set_seconds(&options->request.wait_ms, "wait", value, err);
	options->request.wait = !value || options->request.wait_ms > 0;
	return rc;
}

static int set_bus(struct options *options, const char *value, struct err *err)
{
	(void)err;
	options->request.bus = value;
	return 0;
}

static int set_decoder(struct options *options, const char *value, struct err *err)
{
	(void)err;
	options->request.decoder = value;
	return 0;
}

static int set_region(struct options *options, const char *value, struct err *err)
{
	(void)err;
	options->request.region = value;
	return 0;
}

static int set_node(struct options *options, const char *value, struct err *err)
{
	uint64_t node;

	if (parse_number(value, &node) < 0)
		return err_set(err, -EINVAL, "--node=%s is no number", value);
	options->request.node = value;
	return 0;
}

static int set_human(struct options *options, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	options->report.human = true;
	return 0;
}

static int set_verbose(struct options *options, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	options->report.verbose = true;
	return 0;
}

static int set_quiet(struct options *options, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	options->report.quiet = true;
	return 0;
}

static int set_events(struct options *options, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	options->report.events = true;
	return 0;
}

static int set_each(struct options *options, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	options->each = true;
	return 0;
}

static int one_drawing(const struct options *options, struct err *err)
{
	if (options->report.tree && options->report.dot)
		return err_set(err, -EINVAL, "--tree and --dot exclude each other");
	return 0;
}

static int set_tree(struct options *options, const char *value, struct err *err)
{
	(void)value;
	options->report.tree = true;
	return one_drawing(options, err);
}

static int set_dot(struct options *options, const char *value, struct err *err)
{
	(void)value;
	options->report.dot = true;
	return one_drawing(options, err);
}

static int set_no_unbind(struct options *options, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	options->request.no_unbind = true;
	return 0;
}

static int set_delete(struct options *options, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	options->request.delete_region = true;
	return 0;
}

static int set_power_off(struct options *options, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	options->request.power_off = true;
	return 0;
}

static int set_pages(struct options *options, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	options->request.pages = true;
	return 0;
}

static int set_exit_code(struct options *options, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	options->exit_code = true;
	return 0;
}

/* clang-format off */
#define BUS_ENTRY { "bus", 'b', "bus-id", false, "limit to a bus with an id or provider of <bus-id>", set_bus }
#define REGION_ENTRY \
	{ "region", 'r', "region-id", false, "limit to a region with an id or name of <region-id>", set_region }
#define DECODER_ENTRY \
	{ "decoder", 'd', "decoder-id", false, "limit to a root decoder with an id or name of <decoder-id>", set_decoder }
#define NODE_ENTRY { "node", 0, "N", false, "limit to the devices of NUMA node N; without a name: all of them", set_node }
#define NO_UNBIND_ENTRY \
	{ "no-unbind", 0, NULL, false, "take its memory offline; it keeps its driver", set_no_unbind }
#define DELETE_ENTRY { "delete", 0, NULL, false, "delete the regions as well", set_delete }
#define POWER_OFF_ENTRY { "power-off", 0, NULL, false, "remove the PCI device, and switch its slot off", set_power_off }
#define HUMAN_ENTRY { "human", 'u', NULL, false, "use human friendly number formats", set_human }
#define VERBOSE_ENTRY { "verbose", 'v', NULL, false, "say more on stderr", set_verbose }
#define EVENTS_ENTRY { "events", 0, NULL, false, "tell what goes on, one JSON object a line", set_events }
#define OUTPUT_ENTRIES VERBOSE_ENTRY, { "quiet", 'q', NULL, false, "say only what went wrong", set_quiet }, { NULL }

#define RETIRE_ENTRIES \
	{ "dry-run", 'n', NULL, false, "print the plan, or what stands against it; change nothing", set_dry_run }, \
	{ "evict", 'e', "level", false, "how far to go against holders: none, stop, term or kill", set_evict }, \
	{ "force", 'f', NULL, false, "the same as --evict=kill", set_force }, \
	{ "allow", 'a', "code[,code]", false, "take the named risks", set_allow }, \
	{ "grace", 0, "seconds", false, "between SIGTERM and SIGKILL (default 10)", set_grace }, \
	{ "timeout", 't', "seconds", false, "up to the point of no return (default 60)", set_timeout }, \
	{ "wait", 'w', "seconds", true, "wait for another retirement to end", set_wait }, \
	{ "each", 0, NULL, false, "one retirement of each instead of one of all", set_each }, \
	EVENTS_ENTRY

#define LIST_HOLDERS_ENTRIES \
	{ "tree", 0, NULL, false, "draw a tree for people instead of JSON", set_tree }, \
	{ "dot", 0, NULL, false, "write a graph for Graphviz instead of JSON", set_dot }, \
	{ "pages", 0, NULL, false, "count the references to its pages, too", set_pages }, \
	{ "exit-code", 0, NULL, false, "exit with 2 when something is in use", set_exit_code }, \
	HUMAN_ENTRY, VERBOSE_ENTRY, { NULL }
/* clang-format on */

const struct option_entry retire_entries[] = { RETIRE_ENTRIES, BUS_ENTRY, REGION_ENTRY, HUMAN_ENTRY,
					       OUTPUT_ENTRIES };
const struct option_entry dax_retire_entries[] = { RETIRE_ENTRIES, NO_UNBIND_ENTRY, REGION_ENTRY,
						   NODE_ENTRY,	   HUMAN_ENTRY,	    OUTPUT_ENTRIES };
const struct option_entry list_holders_entries[] = { BUS_ENTRY, REGION_ENTRY, LIST_HOLDERS_ENTRIES };
const struct option_entry dax_list_holders_entries[] = { REGION_ENTRY, NODE_ENTRY, LIST_HOLDERS_ENTRIES };

const struct option_entry cxl_region_entries[] = { RETIRE_ENTRIES, DELETE_ENTRY, BUS_ENTRY,
						   DECODER_ENTRY,  HUMAN_ENTRY,	 OUTPUT_ENTRIES };
const struct option_entry cxl_memdev_entries[] = { RETIRE_ENTRIES, DELETE_ENTRY, POWER_OFF_ENTRY,
						   BUS_ENTRY,	   HUMAN_ENTRY,	 OUTPUT_ENTRIES };
const struct option_entry cxl_list_holders_entries[] = { BUS_ENTRY, DECODER_ENTRY, LIST_HOLDERS_ENTRIES };

const struct option_entry recover_entries[] = {
	EVENTS_ENTRY,
	HUMAN_ENTRY,
	OUTPUT_ENTRIES,
};

const struct option_entry restore_entries[] = {
	{ "dry-run", 'n', NULL, false, "print what would be brought back; change nothing", set_dry_run },
	{ "timeout", 't', "seconds", false, "give up after that long (default 60)", set_timeout },
	{ "wait", 'w', "seconds", true, "wait for another retirement to end", set_wait },
	EVENTS_ENTRY,
	HUMAN_ENTRY,
	OUTPUT_ENTRIES,
};

const struct option_entry list_retirements_entries[] = {
	OUTPUT_ENTRIES,
};

/* The tables in getopt's own form. */
struct getopt_tables {
	struct option longs[ENTRIES_MAX + 3];
	char shorts[ENTRIES_MAX * 3 + 3];
};

static int argument_kind(const struct option_entry *entry)
{
	if (!entry->argument)
		return no_argument;
	return entry->optional ? optional_argument : required_argument;
}

static void fill_tables(struct getopt_tables *tables, const struct option_entry *entries)
{
	size_t at = 0, n = 0;

	memset(tables, 0, sizeof(*tables));
	tables->shorts[at++] = ':';
	tables->shorts[at++] = 'h';
	for (; entries[n].name && n < ENTRIES_MAX; n++) {
		int kind = argument_kind(&entries[n]);

		tables->longs[n] = (struct option){ entries[n].name, kind, NULL, FIRST_VALUE + (int)n };
		if (!entries[n].letter)
			continue;
		tables->shorts[at++] = entries[n].letter;
		for (; kind > 0; kind--)
			tables->shorts[at++] = ':';
	}
	tables->longs[n] = (struct option){ "help", no_argument, NULL, 'h' };
	tables->longs[n + 1] = (struct option){ "list-opts", no_argument, NULL, FIRST_VALUE + ENTRIES_MAX };
}

static const struct option_entry *entry_of(const struct option_entry *entries, int value)
{
	for (const struct option_entry *entry = entries; entry->name; entry++)
		if (value == FIRST_VALUE + (int)(entry - entries) || (entry->letter && value == entry->letter))
			return entry;
	return NULL;
}

/*
 * getopt_long() answers ':' for a missing value and '?' for the rest, and
 * leaves in optopt a letter, the number of a long option, or 0 when there is
 * no such long option or the abbreviation fits several.
 */
static int refused_option(const struct option_entry *entries, int answer, const char *argument, struct err *err)
{
	const struct option_entry *entry = entry_of(entries, optopt);
	char text[256];

	if (entry && answer == ':')
		return err_set(err, -EINVAL, "option --%s requires a value", entry->name);
	if (optopt >= FIRST_VALUE || optopt == 'h')
		return err_set(err, -EINVAL, "option --%s takes no value", entry ? entry->name : "help");
	if (optopt)
		return err_set(err, -EINVAL, "unknown option '-%c'", isprint(optopt) ? optopt : '?');
	return err_set(err, -EINVAL, "unknown option '%s'", printable(argument, text, sizeof(text)));
}

static int parse_arguments(struct options *options, const struct option_entry *entries, int argc, struct err *err)
{
	struct getopt_tables tables;
	int answer, rc;

	fill_tables(&tables, entries);
	opterr = 0;
	optind = 0; /* glibc: start anew */
	while ((answer = getopt_long(argc, options->arguments, tables.shorts, tables.longs, NULL)) != -1) {
		const struct option_entry *entry = entry_of(entries, answer);

		if (answer == 'h')
			return PARSED_HELP;
		if (answer == FIRST_VALUE + ENTRIES_MAX)
			return PARSED_LIST_OPTS;
		if (!entry)
			return refused_option(entries, answer, options->arguments[optind - 1], err);
		rc = entry->set(options, optarg, err);
		if (rc < 0)
			return rc;
	}
	return PARSED;
}

static int check_names(const struct options *options, const struct option_table *table, struct err *err)
{
	const struct request *request = &options->request;

	if (table->names != NAMES_SOME && request->name_count > 1)
		return err_set(err, -EINVAL, "one %s at a time", table->object);
	if (table->names == NAMES_ONE_OR_NONE)
		return PARSED;
	if (!request->name_count && table->names == NAMES_ONE)
		return err_set(err, -EINVAL, "specify a %s", table->object);
	if (!request->name_count)
		return err_set(err, -EINVAL, "specify a %s, or \"all\"", table->object);
	for (size_t i = 0; i < request->name_count; i++)
		if (strcmp(request->names[i], "all") == 0 && request->name_count > 1)
			return err_set(err, -EINVAL, "\"all\" and names exclude each other");
	return PARSED;
}

static const char *const all_of_them[] = { "all" };

int options_parse(struct options *options, const struct option_table *table, int argc, const char **argv,
		  struct err *err)
{
	int rc;

	*options = (struct options){
		.request = { .command = table->command,
			     .tool = table->tool,
			     .grace_ms = 10000,
			     .timeout_ms = 60000 },
	};
	options->request.allow = options->allowed;
	options->arguments = calloc((size_t)argc + 1, sizeof(char *));
	if (!options->arguments)
		return err_set(err, -ENOMEM, "out of memory");
	/* getopt sorts the array, never what it points to */
	memcpy(options->arguments, argv, (size_t)argc * sizeof(char *));
	rc = parse_arguments(options, table->entries, argc, err);
	if (rc != PARSED)
		return rc;
	options->request.names = (const char *const *)(options->arguments + optind);
	options->request.name_count = (size_t)(argc - optind);
	if (options->request.node && !options->request.name_count) {
		options->request.names = all_of_them;
		options->request.name_count = 1;
	}
	return check_names(options, table, err);
}

void options_free(struct options *options)
{
	free(options->arguments);
	options->arguments = NULL;
}

static const char *opening(const struct option_entry *entry)
{
	if (!entry->argument)
		return "";
	return entry->optional ? "[=<" : " <";
}

static const char *closing(const struct option_entry *entry)
{
	if (!entry->argument)
		return "";
	return entry->optional ? ">]" : ">";
}

static void print_entry(const struct option_entry *entry, FILE *out)
{
	char text[80];
	char letter[] = { '-', entry->letter, ',', '\0' };

	snprintf(text, sizeof(text), "%-3s --%s%s%s%s", entry->letter ? letter : "", entry->name, opening(entry),
		 entry->argument ? entry->argument : "", closing(entry));
	fprintf(out, "    %-28s %s\n", text, entry->help);
}

void options_usage(const struct option_table *table, FILE *out)
{
	bool optional = table->names == NAMES_ONE_OR_NONE;

	fprintf(out, "\n usage: %s %s %s%s%s [<options>]\n\n", table->tool, table->command, optional ? "[<" : "<",
		table->object, optional ? ">]" : ">");
	for (const struct option_entry *entry = table->entries; entry->name; entry++)
		print_entry(entry, out);
	fputc('\n', out);
}

void options_list(const struct option_table *table, FILE *out)
{
	for (const struct option_entry *entry = table->entries; entry->name; entry++)
		fprintf(out, "--%s ", entry->name);
	fputc('\n', out);
}

int options_begin(struct options *options, const struct option_table *table, int argc, const char **argv)
{
	struct err err = { 0 };

	switch (options_parse(options, table, argc, argv, &err)) {
	case PARSED:
		return -1;
	case PARSED_HELP:
		options_usage(table, stdout);
		return fflush(stdout) ? EXIT_FAILURE : 0;
	case PARSED_LIST_OPTS:
		options_list(table, stdout);
		return fflush(stdout) ? EXIT_FAILURE : 0;
	case -ENOMEM:
		fprintf(stderr, "error: %s\n", err.message);
		return EXIT_FAILURE;
	default:
		fprintf(stderr, "error: %s\n", err.message);
		options_usage(table, stderr);
		return EXIT_USAGE;
	}
}
