/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands against a plan. Pure, a part of plan.h: only plan.c calls it.
 */
#ifndef RETIRE_PLAN_VETOES_H
#define RETIRE_PLAN_VETOES_H

#include "retire/plan.h"

/* Everything that a plan is made from, and the plan. */
struct planning {
	const struct look *look;
	const struct request *request;
	const struct kernel *kernel;
	enum plan_stage stage;
	struct plan *plan;
};

/* Adds all vetoes to the plan, standing or lifted. 0 or -ENOMEM. */
int plan_vetoes(struct planning *planning);

/* True when `holder` is a mount or process whose file system the kernel itself will tell of the unbind. */
bool plan_leaves_mounted(const struct planning *planning, const struct holder *holder);

#endif
