// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>

#include <string.h>

#include "retire/holders/memory-use.h"
#include "retire/holders/procfs.h"
#include "test/fuzz/fuzz.h"
#include "util/cleanup.h"
#include "util/text.h"

void fuzz_one(char *text)
{
	char *cursor = text, *line;
	struct maps_line maps;
	struct swap_line swap;

	while ((line = next_field(&cursor, "\n"))) {
		_cleanup_free_ char *numa = strdup(line);
		struct numa_use use = { .node = 1 };

		if (numa)
			numa_maps_line(numa, &use, 1);
		maps_parse(line, &maps);
		if (swap_parse(line, &swap) == 0 && swap.path[0] != '/')
			abort();
	}
}
