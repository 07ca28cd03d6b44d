/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One lock for all retirements: flock(2) on /run/dax-retire/lock. The guardian
 * and step children inherit the descriptor, so a child that hangs in the
 * kernel keeps the lock and nothing races with it. The file says who has it.
 */
#ifndef RETIRE_LOCK_H
#define RETIRE_LOCK_H

#include <stdbool.h>

#include "util/clock.h"
#include "util/err.h"

struct root;

/*
 * Takes it and writes `id` and our pid into the file. A descriptor to close;
 * -EWOULDBLOCK when another retirement has it (the message names its id and
 * pid) and `wait` is false or `deadline` has passed; -EINTR when `interrupt`
 * became readable; other negative errno.
 */
int lock_take(const struct root *root, const char *id, bool wait, struct deadline deadline, int interrupt,
	      struct err *err);

/* Has it the retirement `id`: its process, its guardian, or a child of its that hangs? */
bool lock_is_held_by(const struct root *root, const char *id);

#endif
