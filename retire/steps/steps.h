/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How each step of a plan is done and undone: one table of kinds, one file
 * for each family.
 *
 * execute.c is the only caller of apply and undo. A kind whose undo is NULL is
 * irreversible and comes after the commit.
 */
#ifndef RETIRE_STEPS_H
#define RETIRE_STEPS_H

#include "retire/effects.h"
#include "retire/kernel-log.h"
#include "retire/plan.h"
#include "retire/result.h"

struct root;

/* A file system's descriptor, opened before anything was touched, so that syncfs() reports every later error. */
struct open_file {
	dev_t dev;
	int fd;
};

/* A detached clone of something that was mounted inside. */
struct kept_mount {
	int holder; /* id in the look */
	int fd;
};

/* Everything that steps share. */
struct execution {
	const struct root *root;
	const struct request *request;
	const struct kernel *kernel;
	struct effects *effects;
	struct look *look; /* what the plan was made from */
	struct result *result;
	struct deadline deadline; /* of the whole, up to the commit or of the rollback */
	struct kernel_log log;
	ARRAY_OF(struct open_file) files;
	ARRAY_OF(struct kept_mount) kept;
	const struct plan *plan; /* being executed: execute.c's own */
	size_t next, record;	 /* its next step; the record of its first step */
	int *claims;		 /* descriptor of each device, -1: none */
	int frozen;		 /* id of the file system that is frozen now, 0: none */
	uint64_t frozen_at_us;
};

struct step_kind {
	enum step_type type;

	/* 0 done; 1 was so already; negative errno: failed, with a message. May fill record->notify. */
	int (*apply)(struct execution *execution, const struct step *step, struct step_record *record,
		     struct err *err);

	/* Puts back what apply did, also when that failed half-way. 0, 1 nothing to put back, or a negative errno.
	 */
	int (*undo)(struct execution *execution, const struct step *step, struct err *err);
};

const struct step_kind *step_kind(enum step_type type);

/* The undo of what leaves nothing to put back: returns 1. */
int step_undo_nothing(struct execution *execution, const struct step *step, struct err *err);

/* "/mnt/data", "pmem0", "fio[812]": what the step is done to. Never NULL. */
const char *step_subject(const struct look *look, const struct step *step);

/* A wait that is one of many within a step: at most `ms`, and never beyond the deadline of the whole. */
struct deadline step_deadline(const struct execution *execution, uint64_t ms);

/* Opens a descriptor of every file system of the look. 0 or a negative errno. */
int files_open(struct execution *execution, struct err *err);
int files_find(const struct execution *execution, dev_t dev); /* -1: none */

/* A last flush of the file system, then lets its descriptor go: it would keep the mount busy. */
int files_close(struct execution *execution, dev_t dev, struct err *err);

/* Looks again at who rests on the step's place, kills them if the request says so, and waits for their end. */
int evict_again(struct execution *execution, const struct step *step, struct deadline deadline, struct err *err);

/* Each file's kinds; the table is in all.c. */
extern const struct step_kind step_terminate, step_grace, step_freeze, step_flush, step_thaw, step_kill,
	step_await_exit, step_swap_off, step_unmount, step_claim, step_unbind;

#endif
