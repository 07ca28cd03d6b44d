/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands against a retirement, on stderr. Private to the reports. */
#ifndef RETIRE_REPORT_VETOES_H
#define RETIRE_REPORT_VETOES_H

#include <stdbool.h>
#include <stdio.h>

#include "retire/result.h"

/* Those that stand, and those that are `lifted` when asked for; many are summed, but not when `each` is to be
 * told.
 */
void print_vetoes(const struct result *result, bool lifted, bool each, FILE *err);

#endif
