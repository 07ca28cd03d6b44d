// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/retiring.h"
#include "daxctl/builtin.h"
#include "retire/targets/targets.h"

const struct option_table retire_device_options = { "daxctl", "retire-device", "device", dax_retire_entries };

int cmd_retire_device(int argc, const char **argv, void *ctx)
{
	return run_retire(&retire_device_options, targets_find_dax, argc, argv, ctx);
}
