/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The effects on the running machine: struct effects (effects.h) by system
 * calls.
 */
#ifndef RETIRE_EFFECTS_SYSTEM_H
#define RETIRE_EFFECTS_SYSTEM_H

#include "retire/effects.h"
#include "retire/guardian.h"

/* How a device is taken from its driver, or given to it; blocks as long as the kernel wants. targets_disable() and
 * targets_enable(). */
typedef int device_work(const struct device *device);
typedef int device_change(const struct device *device, enum cxl_change change); /* targets_change() */

struct effects_system {
	struct effects effects;
	struct guardian guardian;
	int frozen; /* the caller's descriptor of what the guardian froze; -1: nothing */
	device_work *disable, *enable;
	device_change *change;
};

/* `interrupt`: see struct effects. Nothing to free but what the effects leave behind: effects_system_end(). */
void effects_system_init(struct effects_system *system, device_work *disable, device_work *enable,
			 device_change *change, int interrupt);

/* Runs the work in a child; an interrupt does not cut it off, only the deadline does. What hangs is noted. */
int effects_in_child(struct effects *effects, child_work *work, void *argument, struct deadline deadline, int *fd);

/* The same with looks meanwhile; `watch` may be NULL. -EINTR: its interrupt. */
int effects_watched(struct effects *effects, child_work *work, void *argument, const struct effects_watch *watch,
		    struct deadline deadline);

/*
 * Opens the node of a block device, /dev/NAME if that is it: the number is what
 * counts. Else through a node of our own, which is gone again before anybody
 * sees it. A descriptor or a negative errno.
 */
int effects_open_block(const char *name, dev_t dev, int flags);

/* Stops the guardian, if it still runs and nothing hangs. */
void effects_system_end(struct effects_system *system);

#endif
