// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/retiring.h"
#include "cxl/builtin.h"
#include "retire/targets/targets.h"

const struct option_table cxl_retire_region_options = { "cxl", "retire-region", "region", cxl_region_entries };

int cxl_retire_region(int argc, const char **argv, void *ctx)
{
	return run_retire(&cxl_retire_region_options, targets_find_cxl_region, argc, argv, ctx);
}
