/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of blocks of memory. For effects-system.c. */
#ifndef RETIRE_EFFECTS_MEMORY_H
#define RETIRE_EFFECTS_MEMORY_H

#include "retire/effects.h"

struct root;

/* effects->offline_block() and online_block() */
int memory_offline_block(struct effects *effects, uint64_t number, const struct effects_watch *watch,
			 struct deadline deadline, struct err *err);
int memory_online_block(struct effects *effects, uint64_t number, enum memory_zone zone, struct deadline deadline,
			struct err *err);

/* effects->unplug() and plug() */
int memory_unplug(struct effects *effects, const struct device *device, struct deadline deadline, struct err *err);
int memory_plug(struct effects *effects, const struct device *device, enum memory_zone zone,
		struct deadline deadline, struct err *err);

/*
 * Changes the attribute `state` of a dax device: "unplugged", "online_movable",
 * "online_kernel". 1: it reads so already, there is none, or (back online) it
 * is not unplugged; else 0 or a negative errno.
 */
int memory_change_state(const struct root *root, const char *dax, const char *state);

#endif
