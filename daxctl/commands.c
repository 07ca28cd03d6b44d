// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/tool.h"
#include "daxctl/builtin.h"
#include "util/array.h"

static const struct command commands[] = {
	{ "retire-device", "end every use of a dax device, then take it from its driver", cmd_retire_device,
	  &retire_device_options },
	{ "list-holders", "show who uses a dax device", daxctl_list_holders, &daxctl_list_holders_options },
	{ "recover", "make whole what a retirement that was cut has left", daxctl_recover,
	  &daxctl_recover_options },
	{ "restore", "bring back what a retirement took away", daxctl_restore, &daxctl_restore_options },
	{ "list-retirements", "show retirements: running, interrupted, done", daxctl_list_retirements,
	  &daxctl_list_retirements_options },
};

const struct tool daxctl_tool = { "daxctl", "daxctl", commands, COUNT_OF(commands) };
