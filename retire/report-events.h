/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How events look: a JSON object a line for programs, a line a step for people. */
#ifndef RETIRE_REPORT_EVENTS_H
#define RETIRE_REPORT_EVENTS_H

#include "retire/report.h"
#include "retire/teller.h"

/* A reader is told at least every ten seconds that it goes on; a machine under load gets a second for that. */
enum { HEARTBEAT_MS = 9000 };

struct drawing events_drawing(void);

struct lines_drawing {
	struct drawing drawing; /* first: the address of both is the same */
	int fd;
	bool live; /* on a terminal: the next line takes the place of the last */
	bool keep; /* … but of those that ended every one stays */
	bool drawn;
};

/* Plain lines, or a live line when `fd` is a terminal. */
struct lines_drawing lines_drawing(const struct report_options *options, int fd);

#endif
