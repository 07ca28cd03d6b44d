// SPDX-License-Identifier: GPL-2.0-or-later
/* Names and attributes as sysfs gives them: numbers, device numbers, and whatever is shown on a terminal. */
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "test/fuzz/fuzz.h"
#include "util/text.h"

/* What was taken for a number starts with a digit and has no blank. */
static void check_number(const char *text)
{
	uint64_t number;

	if (parse_number(text, &number) == 0 && (text[0] < '0' || text[0] > '9' || strpbrk(text, " \t\n+-")))
		abort();
}

static void check_dev(const char *text)
{
	dev_t dev;

	if (parse_dev(text, &dev) == 0 && (major(dev) >= 1 << 12 || minor(dev) >= 1 << 20 || !strchr(text, ':')))
		abort();
}

static void check_printable(const char *text)
{
	char copy[64];

	for (const char *c = printable(text, copy, sizeof(copy)); *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			abort();
	if (strlen(copy) >= sizeof(copy))
		abort();
}

void fuzz_one(char *text)
{
	size_t before = strlen(text);

	check_number(text);
	check_dev(text);
	check_printable(text);
	unescape_octal(text);
	if (strlen(text) > before)
		abort();
}
