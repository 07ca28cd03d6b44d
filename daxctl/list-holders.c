// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/output.h"
#include "daxctl/builtin.h"
#include "retire/targets/targets.h"

const struct option_table daxctl_list_holders_options = { "daxctl", "list-holders", "device",
							  dax_list_holders_entries };

int daxctl_list_holders(int argc, const char **argv, void *ctx)
{
	return run_list_holders(&daxctl_list_holders_options, targets_find_dax, argc, argv, ctx);
}
