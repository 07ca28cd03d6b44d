/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All machines and requests that make a plan of their own: combinations of
 * devices, mounts, swap, processes and levels. Of those that the planner gives
 * the same steps, against the same processes, one is kept.
 */
#ifndef TEST_CRASH_SHAPES_H
#define TEST_CRASH_SHAPES_H

#include "test/crash/model-machine.h"

/* The row of the table that a plan is counted in: the first that fits. */
enum shape_kind {
	SHAPE_TWO_DEVICES,
	SHAPE_MOUNTED_UNBIND,
	SHAPE_LOCKED,
	SHAPE_STACKED,
	SHAPE_FOREIGN,
	SHAPE_CXL,
	SHAPE_MEMORY,
	SHAPE_SERVED,
	SHAPE_SWAP,
	SHAPE_PROCESSES,
	SHAPE_MOUNTS,
	SHAPE_IDLE,
	SHAPE_KINDS
};

const char *shape_kind_name(enum shape_kind kind);

struct shape {
	enum shape_kind kind;
	struct model_state state;
	enum evict_level evict;
	int devices;
	const char *allow[3]; /* what every one allows, and then what some do */
	size_t allow_count;
	char name[96]; /* what it was combined from */
	bool first;    /* of its sequence of step types */
	char *steps;   /* the plan in a line: what makes it one of its own */
};

struct shapes {
	ARRAY_OF(struct shape) list;
};

/* The request that a shape makes; it points into the shape. */
struct request shape_request(const struct shape *shape);

/* `model` is used for looks. */
void shapes_make(struct shapes *shapes, struct model *model);
void shapes_free(struct shapes *shapes);

#endif
