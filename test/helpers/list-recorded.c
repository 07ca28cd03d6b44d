// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * usage: in-tree TREE list-recorded [--dax] [--tree | --dot]
 *
 * list-holders --human of all devices, with --dax as daxctl has them, over the recorded /proc as well: the
 * processes and mounts are those of the tree, and it says the same on every
 * machine. That in-tree leads /sys there is for libndctl.
 */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retire/report.h"
#include "retire/retire.h"
#include "retire/targets/targets.h"
#include "util/root.h"
#include "util/terminal.h"

static int draw(const struct result *result, const char *how)
{
	const struct report_options options = { .human = true };
	const struct report_page page = { output_columns(fileno(stdout)), output_has_colour(fileno(stdout)) };

	if (strcmp(how, "--tree") == 0)
		return report_tree(result, &options, &page, stdout);
	if (strcmp(how, "--dot") == 0)
		return report_dot(result, &options, stdout);
	return report_json(result, &options, stdout);
}

int main(int argc, char **argv)
{
	static const char *const all[] = { "all" };
	const struct request request = { .command = "list-holders", .names = all, .name_count = 1 };
	const char *tree = getenv("DAX_RETIRE_TREE");
	bool dax = argc > 1 && strcmp(argv[1], "--dax") == 0;
	const char *how = argc > 1 + dax ? argv[1 + dax] : "";
	struct result result = { .frozen_ms = -1 };
	struct root root;
	int rc;

	setlocale(LC_CTYPE, "");
	if (!tree || root_open(&root, tree) < 0) {
		fputs("usage: in-tree TREE list-recorded [--dax] [--tree | --dot]\n", stderr);
		return 2;
	}
	retire_list_holders(&root, &request, dax ? targets_find_dax : targets_find_nd, &result);
	report_people(&result, &(struct report_options){ .verbose = true }, stderr);
	rc = result.outcome == OUTCOME_LISTED ? draw(&result, how) : -EIO;
	result_free(&result);
	root_close(&root);
	return rc < 0;
}
