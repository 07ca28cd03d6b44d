/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Points at which a program can be cut or a call of it made to fail: before
 * each effect, and before each system call that changes a file of its own. The
 * state between two points is the same all the time, so that "before point
 * k + 1" is also "after point k".
 *
 * A program is cut in one of two ways: it dies (in a forked child), or it goes
 * on as a ghost whose calls all fail and change nothing, which leaves the same
 * machine behind, is faster, and can be followed in a debugger.
 */
#ifndef TEST_CRASH_POINTS_H
#define TEST_CRASH_POINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum point_kind { POINT_EFFECT = 1, POINT_FILE = 2 };
enum { POINT_NEVER = -1, POINT_DIED = 77, POINTS_SEEN = 512 };

struct points {
	bool armed; /* count, cut and fail; otherwise every call goes through */
	long now;   /* points that were passed */

	long cut;     /* the program is cut before this one */
	size_t torn;  /* of the write that is cut, this much gets to the file */
	bool by_exit; /* dies; else a ghost */
	bool dead;

	long fault;	/* this one fails… */
	int error;	/* … with this (negative) errno */
	bool lasting;	/* … and so do all of its kind after it */
	bool late;	/* … after it was done all the same */
	bool failed;	/* it was reached */
	unsigned kinds; /* which may fail */

	long meet;	  /* before this one, `meeting` is called, with points disarmed */
	bool meet_always; /* … and before all after it */
	void (*meeting)(void *argument);
	void *argument;

	uint64_t time_us; /* the clock: waits take no time */
	unsigned chance;
	bool trace; /* say each on stderr */
	char last[64];
	const char *seen[POINTS_SEEN]; /* what each was */
};

/* One for the process and its children; shared. The calls that are intercepted have no argument to carry it. */
extern struct points *points;

void points_make(void);

/* Nothing is cut and nothing fails; counting starts anew. */
void points_clear(void);

/* 0: go on; or the negative errno that the call is to fail with. Does not return when the program dies here. */
int point_pass(enum point_kind kind, const char *what, const char *about);

#endif
