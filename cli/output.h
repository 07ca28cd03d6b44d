/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a result to stdout, stderr and the exit code; the same for every command.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/options.h"
#include "retire/recover.h"
#include "retire/retire.h"

/*
 * Prints and returns the exit code. 1 when stdout cannot be written although
 * all is well and nothing was changed. Ends `progress`, which may be NULL.
 */
int output_result(const struct result *result, const struct options *options, struct progress *progress);

/* The exit code to end with when writing to stdout returned `rc`; a negative errno is told on stderr. */
int output_code(int code, int rc, bool changed);

/* A whole command: options, listing, output. */
int run_list_retirements(const struct option_table *table, int argc, const char **argv, void *ctx);
int run_list_holders(const struct option_table *table, find_devices *find, int argc, const char **argv, void *ctx);

#endif
