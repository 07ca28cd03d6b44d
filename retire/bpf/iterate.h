/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One pass of a program over all that its kind of iterator knows. Private to this room. */
#ifndef RETIRE_BPF_ITERATE_H
#define RETIRE_BPF_ITERATE_H

#include <stddef.h>

/*
 * Gives each record of `size` bytes that the program writes to `found`, which
 * goes on with 0 and ends the pass with a negative errno. 0 or that errno.
 */
int iterate(int program, size_t size, int (*found)(void *argument, const void *record), void *argument);

#endif
