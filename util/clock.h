/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time: a deadline is a point on CLOCK_MONOTONIC, so a clock that is set, or a
 * step that takes long, never moves it. Every wait of the program has one.
 */
#ifndef UTIL_CLOCK_H
#define UTIL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct deadline {
	uint64_t at_us;
};

uint64_t clock_us(void);
struct deadline deadline_in(uint64_t ms);
struct deadline deadline_sooner(struct deadline a, struct deadline b);
bool deadline_passed(struct deadline deadline);

/* For poll(): milliseconds left, rounded up, 0 when passed, at most INT_MAX. */
int deadline_left_ms(struct deadline deadline);

/*
 * Waits until `fd` (-1: none) is readable or `interrupt` (-1: none) is, or the
 * deadline passes. 1: fd is readable; 0: deadline; -EINTR: interrupt; other
 * negative errno. An interrupt is a signalfd that nobody reads, so it stays.
 */
int wait_readable(int fd, int interrupt, struct deadline deadline);

#endif
