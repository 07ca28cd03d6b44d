// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/array.h"

#include <stdlib.h>
#include <string.h>

void *array_grow(void **items, size_t *count, size_t *room, size_t size)
{
	if (*count == *room) {
		size_t wanted = *room ? *room * 2 : 8;
		void *grown = reallocarray(*items, wanted, size);

		if (!grown)
			return NULL;
		*items = grown;
		*room = wanted;
	}
	return memset((char *)*items + size * (*count)++, 0, size);
}
