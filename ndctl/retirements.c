// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/output.h"
#include "cli/retiring.h"
#include "ndctl/builtin.h"

const struct option_table ndctl_recover_options = { "ndctl", "recover", "retirement", recover_entries,
						    NAMES_ONE_OR_NONE };
const struct option_table ndctl_restore_options = { "ndctl", "restore", "device or retirement", restore_entries,
						    NAMES_ONE };
const struct option_table ndctl_list_retirements_options = { "ndctl", "list-retirements", "retirement",
							     list_retirements_entries, NAMES_ONE_OR_NONE };

int ndctl_recover(int argc, const char **argv, void *ctx)
{
	return run_recover(&ndctl_recover_options, argc, argv, ctx);
}

int ndctl_restore(int argc, const char **argv, void *ctx)
{
	return run_restore(&ndctl_restore_options, argc, argv, ctx);
}

int ndctl_list_retirements(int argc, const char **argv, void *ctx)
{
	return run_list_retirements(&ndctl_list_retirements_options, argc, argv, ctx);
}
