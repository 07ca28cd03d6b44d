// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/library.h"

#include <dlfcn.h>
#include <stddef.h>

void *library_function(const char *library, const char *name)
{
	void *handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);

	return handle ? dlsym(handle, name) : NULL;
}
