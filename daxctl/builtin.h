/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAXCTL_BUILTIN_H
#define DAXCTL_BUILTIN_H

#include "cli/options.h"

int cmd_retire_device(int argc, const char **argv, void *ctx);
int daxctl_list_holders(int argc, const char **argv, void *ctx);

extern const struct option_table retire_device_options, daxctl_list_holders_options;

/* What a journal tells of: daxctl/retirements.c */
int daxctl_recover(int argc, const char **argv, void *ctx);
int daxctl_restore(int argc, const char **argv, void *ctx);
int daxctl_list_retirements(int argc, const char **argv, void *ctx);

extern const struct option_table daxctl_recover_options, daxctl_restore_options, daxctl_list_retirements_options;

#endif
