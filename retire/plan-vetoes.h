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

/* Adds one; whether it stands follows from the request. Its strings are set here. 0 or -ENOMEM. */
int plan_add_veto(struct planning *planning, struct veto veto, const char *subject, const char *message);

/* Of memory of this system: plan-memory.c. */
int plan_veto_memory(struct planning *planning, const struct holder *holder);
int plan_veto_unseen_memory(struct planning *planning, int device);
int plan_veto_no_unbind(struct planning *planning, int device);

/* Of CXL devices: plan-cxl.c. */
int plan_veto_cxl_region(struct planning *planning, int device);
int plan_veto_cxl_memdev(struct planning *planning, int device);

/* Are its blocks known, and all of them offline? */
bool plan_memory_is_offline(const struct look *look, int device);

/* Adds all vetoes to the plan, standing or lifted. 0 or -ENOMEM. */
int plan_vetoes(struct planning *planning);

/* True when `holder` is a mount or process whose file system the kernel itself will tell of the unbind. */
bool plan_leaves_mounted(const struct planning *planning, const struct holder *holder);

#endif
