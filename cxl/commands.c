// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/tool.h"
#include "cxl/builtin.h"
#include "util/array.h"

static const struct command commands[] = {
	{ "recover", "make whole what a retirement that was cut has left", cxl_recover, &cxl_recover_options },
	{ "restore", "bring back what a retirement took away", cxl_restore, &cxl_restore_options },
	{ "list-retirements", "show retirements: running, interrupted, done", cxl_list_retirements,
	  &cxl_list_retirements_options },
};

const struct tool cxl_tool = { "cxl", "cxl (Debian) or cxl-cli", commands, COUNT_OF(commands) };
