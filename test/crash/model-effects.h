/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How an effect of the model begins and ends: for the files that have some. */
#ifndef TEST_CRASH_MODEL_EFFECTS_H
#define TEST_CRASH_MODEL_EFFECTS_H

#include "retire/effects.h"

struct model;
struct model *model_of(struct effects *effects);

/* A point. 0: do it; 1: do it, and fail all the same; negative: fail, and leave a child that hangs where it has
 * one. */
int model_begin(struct effects *effects, const char *what, const char *about, bool in_child, struct err *err);

/* A call that was begun so ends with `rc`, or as it was made to. */
int model_finish(int begun, int rc, struct err *err);

#endif
