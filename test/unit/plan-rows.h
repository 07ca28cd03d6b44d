/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of machines, requests and the plan told in one line. Every row is a
 * test of its own name; a second one asks it in every way there is, and every
 * plan has to keep the rules of plan-build.c.
 */
#ifndef TEST_UNIT_PLAN_ROWS_H
#define TEST_UNIT_PLAN_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/plan-build.h"

#define ALLOW_MAX 3
#define USE_FILES (USE_MAP | USE_OPEN)

#define IDLE_STEPS "freeze /mnt, flush /mnt, thaw /mnt, unmount /mnt, claim pmem0, unbind pfn0.0"

enum plan_kernel { LINUX_6_12, LINUX_6_1, LINUX_7_2 };

extern const struct kernel plan_kernels[];

struct plan_row {
	const char *name;
	void (*build)(struct look *look);
	enum evict_level evict;
	const char *allow[ALLOW_MAX];
	enum plan_stage stage;
	enum plan_kernel kernel;
	const char *steps;  /* NULL: of no interest, because it is refused */
	const char *stands; /* vetoes; NULL: none */
	const char *lifted; /* vetoes; NULL: of no interest */
	const char *says;   /* in a message of those that stand */
	bool no_unbind;
};

/* Runs the rows as tests; how many failed. */
int run_plan_rows(const char *group, const struct plan_row *rows, size_t count);

/* Machines of more than one table. The first returns the mount. */
int xfs_on(struct look *look, int on, const char *point);
void idle(struct look *look);
void busy(struct look *look);
void raw_opener(struct look *look);
void user_of_ext4_inside(struct look *look);
void second_inside_first(struct look *look);
void on_stack(struct look *look, enum holder_type type, const char *name);
void on_dm(struct look *look);

#endif
