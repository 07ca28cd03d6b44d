/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CXL_BUILTIN_H
#define CXL_BUILTIN_H

#include "cli/options.h"

int cxl_retire_region(int argc, const char **argv, void *ctx);
int cxl_retire_memdev(int argc, const char **argv, void *ctx);
int cxl_list_holders(int argc, const char **argv, void *ctx);

extern const struct option_table cxl_retire_region_options, cxl_retire_memdev_options, cxl_list_holders_options;

/* What a journal tells of: cxl/retirements.c */
int cxl_recover(int argc, const char **argv, void *ctx);
int cxl_restore(int argc, const char **argv, void *ctx);
int cxl_list_retirements(int argc, const char **argv, void *ctx);

extern const struct option_table cxl_recover_options, cxl_restore_options, cxl_list_retirements_options;

#endif
