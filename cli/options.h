/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options of a command: tables of entries, and one parser for all.
 *
 * A usage error is exit 129, as in the rest of the family: one line that says
 * what is wrong, then the usage, both on stderr. `--help` prints the usage on
 * stdout; `--list-opts` the long options in one line, for completion.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "retire/report.h"
#include "retire/request.h"

#define EXIT_USAGE 129
#define RISK_CODES 12

struct options {
	struct request request;
	struct report_options report;
	bool each;			 /* one retirement of each name */
	bool exit_code;			 /* list-holders: exit 2 when in use */
	const char *allowed[RISK_CODES]; /* what request.allow points to */
	char **arguments;		 /* what request.names points into */
};

struct option_entry {
	const char *name;     /* without the dashes; NULL ends a table */
	char letter;	      /* 0: none */
	const char *argument; /* what the value is called in the usage; NULL: takes none */
	bool optional;	      /* the value may be left out */
	const char *help;
	/* 0, or a negative errno with the message; `value` NULL when there is none. */
	int (*set)(struct options *options, const char *value, struct err *err);
};

struct option_table {
	const char *tool, *command; /* "ndctl", "retire-namespace" */
	const char *object;	    /* what it is done to: "namespace" */
	const struct option_entry *entries;
	enum name_count { NAMES_SOME, NAMES_ONE, NAMES_ONE_OR_NONE } names; /* how many it takes */
};

/* For every command that retires, and for list-holders. */
extern const struct option_entry retire_entries[], dax_retire_entries[], dax_list_holders_entries[];
extern const struct option_entry list_holders_entries[];
extern const struct option_entry cxl_region_entries[], cxl_memdev_entries[], cxl_list_holders_entries[];
extern const struct option_entry recover_entries[], restore_entries[], list_retirements_entries[];

/* The codes of --allow, RISK_CODES of them. */
extern const char *const risk_codes[];

enum parsed { PARSED, PARSED_HELP, PARSED_LIST_OPTS };

/*
 * argv[0] is the name of the command. An enum parsed, or -EINVAL with the
 * message of a usage error, or -ENOMEM. options_free() in every case.
 */
int options_parse(struct options *options, const struct option_table *table, int argc, const char **argv,
		  struct err *err);

/* As above, and prints what there is to print. -1: go on; else the exit code to end with. */
int options_begin(struct options *options, const struct option_table *table, int argc, const char **argv);

void options_free(struct options *options);

void options_usage(const struct option_table *table, FILE *out);
void options_list(const struct option_table *table, FILE *out);

/* "10", "0.5": decimal, up to a week, rounded up to a millisecond. 0, -EINVAL or -ERANGE. */
int parse_seconds(const char *text, unsigned *ms);

#endif
