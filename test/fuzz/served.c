// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "retire/holders/served.h"
#include "test/fuzz/fuzz.h"

void fuzz_one(char *text)
{
	char *file = target_parse_file(text);
	struct export_line export;
	struct nfs_state state;
	dev_t dev;

	if (file && (!*file || !strstr(text, file)))
		abort();
	free(file);
	target_parse_dev(text, &dev);
	nfs_state_parse(text, &state);
	if (export_parse(text, &export) == 0 && (export.path[0] != '/' || !*export.client))
		abort();
}
