// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/request.h"

#include <string.h>

bool request_allows(const struct request *request, const char *code)
{
	for (size_t i = 0; i < request->allow_count; i++)
		if (strcmp(request->allow[i], code) == 0)
			return true;
	return false;
}
