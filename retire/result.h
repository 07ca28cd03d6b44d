/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What became of a request: everything that the JSON output says. Filled by
 * retire.c and execute.c, only read by the reports.
 *
 * Ownership: a result owns the look, the vetoes and every string below it;
 * result_free() lets all go.
 */
#ifndef RETIRE_RESULT_H
#define RETIRE_RESULT_H

#include "retire/model.h"
#include "retire/plan.h"
#include "retire/request.h"

enum outcome {
	OUTCOME_RETIRED,
	OUTCOME_ALREADY_RETIRED,
	OUTCOME_RESTORED,
	OUTCOME_RECOVERED,
	OUTCOME_NOTHING_TO_DO,
	OUTCOME_PLANNED,
	OUTCOME_LISTED,
	OUTCOME_ERROR,
	OUTCOME_IN_PROGRESS,
	OUTCOME_REFUSED,
	OUTCOME_ROLLED_BACK,
	OUTCOME_STUCK,
};

const char *outcome_name(enum outcome outcome); /* "already-retired" */
int outcome_exit(enum outcome outcome);		/* 0, 1, 2, 3, 4 */

enum step_state {
	STATE_PLANNED, /* a dry run, or not reached */
	STATE_DONE,
	STATE_NOT_NEEDED, /* found done already: "not-needed" */
	STATE_FAILED,
	STATE_UNDONE,
	STATE_STUCK, /* given up while the kernel may still be at it */
};

const char *step_state_name(enum step_state state);

/* What became of the kernel's pre-remove notification, of STEP_UNBIND. */
enum notify { NOTIFY_NONE, NOTIFY_SENT, NOTIFY_NOT_NEEDED, NOTIFY_UNSUPPORTED };

const char *notify_name(enum notify notify); /* NULL for NOTIFY_NONE */

struct step_record {
	enum step_type type;
	char *subject; /* "/mnt/data", "pmem0", "fio[812]" */
	enum step_state state;
	double ms; /* < 0: not run */
	enum notify notify;
	bool restores;	/* the way back of such a step: step_restore_name() */
	uint64_t pages; /* of STEP_REFERENCES: how many were counted, and found without references */
	char *message;	/* why it failed, or could not tell; NULL when it did not */
};

struct loss {
	const char *kind; /* "process", "mount", "swap", "data" */
	char *name, *reason;
};

/* Something that could not be finished or put back, and what to do about it. */
struct stuck {
	char *subject, *message;
	char *stack; /* where in the kernel a child hangs; NULL when unknown */
};

enum check { CHECK_FALSE, CHECK_TRUE, CHECK_NULL };

struct verify {
	const char *check; /* "no-mount" */
	enum check ok;
	char *reason; /* why not, or why it cannot be told; NULL when ok */
	bool counts;
	uint64_t pages; /* only when `counts`: how many were looked at */
};

/* One of the retirements that a journal tells of. */
struct told_retirement {
	char id[32];
	char *command, *state;	 /* "retire-namespace"; "interrupted" */
	char *phase, *step;	 /* where it is, or was cut; NULL when it ended */
	char *devices;		 /* their names, separated by spaces */
	uint64_t started, ended; /* seconds since 1970; 0: not known, not ended */
	bool restorable;
};

struct result {
	const char *command;
	char id[32]; /* "20261121T101502-7f3a"; "" for what only lists */
	enum outcome outcome;
	bool changed;
	uint64_t elapsed_ms;
	bool no_unbind;		       /* asked for: nothing but memory offline */
	bool delete_region, power_off; /* … and this of CXL devices */
	unsigned timeout_ms;	       /* up to the commit, where it is more than was asked for; else 0 */
	double frozen_ms;	       /* the longest freeze of one file system; < 0: nothing was frozen */
	struct look look;	       /* devices, holders as found at first, unknowns */
	ARRAY_OF(struct veto) vetoes;
	ARRAY_OF(struct step_record) steps;
	ARRAY_OF(struct loss) losses;
	ARRAY_OF(struct stuck) stuck;
	ARRAY_OF(struct verify) verify;
	ARRAY_OF(struct told_retirement) retirements; /* of recover, restore, list-retirements */
	bool *unused;				      /* for each device: proven that nobody uses it any more */
	char *message; /* of OUTCOME_ERROR, IN_PROGRESS, ROLLED_BACK, STUCK: why; else NULL */
};

/* All return NULL / -ENOMEM only when memory is out. Strings are copied. */
struct step_record *result_add_step(struct result *result, enum step_type type, const char *subject);
int result_add_loss(struct result *result, const char *kind, const char *name, const char *reason);
/* The same, unless one of that kind and name is there already. */
int result_add_loss_once(struct result *result, const char *kind, const char *name, const char *reason);
int result_add_stuck(struct result *result, const char *subject, const char *stack, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int result_add_verify(struct result *result, const char *check, enum check ok, const char *reason);

/* The vetoes of the plan go over to the result, which reports them; the plan keeps its steps. */
void result_take_vetoes(struct result *result, struct plan *plan);
/* Of no-references: how many pages were counted. */
int result_add_counted(struct result *result, enum check ok, uint64_t pages, const char *reason);

/* The steps, losses and so on of `from` come after those of `to`; `from` is emptied. */
void result_merge(struct result *to, struct result *from);

void result_free(struct result *result);

#endif
