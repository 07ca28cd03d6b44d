// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/retiring.h"
#include "ndctl/builtin.h"
#include "retire/targets/targets.h"

const struct option_table retire_region_options = { "ndctl", "retire-region", "region", retire_entries };

int cmd_retire_region(int argc, const char **argv, void *ctx)
{
	return run_retire(&retire_region_options, targets_find_pmem_region, argc, argv, ctx);
}
