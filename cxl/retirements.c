// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/output.h"
#include "cli/retiring.h"
#include "cxl/builtin.h"

const struct option_table cxl_recover_options = { "cxl", "recover", "retirement", recover_entries,
						  NAMES_ONE_OR_NONE };
const struct option_table cxl_restore_options = { "cxl", "restore", "device or retirement", restore_entries,
						  NAMES_ONE };
const struct option_table cxl_list_retirements_options = { "cxl", "list-retirements", "retirement",
							   list_retirements_entries, NAMES_ONE_OR_NONE };

int cxl_recover(int argc, const char **argv, void *ctx)
{
	return run_recover(&cxl_recover_options, argc, argv, ctx);
}

int cxl_restore(int argc, const char **argv, void *ctx)
{
	return run_restore(&cxl_restore_options, argc, argv, ctx);
}

int cxl_list_retirements(int argc, const char **argv, void *ctx)
{
	return run_list_retirements(&cxl_list_retirements_options, argc, argv, ctx);
}
