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
	{ "recover", "make whole what a retirement that was cut has left", ndctl_recover, &ndctl_recover_options },
	{ "restore", "bring back what a retirement took away", ndctl_restore, &ndctl_restore_options },
	{ "list-retirements", "show retirements: running, interrupted, done", ndctl_list_retirements,
	  &ndctl_list_retirements_options },
};

const struct tool ndctl_tool = { "ndctl", "ndctl", commands, COUNT_OF(commands) };
