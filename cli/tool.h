/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command tables. A tool of the family is a name and a table; its commands
 * live in a folder of the same name, one file each, in the family's own form.
 */
#ifndef CLI_TOOL_H
#define CLI_TOOL_H

#include <stddef.h>

#include "cli/options.h"

struct command {
	const char *name, *summary;
	/* Returns the exit code. argv[0] is the name of the command; `ctx` is the machine, a const struct root *.
	 */
	int (*run)(int argc, const char **argv, void *ctx);
	const struct option_table *options;
};

struct tool {
	const char *name;    /* "ndctl" */
	const char *package; /* who else has a program of that name, for people */
	const struct command *commands;
	size_t count;
};

extern const struct tool ndctl_tool, daxctl_tool, cxl_tool;

#endif
