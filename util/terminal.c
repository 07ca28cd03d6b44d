// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/terminal.h"

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include "util/text.h"

/* Narrower is no terminal; wider than any is a slip of the finger. */
enum { COLUMNS_MIN = 10, COLUMNS_MAX = 10000 };

size_t terminal_columns(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

size_t output_columns(int fd)
{
	const char *text = getenv("COLUMNS");
	uint64_t columns;

	if (text && parse_number(text, &columns) == 0 && columns >= COLUMNS_MIN && columns <= COLUMNS_MAX)
		return (size_t)columns;
	return terminal_columns(fd);
}

bool output_has_colour(int fd)
{
	const char *never = getenv("NO_COLOR"), *kind = getenv("TERM");

	return isatty(fd) && !(never && *never) && kind && *kind && strcmp(kind, "dumb") != 0;
}

bool output_is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* Marks, overrides and isolates of the bidirectional algorithm, and two that end a line (UAX #9, #14). */
static bool is_steering(wchar_t c)
{
	return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

struct character {
	size_t length; /* bytes, never 0 before the end */
	size_t width;  /* columns */
	bool shows;
};

/* The character at `at`, which is not the end. */
static struct character character_at(const char *at)
{
	mbstate_t state = { 0 };
	wchar_t wide;
	size_t length = mbrtowc(&wide, at, strlen(at), &state);

	if (length == 0 || length > strlen(at) || !iswprint((wint_t)wide) || wcwidth(wide) < 0)
		return (struct character){ 1, 1, false };
	return (struct character){ length, (size_t)wcwidth(wide), !is_steering(wide) };
}

char *displayable(const char *text)
{
	/* "\xNN" for a byte is the most that it grows */
	size_t room = strlen(text) * 4 + 1, at = 0;
	char *copy = malloc(room);

	while (copy && *text) {
		struct character c = character_at(text);

		for (size_t i = 0; i < c.length; i++, text++) {
			if (c.shows)
				copy[at++] = *text;
			else
				at += (size_t)snprintf(copy + at, room - at, "\\x%02x", (unsigned char)*text);
		}
	}
	if (copy)
		copy[at] = '\0';
	return copy;
}

size_t display_width(const char *text)
{
	size_t width = 0;

	while (*text) {
		struct character c = character_at(text);

		width += c.width;
		text += c.length;
	}
	return width;
}

void display_cut(char *text, size_t room)
{
	size_t used = 0;

	while (*text) {
		struct character c = character_at(text);

		if (!c.shows && c.length == 1)
			*text = '?';
		used += c.width;
		if (used > room) {
			*text = '\0';
			return;
		}
		text += c.length;
	}
}

/* Bytes of the longest start of `text` that takes at most `room` columns. */
static size_t bytes_within(const char *text, size_t room)
{
	size_t used = 0;
	const char *at = text;

	while (*at) {
		struct character c = character_at(at);

		used += c.width;
		if (used > room)
			break;
		at += c.length;
	}
	return (size_t)(at - text);
}

/* The longest end of `text` that takes at most `room` columns; `width` is that of all of it. */
static const char *end_within(const char *text, size_t width, size_t room)
{
	while (*text && width > room) {
		struct character c = character_at(text);

		width -= c.width;
		text += c.length;
	}
	/* what combines with a character that went would sit on the ellipsis */
	while (*text && character_at(text).width == 0)
		text += character_at(text).length;
	return text;
}

char *display_shortened(const char *text, size_t room)
{
	const char *ellipsis = output_is_utf8() ? "…" : "...", *end;
	size_t width = display_width(text), gap = display_width(ellipsis), head;
	char *copy;

	if (width <= room)
		return strdup(text);
	if (room <= gap)
		return strndup(ellipsis, bytes_within(ellipsis, room));
	/* the end, which names the file, gets the odd column */
	head = bytes_within(text, (room - gap) / 2);
	end = end_within(text, width, room - gap - (room - gap) / 2);
	if (asprintf(&copy, "%.*s%s%s", (int)head, text, ellipsis, end) < 0)
		return NULL;
	return copy;
}

size_t display_line(const char *text, size_t room)
{
	size_t fits = bytes_within(text, room), at = fits;

	if (!text[fits])
		return fits;
	while (at && text[at] != ' ')
		at--;
	if (at)
		return at;
	return fits ? fits : character_at(text).length;
}
