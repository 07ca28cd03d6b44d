/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole command that retires: options, retirement, output. With --each one
 * retirement after the other; the exit code is then the highest of all.
 */
#ifndef CLI_RETIRING_H
#define CLI_RETIRING_H

#include "cli/options.h"
#include "retire/recover.h"
#include "retire/retire.h"

/* What works from a journal. */
int run_recover(const struct option_table *table, int argc, const char **argv, void *ctx);
int run_restore(const struct option_table *table, int argc, const char **argv, void *ctx);

int run_retire(const struct option_table *table, find_devices *find, int argc, const char **argv, void *ctx);

#endif
