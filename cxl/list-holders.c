// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/output.h"
#include "cxl/builtin.h"
#include "retire/targets/targets.h"

const struct option_table cxl_list_holders_options = { "cxl", "list-holders", "region|memdev",
						       cxl_list_holders_entries };

int cxl_list_holders(int argc, const char **argv, void *ctx)
{
	return run_list_holders(&cxl_list_holders_options, targets_find_cxl, argc, argv, ctx);
}
