/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CXL_BUILTIN_H
#define CXL_BUILTIN_H

#include "cli/options.h"

/* What a journal tells of: cxl/retirements.c */
int cxl_recover(int argc, const char **argv, void *ctx);
int cxl_restore(int argc, const char **argv, void *ctx);
int cxl_list_retirements(int argc, const char **argv, void *ctx);

extern const struct option_table cxl_recover_options, cxl_restore_options, cxl_list_retirements_options;

#endif
