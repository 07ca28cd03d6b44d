/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block devices that the kernel makes of others, taken down and put up again:
 * the effects take_down and put_up, and how each kind does it in a child.
 */
#ifndef RETIRE_EFFECTS_STACK_H
#define RETIRE_EFFECTS_STACK_H

#include "retire/effects.h"

int stack_take_down(struct effects *effects, const struct holder *stack, struct deadline deadline,
		    struct err *err);
int stack_put_up(struct effects *effects, const struct holder *stack, int *fd, struct deadline deadline,
		 struct err *err);

/* What a child does (child_work); the argument is the holder. */
int loop_detach(void *stack, int *fd);
int loop_attach(void *stack, int *fd);
int md_stop(void *stack, int *fd);
int md_assemble(void *stack, int *fd);
int dm_remove(void *stack, int *fd); /* both only with libdevmapper */
int dm_create(void *stack, int *fd);

#endif
