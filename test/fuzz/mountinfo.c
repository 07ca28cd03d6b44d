// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/holders/mountinfo.h"

#include <stdlib.h>

#include "test/fuzz/fuzz.h"
#include "util/text.h"

void fuzz_one(char *text)
{
	char *cursor = text, *line;
	struct mount mount;

	while ((line = next_field(&cursor, "\n"))) {
		if (mountinfo_parse(line, &mount) < 0)
			continue;
		/* what was accepted is what others rely on */
		if (mount.point[0] != '/' || !mount.root || !mount.options || !mount.propagation ||
		    !mount.fstype || !mount.source || !mount.super_options)
			abort();
		has_option(mount.super_options, "ro");
	}
}
