/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to the kernel that may never be answered. Private to this room. */
#ifndef RETIRE_HOLDERS_ASKED_H
#define RETIRE_HOLDERS_ASKED_H

#include <stddef.h>

#include "util/child.h"

/*
 * Runs work(argument), which answers by asked_answer(), in a child that is
 * given up when it sleeps for a second. *answer is what it told; the caller
 * frees; NULL when that was nothing. 0 or a negative errno.
 */
int asked_in_child(child_work *work, void *argument, void **answer, size_t *size);

/* In the child. 0 or a negative errno. */
int asked_answer(int *fd, const void *data, size_t size);

/* DAX_RETIRE_BPF=never: for the tests, which compare both ways. */
bool asked_never(void);

#endif
