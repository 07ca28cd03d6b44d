// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/tool.h"
#include "cxl/builtin.h"
#include "util/array.h"

static const struct command commands[] = {
	{ "retire-region", "end every use of a region, then tear it down", cxl_retire_region,
	  &cxl_retire_region_options },
	{ "retire-memdev", "end every use of a memory device, so that the card can be pulled", cxl_retire_memdev,
	  &cxl_retire_memdev_options },
	{ "list-holders", "show who uses a region or memory device", cxl_list_holders, &cxl_list_holders_options },
	{ "recover", "make whole what a retirement that was cut has left", cxl_recover, &cxl_recover_options },
	{ "restore", "bring back what a retirement took away", cxl_restore, &cxl_restore_options },
	{ "list-retirements", "show retirements: running, interrupted, done", cxl_list_retirements,
	  &cxl_list_retirements_options },
};

const struct tool cxl_tool = { "cxl", "cxl (Debian) or cxl-cli", commands, COUNT_OF(commands) };
