/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is told while a retirement runs, as it goes from the program to its
 * tellers: both are the same program, so it is sent as it stands.
 */
#ifndef RETIRE_EVENT_H
#define RETIRE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "retire/result.h"

enum event_type {
	EVENT_BEGIN, /* its subject are the names that were given */
	EVENT_PHASE,
	EVENT_STEP_BEGUN,
	EVENT_STEP, /* has ended, well or not */
	EVENT_UNDO_BEGUN,
	EVENT_UNDO,
	EVENT_PROGRESS,	 /* of a step that takes its time: how much of it is done */
	EVENT_WAIT,	 /* a step does not get on: for whom it waits is its message */
	EVENT_HEARTBEAT, /* made by the teller: nothing may have happened */
	EVENT_END,	 /* for the teller: nothing more will come */
	EVENT_TYPES
};

/* A path, and what is wrong with it; what is longer is cut. */
enum { EVENT_SUBJECT_MAX = 4096, EVENT_MESSAGE_MAX = 1024 };

struct event {
	enum event_type type;
	enum step_type step; /* STEP_NONE: about none */
	bool restores;	     /* the way back of such a step */
	enum step_state state;
	enum notify notify;
	uint64_t start_us, at_us; /* of the retirement, and of this */
	uint64_t begun_us;	  /* of a step's progress: when it began */
	uint64_t bytes, of_bytes; /* … done, and in all; 0: not known */
	double ms;		  /* how long it took, of a heartbeat: takes by now; < 0: not known */
	char id[32], command[32], phase[16];
	char text[EVENT_SUBJECT_MAX + EVENT_MESSAGE_MAX]; /* two strings, one behind the other */
};

/* The words of the JSON output: "begin", "step-begun", …; NULL for what is not told. */
const char *event_name(enum event_type type);

/* "unmount", or "mount" where it is the way back. */
const char *event_step_name(const struct event *event);

/* NULL is the empty string. */
void event_set_text(struct event *event, const char *subject, const char *message);
const char *event_subject(const struct event *event);
const char *event_message(const struct event *event);

/* Bytes of it that count: up to the end of its text. */
size_t event_size(const struct event *event);

#endif
