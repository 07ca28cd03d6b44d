// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/listing.h"

#include <string.h>

#include "cli/handoff.h"
#include "util/cleanup.h"

const struct tool *const tools[TOOLS] = { &ndctl_tool, &daxctl_tool, &cxl_tool };

const struct tool *tool_named(const char *name)
{
	for (size_t i = 0; i < TOOLS; i++)
		if (strcmp(tools[i]->name, name) == 0)
			return tools[i];
	return NULL;
}

const struct command *tool_command(const struct tool *tool, const char *name)
{
	for (size_t i = 0; i < tool->count; i++)
		if (strcmp(tool->commands[i].name, name) == 0)
			return &tool->commands[i];
	return NULL;
}

void list_commands(const struct tool *tool)
{
	_cleanup_free_ char *theirs = next_program_says(tool->name, "--list-cmds");
	char *cursor = theirs;

	for (size_t i = 0; i < tool->count; i++)
		puts(tool->commands[i].name);
	for (char *line; (line = strsep(&cursor, "\n"));)
		if (*line && !tool_command(tool, line))
			puts(line);
}

static void print_summaries(const struct tool *tool)
{
	for (size_t i = 0; i < tool->count; i++)
		printf("    %-20s %s\n", tool->commands[i].name, tool->commands[i].summary);
}

void print_tool_help(const struct tool *tool)
{
	_cleanup_free_ char *theirs = next_program_says(tool->name, "--help");

	if (theirs && *theirs)
		fputs(theirs, stdout);
	else
		printf("\n usage: %s [--version] [--help] COMMAND [ARGS]\n\n", tool->name);
	if (!tool->count)
		return;
	puts(" Commands of dax-retire:");
	print_summaries(tool);
	printf("\n See '%s COMMAND --help' for their options.\n\n", tool->name);
}

void print_own_help(void)
{
	puts("\n usage: dax-retire [--version] [--help] TOOL COMMAND [ARGS]\n");
	for (size_t i = 0; i < TOOLS; i++) {
		printf(" %s\n", tools[i]->name);
		print_summaries(tools[i]);
	}
	puts("\n What is not listed here is handed on to the next program of that name on PATH.\n"
	     " See 'dax-retire TOOL COMMAND --help' for options.\n");
}
