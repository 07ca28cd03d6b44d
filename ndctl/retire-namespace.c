// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/retiring.h"
#include "ndctl/builtin.h"
#include "retire/targets/targets.h"

const struct option_table retire_namespace_options = { "ndctl", "retire-namespace", "namespace", retire_entries };

int cmd_retire_namespace(int argc, const char **argv, void *ctx)
{
	return run_retire(&retire_namespace_options, targets_find_pmem, argc, argv, ctx);
}
