// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/output.h"
#include "cli/retiring.h"
#include "daxctl/builtin.h"

const struct option_table daxctl_recover_options = { "daxctl", "recover", "retirement", recover_entries,
						     NAMES_ONE_OR_NONE };
const struct option_table daxctl_restore_options = { "daxctl", "restore", "device or retirement", restore_entries,
						     NAMES_ONE };
const struct option_table daxctl_list_retirements_options = { "daxctl", "list-retirements", "retirement",
							      list_retirements_entries, NAMES_ONE_OR_NONE };

int daxctl_recover(int argc, const char **argv, void *ctx)
{
	return run_recover(&daxctl_recover_options, argc, argv, ctx);
}

int daxctl_restore(int argc, const char **argv, void *ctx)
{
	return run_restore(&daxctl_restore_options, argc, argv, ctx);
}

int daxctl_list_retirements(int argc, const char **argv, void *ctx)
{
	return run_list_retirements(&daxctl_list_retirements_options, argc, argv, ctx);
}
