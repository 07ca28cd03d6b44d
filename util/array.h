/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A growable array: `ARRAY_OF(type) { type *items; size_t count, room; }`.
 * array_add() returns a pointer to a new zeroed element, NULL when memory is
 * out; pointers into the array are good until the next array_add().
 */
#ifndef UTIL_ARRAY_H
#define UTIL_ARRAY_H

#include <stddef.h>

#define ARRAY_OF(type)                                                                                            \
	struct {                                                                                                  \
		type *items;                                                                                      \
		size_t count, room;                                                                               \
	}

void *array_grow(void **items, size_t *count, size_t *room, size_t size);

#define array_add(a)                                                                                              \
	((__typeof__((a)->items))array_grow((void **)&(a)->items, &(a)->count, &(a)->room, sizeof(*(a)->items)))

#define array_each(p, a) for (__typeof__((a)->items + 0) p = (a)->items; p && p < (a)->items + (a)->count; p++)

#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

#endif
