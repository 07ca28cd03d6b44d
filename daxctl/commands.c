// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/tool.h"

/* No commands of its own yet: everything is handed on. */
const struct tool daxctl_tool = { "daxctl", "daxctl", NULL, 0 };
