// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/tool.h"
#include "ndctl/builtin.h"
#include "util/array.h"

static const struct command commands[] = {
	{ "retire-namespace", "end every use of a namespace, then disable it", cmd_retire_namespace,
	  &retire_namespace_options },
	{ "retire-region", "end every use of a region's namespaces, then disable it", cmd_retire_region,
	  &retire_region_options },
	{ "list-holders", "show who uses a namespace or region", cmd_list_holders, &ndctl_list_holders_options },
};

const struct tool ndctl_tool = { "ndctl", "ndctl", commands, COUNT_OF(commands) };
