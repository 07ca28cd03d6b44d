/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan: what to do, in which order, or why not.
 *
 * Pure: plain data in, plain data out. No I/O, no clock, no library: the same
 * look, request and kernel facts always give the same plan. A dry run prints
 * this very plan; a real run executes it.
 *
 * Phases go over all devices of a retirement together, so that what cannot be
 * undone comes last: ask, settle, claim, then the commit, then unbind.
 */
#ifndef RETIRE_PLAN_H
#define RETIRE_PLAN_H

#include "retire/kernel.h"
#include "retire/model.h"
#include "retire/request.h"

enum phase { PHASE_ASK, PHASE_SETTLE, PHASE_CLAIM, PHASE_UNBIND };

enum step_type {
	STEP_NONE,
	STEP_TERMINATE, /* ask: SIGTERM to one process */
	STEP_GRACE,	/* ask: wait for those that were asked */
	STEP_WITHDRAW,	/* settle, of what the kernel serves to others */
	STEP_FREEZE,	/* settle, of a file system */
	STEP_FLUSH,
	STEP_KILL,
	STEP_THAW,
	STEP_AWAIT_EXIT,
	STEP_FORESEE,	/* settle, of a file system: is a page of its device referenced, before an umount waits for
			   it */
	STEP_SWAP_OFF,	/* settle, of a swap area */
	STEP_OFFLINE,	/* settle, of memory of this system */
	STEP_UNMOUNT,	/* settle, of a mount */
	STEP_DM_REMOVE, /* settle, of a device-mapper device */
	STEP_MD_STOP,	/* settle, of an md array */
	STEP_LOOP_DETACH, /* settle, of a loop device */
	STEP_CLAIM,	  /* claim, of a device */
	STEP_REFERENCES,  /* … and is a page of it referenced, after all claims */
	STEP_UNBIND,	  /* after the commit, of a device */
	STEP_DECOMMIT,	  /* … of a CXL region: its decoders */
	STEP_ERASE,	  /* … it itself */
	STEP_POWER_OFF,	  /* … of a memdev: the slot that the card is in, last of all */
	STEP_TYPES
};

/* The words of the JSON output: "terminate", "freeze", … */
const char *step_name(enum step_type type);
const char *
step_restore_name(enum step_type type); /* of its way back, where it has one: "mount", "swap-on", "enable" */
enum phase step_phase(enum step_type type);

/*
 * One step. `holder` is the id of what it is done to (a file system for
 * freeze … await-exit, or the block device's process group when 0), `device`
 * the index of the device.
 */
struct step {
	enum step_type type;
	int device, holder;
	bool while_mounted; /* of STEP_UNBIND: a file system is left for the kernel to tell */
};

/*
 * A kind of holder says how it is found and which steps would end it. The
 * table of kinds is in holders/; a plan reads the plain fields of the kinds
 * that its holders point to.
 */
struct root;
struct holder_kind {
	enum holder_type type;
	const char *name; /* the word in JSON and on the terminal: "mount" */

	/*
	 * Adds what it finds to the look. Returns the number of holders added
	 * (0: none), or a negative errno when it cannot go on. Probes of kinds
	 * that are places for others (stacks) are run again until none of them
	 * adds anything, and must not add the same thing twice.
	 */
	int (*probe)(const struct root *root, struct look *look, struct err *err);
	bool stacks;
	bool serves; /* others write through it: ended before what it is on is frozen, as what stacks is */

	const char *phrase;	    /* what it does there, between its name and the place's: "stands on" (NULL) */
	enum evict_level lifted_by; /* EVICT_NEVER: nothing ends it, see `refusal` */
	const char *refusal;	    /* why and what to do by hand, when EVICT_NEVER; else NULL */
	enum step_type before[7];   /* steps before what rests on it is taken down, STEP_NONE-terminated */
	enum step_type after[3];    /* … and after */
};

enum severity { SEVERITY_HOLDER, SEVERITY_RISK, SEVERITY_CRITICAL };

const char *severity_name(enum severity severity);

struct veto {
	const char *code; /* constant: "mount", "process", "incomplete", "system" … */
	enum severity severity;
	char *subject;		/* owned: "fio[812]" */
	int holder;		/* id, 0 when it is about no holder */
	enum evict_level level; /* of SEVERITY_HOLDER: the --evict level which lifts it */
	bool stands;		/* not lifted by this request */
	char *message;		/* owned: one sentence for people */
};

struct plan {
	ARRAY_OF(struct step) steps;
	ARRAY_OF(struct veto) vetoes;
	bool refused;	      /* at least one veto stands */
	bool already_retired; /* nothing is enabled, and nothing left over: no steps, no vetoes */
};

/* Which part of the job the plan is for. */
enum plan_stage {
	PLAN_WHOLE, /* from the start: what a dry run shows */
	PLAN_ASKED, /* processes have been asked: a second look, no ask phase */
};

/* 0, -ENOMEM, or -ELOOP when mounts are nested beyond reason. The plan refers to `look` by index only; plan_free()
 * when done. */
int plan_make(const struct look *look, const struct request *request, const struct kernel *kernel,
	      enum plan_stage stage, struct plan *plan);

/* How long it may take up to the commit: what was asked for, or the default and more for memory that has to move.
 */
unsigned plan_timeout_ms(const struct look *look, const struct request *request);

void plan_free(struct plan *plan);

#endif
