/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A teller: a process of its own that alone writes to one of our outputs while
 * a retirement runs. Whoever reads there may stop reading, or go away, and
 * neither blocks nor kills what is going on: only the teller waits for it.
 *
 * It is forked before the lock is taken and closes every descriptor but its
 * own, so that a stuck reader keeps nothing: no lock, no file system. It heeds
 * no signal (the program decides what a ctrl-c means) and dies with the
 * program. Events go to it over a socket that is never waited for: what does
 * not fit is kept here. It makes the heartbeats, by its own clock.
 */
#ifndef RETIRE_TELLER_H
#define RETIRE_TELLER_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "retire/event.h"

/* How events look on one output. */
struct drawing {
	/* Writes what is to be seen of the event, if anything; called in the teller. */
	void (*draw)(struct drawing *drawing, const struct event *event, FILE *out);
	unsigned heartbeat_ms; /* as often EVENT_HEARTBEAT is drawn; 0: never */
};

struct teller {
	pid_t pid; /* 0: none */
	int socket;
	ARRAY_OF(struct event *) kept; /* not sent yet, from number `sent` on; only event_size() bytes of each */
	size_t sent;
	bool finished; /* EVENT_END is among what was sent or kept */
};

/* Forks one that writes to descriptor `fd`. 0 or a negative errno; then the other calls do nothing. */
int teller_start(struct teller *teller, struct drawing *drawing, int fd);

/* Never blocks. With `hold` it is kept until the next one without, or the end. */
void teller_tell(struct teller *teller, const struct event *event, bool hold);

/* Nothing more will be told, and no heartbeat made of a later time than this call. Never blocks. */
void teller_finish(struct teller *teller);

/* Hands over what is kept and waits until all is written, or cannot be. As long as the reader likes. */
void teller_end(struct teller *teller);

#endif
