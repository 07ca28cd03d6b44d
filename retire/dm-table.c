// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/dm-table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/text.h"

/* Documentation/admin-guide/device-mapper of the kernel: the first, and every `step`th after it. */
static const struct {
	const char *type;
	size_t first, step, most;
} types[] = {
	{ "linear", 0, 1, 1 },
	{ "striped", 2, 2, SIZE_MAX },
	{ "thin-pool", 0, 1, 2 },
	{ "thin", 0, 2, 2 },
	{ "writecache", 1, 1, 2 },
	{ "snapshot", 0, 1, 2 },
	{ "snapshot-origin", 0, 1, 1 },
	{ "error", 0, 1, 0 },
	{ "zero", 0, 1, 0 },
};

static int index_of(const char *type)
{
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (strcmp(types[i].type, type) == 0)
			return (int)i;
	return -1;
}

bool dm_type_is_known(const char *type)
{
	return index_of(type) >= 0;
}

bool dm_word_is_device(const char *type, size_t number)
{
	int i = index_of(type);

	return i >= 0 && number >= types[i].first && (number - types[i].first) % types[i].step == 0 &&
	       (number - types[i].first) / types[i].step < types[i].most;
}

int dm_replace_devices(const struct dm_target *target, dm_replace *replace, void *argument, char **copy)
{
	_cleanup_free_ char *params = strdup(target->params);
	size_t room = strlen(target->params) * 16 + 32, length = 0, number = 0;
	char *cursor = params, *word, replaced[32];
	int rc = 0;

	*copy = calloc(room, 1);
	if (!params || !*copy)
		return -ENOMEM;
	while (rc == 0 && (word = next_field(&cursor, " "))) {
		bool device = *word && dm_word_is_device(target->type, number);

		if (device)
			rc = replace(argument, word, replaced);
		number += *word != '\0';
		length += (size_t)snprintf(*copy + length, room - length, "%s%s", length ? " " : "",
					   device && rc == 0 ? replaced : word);
	}
	return rc;
}
