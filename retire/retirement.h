/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A retirement as its journal tells it: whose it is, how far it got, and how
 * things were before each of its steps.
 */
#ifndef RETIRE_RETIREMENT_H
#define RETIRE_RETIREMENT_H

#include "retire/journal.h"
#include "retire/model.h"
#include "retire/request.h"
#include "retire/result.h"
#include "retire/steps/steps.h"

enum { RETIREMENTS_KEPT = 32 };

/* Somebody who was to be ended, and whom no step has captured. */
struct ending {
	struct process was; /* without a pidfd */
	const char *reason; /* "SIGTERM" */
};

struct retirement {
	char id[JOURNAL_ID_ROOM];
	struct journal_records records; /* owns what the rest points to */
	struct look was;		/* the devices only, as they were */
	ARRAY_OF(struct captured) captured;
	ARRAY_OF(enum step_state) states; /* of each: STATE_FAILED also when its outcome is not known */
	ARRAY_OF(struct ending) endings;
	bool planned;		 /* there is a plan */
	size_t base;		 /* where the steps start that were committed, or else those of the last plan */
	size_t last;		 /* where those of the last plan start */
	const char *command;	 /* "retire-namespace" */
	const char *end;	 /* how it ended, as in a result; NULL: it did not */
	uint64_t started, ended; /* seconds since 1970; 0: not known */
	bool committed;		 /* only forward from here */
	bool this_boot;
	bool *restored; /* of each device */
	enum evict_level evict;
	const char *allow[16];
	size_t allow_count;
	unsigned grace_ms, timeout_ms;
	bool no_unbind, delete_region, power_off;
};

/*
 * From the journal of this boot or, when there is none, the lasting one. 0;
 * -ENOENT; -ENODATA: cut before its first record, so nothing was begun; -EBADMSG
 * and others: it cannot be read or trusted. retirement_free() in every case.
 */
int retirement_read(const struct root *root, const char *id, struct retirement *retirement, struct err *err);

/* The same from retirement->id and ->records, with the rest empty. */
int retirement_of_records(const struct root *root, struct retirement *retirement, struct err *err);

void retirement_free(struct retirement *retirement);

/*
 * The index of the device that a user of `tool` (NULL: any) calls so: by the name that it had, a CXL memdev also
 * by its serial number or PCI address; -1: none. Each tool has a region0 of its own; what only one of them has,
 * any of them means.
 */
int retirement_device(const struct retirement *retirement, const char *tool, const char *called);

/* Something can be brought back: it was committed, and not all of it is restored. */
bool retirement_is_restorable(const struct retirement *retirement);

/* "running", "interrupted", "expired" (cut by the end of its boot), or how it ended. */
const char *retirement_state(const struct root *root, const struct retirement *retirement);

/* The first record of a journal, without the plan. NULL when memory is out. */
struct json_object *retirement_head(const struct root *root, const char *id, const struct request *request);

/* A journal of this boot that did not end and that nobody is at: 1 and its id, 0, or a negative errno. */
int retirement_find_interrupted(const struct root *root, char id[JOURNAL_ID_ROOM], struct err *err);

/* Removes the journals of long ago from which nothing can be restored any more. */
void retirements_prune(const struct root *root);

#endif
