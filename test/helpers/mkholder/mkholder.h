/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes holders, for the tests. One file for each family of kinds.
 *
 * A kind's function makes the holder and returns; main() says that it is
 * ready and waits. One that has to go on doing something calls ready() itself
 * and never returns.
 */
#ifndef MKHOLDER_H
#define MKHOLDER_H

#include <stdbool.h>
#include <stddef.h>

struct kind {
	const char *name;
	void (*make)(const char *path, const char *argument); /* NULL where the user gave none */
	bool needs_path;
	const char *help;
};

/* Each family; a kind without a name ends it. */
extern const struct kind kinds_files[], kinds_maps[], kinds_places[], kinds_threads[], kinds_sockets[],
	kinds_pins[], kinds_watches[], kinds_mounts[], kinds_memory[];

#define _noreturn_ __attribute__((noreturn))

/* "mkholder: WHAT: the error", and out. */
void _noreturn_ fail(const char *what);

void ready(void);

int open_or_fail(const char *path, int flags);

void write_file(const char *path, const char *text);

/* `argument` as a number, `otherwise` when there is none. */
long number_or(const char *argument, long otherwise);

/* Maps `size` bytes of a file, which is made that long, or of a device; touched, the descriptor closed. */
char *map_or_fail(const char *path, size_t size, int flags);

/* Of io_uring. */
int open_ring(void);

/* Puts a descriptor into flight over a socket pair that stays open, and closes it. */
void send_away(int fd);

#endif
