/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NDCTL_BUILTIN_H
#define NDCTL_BUILTIN_H

#include "cli/options.h"

int cmd_retire_namespace(int argc, const char **argv, void *ctx);
int cmd_retire_region(int argc, const char **argv, void *ctx);
int cmd_list_holders(int argc, const char **argv, void *ctx);

extern const struct option_table retire_namespace_options, retire_region_options, ndctl_list_holders_options;

/* What a journal tells of: ndctl/retirements.c */
int ndctl_recover(int argc, const char **argv, void *ctx);
int ndctl_restore(int argc, const char **argv, void *ctx);
int ndctl_list_retirements(int argc, const char **argv, void *ctx);

extern const struct option_table ndctl_recover_options, ndctl_restore_options, ndctl_list_retirements_options;

#endif
