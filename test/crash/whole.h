/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is the machine whole: as it was before, or retired? And which it should be. */
#ifndef TEST_CRASH_WHOLE_H
#define TEST_CRASH_WHOLE_H

#include "retire/result.h"
#include "test/crash/model-machine.h"

enum whole { BROKEN, AS_BEFORE, RETIRED, WHOLES };

/*
 * Compares it with model->before. What is missing has to be among the losses of
 * `result`, and nothing but processes, what was mounted inside and what a
 * namespace took with it may be lost. NULL: that was told before. `why` says
 * what is broken.
 */
enum whole whole_of(struct model *model, const struct result *result, char *why, size_t size);

#endif
