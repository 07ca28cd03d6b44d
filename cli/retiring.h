/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole command that retires: options, retirement, output. With --each one
 * retirement after the other; the exit code is then the highest of all.
 */
#ifndef CLI_RETIRING_H
#define CLI_RETIRING_H

#include "cli/options.h"
#include "retire/retire.h"

int run_retire(const struct option_table *table, find_devices *find, int argc, const char **argv, void *ctx);

#endif
