// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "retire/targets/kinds.h"
#include "util/root.h"

int identity_same_text(const struct device *device, const char *what, const char *was, const char *is,
		       struct err *err)
{
	if (was && is ? strcmp(was, is) == 0 : !was && !is)
		return 0;
	return err_set(err, -ESTALE, "%s is another one: its %s is %s, it was %s", device->name, what,
		       is ? is : "none", was ? was : "none");
}

/* A number that could not be read (0), now or then, tells nothing. */
int identity_same_number(const struct root *root, const struct device *device, const char *attribute, bool hex,
			 uint64_t was, struct err *err)
{
	char then[32], now[32];
	uint64_t is;

	if (root_numberf(root, &is, "%s/%s", device->path, attribute) < 0)
		is = 0;
	if (!was || !is || was == is)
		return 0;
	snprintf(then, sizeof(then), hex ? "%#" PRIx64 : "%" PRIu64, was);
	snprintf(now, sizeof(now), hex ? "%#" PRIx64 : "%" PRIu64, is);
	return identity_same_text(device, attribute, then, now, err);
}
