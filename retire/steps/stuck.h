/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A block of memory that does not go offline, while the kernel goes on trying:
 * seen by what is left in it, told with who keeps it there, and these are ended
 * as far as the request says. Private to this room.
 */
#ifndef RETIRE_STEPS_STUCK_H
#define RETIRE_STEPS_STUCK_H

#include "retire/steps/steps.h"

struct stuck_block {
	struct execution *execution;
	int device;
	const struct system_ram *memory;
	const struct memory_block *block;
	uint64_t done, total;	 /* bytes: of the blocks before it, and of all */
	uint64_t used, since_us; /* bytes in use in it, and since when no less are */
	uint64_t pace_us;	 /* the longest from one time that it was less to the next */
	uint64_t before;	 /* bytes in use when it was tried; UINT64_MAX: not known, as in `used` */
	struct system_ram left;	 /* what these are used for */
	uint64_t next_us;	 /* before that it is not looked at again */
	struct look keepers;	 /* those who keep pages of it, as they were found */
	char *what;		 /* is left, and who keeps it; NULL: it was not told yet */
	uint64_t found_us;	 /* when that was */
	uint64_t asked_us;	 /* when they were asked to end; 0: not */
	bool killed;
	int ended; /* readable when the kernel has come back meanwhile; -1: it is not in there */
};

/* Of one block; the caller has `memory` and `block`. stuck_end() when it is through. */
void stuck_begin(struct stuck_block *stuck, struct execution *execution, int device,
		 const struct system_ram *memory, const struct memory_block *block);

/* A look (struct effects_watch) while the kernel tries: tells how far it is, and when nothing has moved for a
 * while who is in the way. */
void stuck_look(void *stuck, int ended);

/* The kernel has refused it: who is in the way is told at once. */
void stuck_refused(struct stuck_block *stuck);

/* It was given up: finds out who is in the way now, unless that is known. */
void stuck_failed(struct stuck_block *stuck);

/* The kernel begins (again). */
void stuck_try(struct stuck_block *stuck);

/* Is less left of it than when the kernel began? What has moved stays away, also when the block is online again.
 */
bool stuck_gets_empty(struct stuck_block *stuck);

/* Was somebody asked to end who has not ended yet? */
bool stuck_is_ending(const struct stuck_block *stuck);

void stuck_end(struct stuck_block *stuck);

#endif
