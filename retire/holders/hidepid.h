/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to this room. */
#ifndef RETIRE_HOLDERS_HIDEPID_H
#define RETIRE_HOLDERS_HIDEPID_H

#include "util/root.h"

/* True when /proc does not even show every process to this program. */
bool proc_hides_processes(const struct root *root);

#endif
