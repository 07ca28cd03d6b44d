// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/retiring.h"
#include "cxl/builtin.h"
#include "retire/targets/targets.h"

const struct option_table cxl_retire_memdev_options = { "cxl", "retire-memdev", "memdev", cxl_memdev_entries };

int cxl_retire_memdev(int argc, const char **argv, void *ctx)
{
	return run_retire(&cxl_retire_memdev_options, targets_find_cxl_memdev, argc, argv, ctx);
}
