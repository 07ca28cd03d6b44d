/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results for scripts and for people. JSON goes to stdout and nothing else
 * does; stderr is for people.
 */
#ifndef RETIRE_REPORT_H
#define RETIRE_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "retire/result.h"

struct report_options {
	bool human;   /* -u: sizes as "1.00 GiB (1.07 GB)", other numbers as hex strings, as ndctl does */
	bool verbose; /* -v: also what was found in order, kernel facts; leaves out nothing */
	bool quiet;   /* -q: only errors and refusals */
	bool tree;    /* list-holders --tree: drawn for people, on stdout, instead of JSON */
	bool dot;     /* list-holders --dot: for Graphviz, on stdout */
	bool events;  /* --events: each event, and the result, is one line of JSON on stdout */
};

/*
 * The result object, pretty-printed or with --events on one line, one newline
 * at its end. 0 or a negative errno (stdout cannot be written).
 */
int report_json(const struct result *result, const struct report_options *options, FILE *out);

/* The same of several, as one array. */
int report_json_each(const struct result *results, size_t count, const struct report_options *options, FILE *out);

/* Refusals, errors, losses, what is stuck: one line each with what would lift it. */
void report_people(const struct result *result, const struct report_options *options, FILE *err);

/* What `out` can show. */
struct report_page {
	size_t columns; /* 0: not bounded, nothing is shortened */
	bool colour;
};

/* --tree, --dot: in the character set of the locale. 0 or a negative errno. */
int report_tree(const struct result *result, const struct report_options *options, const struct report_page *page,
		FILE *out);
int report_dot(const struct result *result, const struct report_options *options, FILE *out);

#endif
