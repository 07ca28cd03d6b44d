/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One trial: a plan is begun on a machine that is whole, something happens,
 * `recover` runs, and the machine is looked at. And how many went how.
 */
#ifndef TEST_CRASH_TRIAL_H
#define TEST_CRASH_TRIAL_H

#include <stdio.h>

#include "test/crash/points.h"
#include "test/crash/shapes.h"
#include "test/crash/whole.h"

enum test {
	TEST_WHOLE,	  /* not cut at all: retired, and restored */
	TEST_CUT,	  /* the program dies, its guardian thaws */
	TEST_CUT_BOTH,	  /* the guardian dies with it */
	TEST_TORN,	  /* dies in mid-record */
	TEST_RECOVER_CUT, /* so does recover, in its turn */
	TEST_FAULT,	  /* a step fails */
	TEST_FAULT_CUT,	  /* … and the rollback is cut */
	TEST_HANG,	  /* … because the kernel does not come back */
	TEST_DISK,	  /* the journal cannot be written */
	TEST_REBOOT,	  /* the machine goes down with it */
	TEST_MEETING,	  /* another retirement, or recover, comes in between */
	TEST_RESTORE,	  /* what was finished by recover is restored */
	TEST_ADMIN,	  /* somebody mounts, or brings memory online, meanwhile */
	TEST_ELSEWHERE,	  /* cut when it is committed, and memory comes back in another zone */
	TEST_REMOUNT,	  /* … changes what a step that failed has put back */
	TESTS
};

struct count {
	unsigned long plans, trials, ended[WHOLES];
};

struct tally {
	struct count counts[TESTS][SHAPE_KINDS];
	unsigned long told; /* broken ones that were described */
};

struct trial {
	struct model *model;
	const struct shape *shape;
	size_t number; /* of the shape */
	struct tally *tally;
	bool forks; /* programs die in a child of their own; else they go on as ghosts */
	enum test test;
	long points;		       /* that the plan has when nothing is in its way */
	const char *seen[POINTS_SEEN]; /* what they are */
	long first_unbind;	       /* the point of it; the end when there is none */
	long fault;		       /* of trial_cut(): one that fails with EIO before the cut */
	long cut, inner;	       /* where, for messages */
	long only_cut, only_inner;     /* the one that was asked for; POINT_NEVER: all */
	bool was_cut;		       /* the last trial_cut() got that far */
	bool harmed;		       /* somebody else changed something */
	char at[64];
	int error;
};

/* Whoever is run: a retirement, recover, restore. */
typedef void run_program(struct trial *trial, struct result *result);

void program_retire(struct trial *trial, struct result *result);
void program_recover(struct trial *trial, struct result *result);
void program_restore(struct trial *trial, struct result *result);

/* The machine as it was made, with nobody at work on it. */
void trial_reset(struct trial *trial);

/* Runs it to its end with what points say: in this process. */
void trial_run(struct trial *trial, run_program *program, struct result *result);

/* Runs it until it is cut before point `cut`; `torn` bytes of a write there get through. */
void trial_cut(struct trial *trial, run_program *program, long cut, size_t torn, bool with_guardian);

/* Is this one to be tried? Notes where it is. */
bool trial_at(struct trial *trial, long cut, long inner);

const char *trial_test_name(enum test test);  /* "cut-both" */
const char *trial_test_title(enum test test); /* "cut, and the guardian with it" */

/* Counts how it ended; BROKEN is told, with how to see it again. */
void trial_count(struct trial *trial, enum whole whole, const char *why);

/* After a program that was cut or gave up: recover, once and again, and the look. BROKEN is not counted yet. */
void trial_recover(struct trial *trial);
enum whole trial_recovered(struct trial *trial, bool told, char *why, size_t size);

/* What a result says and what there is: BROKEN when they do not agree. */
enum whole trial_check(struct trial *trial, const struct result *result, char *why, size_t size);

/* What was mounted inside is put back by people. */
bool trial_mount_by_hand(struct trial *trial, const struct result *result);

/* Is a journal left in /run that did not end? */
bool trial_has_journal(const struct trial *trial);

/* All tests of one plan, or one of them. */
void trial_all(struct trial *trial, unsigned tests);

#endif
