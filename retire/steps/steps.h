/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How each step of a plan is done, undone and checked: one table of kinds, one
 * file for each family.
 *
 * execute.c is the only caller of apply, undo and restore. A kind whose undo is
 * NULL is irreversible and comes after the commit.
 *
 * What capture took is all that an undo knows of how things were, whether this
 * process rolls back or, out of the journal, another one: so there is one way
 * back, and every rollback tries it. A new kind needs no code in the journal.
 */
#ifndef RETIRE_STEPS_H
#define RETIRE_STEPS_H

#include "retire/effects.h"
#include "retire/journal.h"
#include "retire/kernel-log.h"
#include "retire/plan.h"
#include "retire/result.h"

struct progress;
struct root;
struct stat;

/* A file system's descriptor, opened before anything was touched, so that syncfs() reports every later error. */
struct open_file {
	dev_t dev;
	int fd;
};

/* A detached clone of something that was mounted inside. */
struct kept_mount {
	uint64_t id; /* of the mount that it was */
	int fd;
};

/* How things were before a step. */
struct captured {
	enum step_type type;
	int device;		  /* index into look.devices */
	const char *subject;	  /* of its record; for messages */
	struct json_object *memo; /* what capture took; NULL: nothing */
	bool undone;		  /* by this rollback, whatever its record says: a step that failed stays failed */
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
	struct journal journal;
	struct json_object *head; /* what the first record says besides the plan; taken by it */
	bool recovering;	  /* what another process began: from the journal, without its descriptors */
	bool long_after;	  /* … and committed, any time ago … */
	bool other_boot;	  /* … even in another boot */
	int (*find_holders)(const struct root *root, struct look *look, struct err *err);
	int (*count_references)(const struct root *root, struct look *look, int interrupt,
				struct deadline patience);
	int (*find_memory_keepers)(const struct root *root, struct look *look); /* NULL: nobody can be found */
	/* how a step that goes on is told; NULL: it is not */
	void (*tell_amount)(const struct execution *execution, uint64_t done, uint64_t total);
	void (*tell_wait)(const struct execution *execution, const char *message);
	struct progress *progress; /* … and to whom, of which record: execute.c's own */
	const struct step_record *telling;
	ARRAY_OF(struct open_file) files;
	ARRAY_OF(struct kept_mount) kept;
	ARRAY_OF(int) held;		    /* descriptors of what was put up and would go with its last user */
	const struct plan *plan;	    /* being executed: execute.c's own */
	size_t next, record;		    /* its next step; the record of its first step */
	ARRAY_OF(struct captured) captured; /* of each step that has a record */
	size_t base; /* the first of them that is of the last plan in the journal; what is before it is not noted
			again */
	int *claims; /* descriptor of each device, -1: none */
	int frozen;  /* id of the file system that is frozen now, 0: none */
	uint64_t frozen_at_us;
};

struct step_kind {
	enum step_type type;

	/* A new JSON object that says how it is now; NULL: nothing to put back, or (errno ENOMEM) out of memory.
	 */
	struct json_object *(*capture)(const struct execution *execution, const struct step *step);

	/* 0 done; 1 was so already; negative errno: failed, with a message. May fill record->notify. */
	int (*apply)(struct execution *execution, const struct step *step, struct step_record *record,
		     struct err *err);

	/*
	 * Puts back what apply did, also when that failed half-way or was never
	 * reached. 0, 1 nothing to put back, or a negative errno.
	 */
	int (*undo)(struct execution *execution, const struct captured *captured, struct err *err);

	/* Is it as it was captured, by a look of now? 1 yes, 0 no, with a message; -ENODATA: this cannot be seen.
	 */
	int (*verify)(const struct look *now, const struct captured *captured, struct err *err);

	/* What `restore` does long after the commit; NULL: nothing. */
	int (*restore)(struct execution *execution, const struct captured *captured, struct err *err);

	/* May it have come about although the step was never reached, by a step before it? NULL: no. */
	bool (*comes_about)(const struct captured *captured);
};

const struct step_kind *step_kind(enum step_type type);

/* Of what leaves nothing to put back. */
struct json_object *step_capture_nothing(const struct execution *execution, const struct step *step);
int step_undo_nothing(struct execution *execution, const struct captured *captured, struct err *err); /* 1 */
int step_verify_nothing(const struct look *now, const struct captured *captured, struct err *err);    /* 1 */

/*
 * May what the journal of another process says be acted on? Only where *path, a
 * node or (`file`) a file, leads to the device of the step or to what stands on
 * it now (a partition, a loop device), and, where `dev` is one that a node can
 * have, to that. Unless only root can change what it leads to, *path becomes
 * where it really is, so that no link can lead elsewhere after the check. 0 or
 * a negative errno with a message.
 */
int step_check_source(const struct execution *execution, const struct captured *captured, bool file, dev_t dev,
		      char **path, struct err *err);

/* Is this node, or the file system of this file, the device or one of its partitions? */
bool step_is_on(const struct execution *execution, int device, const struct stat *found);

/*
 * The same for an overlay: one of its layers is on the device, when looked for in the mount namespace `ns` (a
 * descriptor). Nobody makes us mount another one.
 */
int step_check_layers(const struct execution *execution, const struct captured *captured,
		      const struct mount *mount, int ns, struct err *err);

/* The same for a type of file system: one that takes no device would not even look at the source. */
int step_check_fstype(const struct execution *execution, const char *fstype, struct err *err);

enum { SUBJECT_ROOM = 128 };

/*
 * "/mnt/data", "pmem0", "fio[812]": what the step is done to; where two devices
 * have the name, "cxl region0", with its bus. In `text`, or a string of the look. Never NULL.
 */
const char *step_subject(const struct look *look, const struct step *step, char text[SUBJECT_ROOM]);

/* A wait that is one of many within a step: at most `ms`, and never beyond the deadline of the whole. */
struct deadline step_deadline(const struct execution *execution, uint64_t ms);

/* Opens a descriptor of every file system of the look. 0 or a negative errno. */
int files_open(struct execution *execution, struct err *err);
int files_find(const struct execution *execution, dev_t dev); /* -1: none */

/* A last flush of the file system, then lets its descriptor go: it would keep the mount busy. */
int files_close(struct execution *execution, dev_t dev, struct err *err);

/* -EBUSY and "busy, though WHY; likely: …": of who is known to have what can hold things unseen. */
int step_unseen(const struct execution *execution, const char *why, struct err *err);

/* Looks again at who rests on the step's place, kills them if the request says so, and waits for their end. */
int evict_again(struct execution *execution, const struct step *step, struct deadline deadline, struct err *err);

/*
 * Sends a signal to somebody whom no step has captured, since it came or was found later: it is written down
 * before, so that a recovery can tell who was lost. As effects->signal(), or what the journal says.
 */
int evict_uncaptured(struct execution *execution, const struct process *process, int signal, struct err *err);

/*
 * Is all memory of the device offline, as it was left? What somebody has
 * brought back meanwhile goes offline again, until `whole` at most: a driver that
 * is unbound over memory that is online leaves it to the system for good. 0,
 * 1 nobody had, or a negative errno with a message.
 */
int memory_stays_offline(struct execution *execution, int device, struct deadline whole, struct err *err);

/*
 * Does anybody still reference a page of the device? 0: nobody, and
 * record->pages says how many there are; 1: that cannot be told, which was
 * allowed; -EBUSY, -ENODATA or another negative errno with a message. Ends when
 * `interrupt` (-1: none) is readable. `record` may be NULL.
 */
int references_gone(struct execution *execution, int device, int interrupt, struct step_record *record,
		    struct err *err);

/* Each file's kinds; the table is in all.c. */
extern const struct step_kind step_terminate, step_grace, step_freeze, step_flush, step_thaw, step_kill,
	step_await_exit, step_foresee, step_withdraw, step_offline, step_swap_off, step_unmount, step_loop_detach,
	step_dm_remove, step_md_stop, step_claim, step_references, step_unbind, step_decommit, step_erase,
	step_power_off;

#endif
