/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel serves to others, ended and begun again. These run in a child
 * of effects-system.c (struct child_work): exportfs asks name servers, and a
 * target waits for what is in flight. All return 0, 1 ("so already") or a
 * negative errno.
 */
#ifndef RETIRE_EFFECTS_SERVE_H
#define RETIRE_EFFECTS_SERVE_H

#include "retire/model.h"

struct serve_work {
	const struct holder *served;
	dev_t on; /* of an export that is ended: st_dev of its files */
};

int serve_end(void *work, int *fd);
int serve_begin(void *work, int *fd);

#endif
