// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/text.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "util/array.h"

int parse_number(const char *text, uint64_t *number)
{
	int base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
	char *end;

	/* strtoull() takes signs and leading space */
	if (!isdigit((unsigned char)text[0]) || (base == 16 && !isxdigit((unsigned char)text[2])))
		return -EINVAL;
	errno = 0;
	*number = strtoull(text, &end, base);
	if (*end)
		return -EINVAL;
	return errno ? -errno : 0;
}

int parse_dev(const char *text, dev_t *dev)
{
	const char *colon = strchr(text, ':');
	char major_text[16];
	uint64_t major_number, minor_number;

	if (!colon || (size_t)(colon - text) >= sizeof(major_text))
		return -EINVAL;
	memcpy(major_text, text, (size_t)(colon - text));
	major_text[colon - text] = '\0';
	if (parse_number(major_text, &major_number) || parse_number(colon + 1, &minor_number))
		return -EINVAL;
	/* 12 and 20 bits: include/linux/kdev_t.h */
	if (major_number >= 1 << 12 || minor_number >= 1 << 20)
		return -ERANGE;
	*dev = makedev((unsigned)major_number, (unsigned)minor_number);
	return 0;
}

static bool is_octal(const char *digits)
{
	for (int i = 0; i < 3; i++)
		if (digits[i] < '0' || digits[i] > '7')
			return false;
	return digits[0] <= '3';
}

void unescape_octal(char *text)
{
	char *out = text;

	for (const char *in = text; *in; out++) {
		if (*in == '\\' && is_octal(in + 1)) {
			*out = (char)((in[1] - '0') << 6 | (in[2] - '0') << 3 | (in[3] - '0'));
			in += 4;
		} else {
			*out = *in++;
		}
	}
	*out = '\0';
}

char *next_field(char **cursor, const char *separators)
{
	if (!*cursor || !**cursor)
		return NULL;
	return strsep(cursor, separators);
}

bool is_plain_path(const char *path)
{
	size_t length;

	if (*path != '/' || strlen(path) >= PATH_MAX)
		return false;
	if (!path[1])
		return true;
	for (; *path; path += length) {
		path++;
		length = strcspn(path, "/");
		if (!length || (length == 1 && *path == '.') || (length == 2 && path[0] == '.' && path[1] == '.'))
			return false;
	}
	return true;
}

bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Well-formed byte sequences: Unicode standard, table 3-7. Later bytes are all 80..bf. */
static const struct {
	unsigned char first_low, first_high, second_low, second_high;
	size_t length;
} sequences[] = {
	{ 0x00, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

size_t utf8_length(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	for (size_t i = 0; i < COUNT_OF(sequences); i++) {
		size_t good = 1;

		if (at[0] < sequences[i].first_low || at[0] > sequences[i].first_high)
			continue;
		if (sequences[i].length > 1 &&
		    (at[1] < sequences[i].second_low || at[1] > sequences[i].second_high))
			return 0;
		while (good < sequences[i].length && at[good] >= 0x80 && at[good] <= 0xbf)
			good++;
		return good == sequences[i].length ? good : 0;
	}
	return 0;
}

static bool is_control(const unsigned char *c)
{
	return *c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] <= 0x9f);
}

char *printable(const char *text, char *copy, size_t size)
{
	size_t at = 0;

	while (*text) {
		const unsigned char *c = (const unsigned char *)text;
		size_t length = utf8_length(text);
		bool plain = length && !is_control(c);

		/* a part of a character has no place alone */
		if (at + (plain ? length : 4 * (length ? length : 1)) >= size)
			break;
		for (size_t i = 0; i < (length ? length : 1); i++)
			at += (size_t)snprintf(copy + at, size - at, plain ? "%c" : "\\x%02x", c[i]);
		text += length ? length : 1;
	}
	copy[at] = '\0';
	return copy;
}

char *human_size(uint64_t bytes, char *text, size_t size)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1024;
		unit++;
	}
	if (unit)
		snprintf(text, size, "%.2f %s", value, units[unit]);
	else
		snprintf(text, size, "%llu B", (unsigned long long)bytes);
	return text;
}

char *option_value(const char *options, const char *key)
{
	size_t length = strlen(key);

	for (const char *at = options; at; at = strchr(at, ',')) {
		char *value;

		at += *at == ',';
		if (strncmp(at, key, length) != 0)
			continue;
		value = strndup(at + length, strcspn(at + length, ","));
		if (value)
			unescape_octal(value);
		return value;
	}
	return NULL;
}
