/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a mounted file system tells about itself. Private to this room. */
#ifndef RETIRE_HOLDERS_FILESYSTEM_STATE_H
#define RETIRE_HOLDERS_FILESYSTEM_STATE_H

#include "retire/model.h"

struct root;

/*
 * Fills features, shut_down and read_only of file system `id` from its mounts
 * in the look, by way of a child with a deadline: its root may never answer.
 * `recorded`: nothing is opened.
 */
void filesystem_read_state(struct look *look, int id, bool recorded);

/*
 * The same for one whose device has gone, which is left alone: shut_down, and
 * what decides how it can end (kernel_dead_filesystem()), from its mounts and
 * from the kernel's log.
 */
void filesystem_read_dead(const struct root *root, struct look *look, int id);

#endif
