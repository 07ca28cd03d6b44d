/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a tool can do, ours and the next program's: for people and for completion. All on stdout. */
#ifndef CLI_LISTING_H
#define CLI_LISTING_H

#include "cli/tool.h"

extern const struct tool *const tools[];
#define TOOLS 3

const struct tool *tool_named(const char *name);
const struct command *tool_command(const struct tool *tool, const char *name);

void list_commands(const struct tool *tool);
void print_tool_help(const struct tool *tool);
void print_own_help(void);

#endif
