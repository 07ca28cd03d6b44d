// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/output.h"
#include "ndctl/builtin.h"
#include "retire/targets/targets.h"

const struct option_table ndctl_list_holders_options = { "ndctl", "list-holders", "namespace|region",
							 list_holders_entries };

int cmd_list_holders(int argc, const char **argv, void *ctx)
{
	return run_list_holders(&ndctl_list_holders_options, targets_find_nd, argc, argv, ctx);
}
