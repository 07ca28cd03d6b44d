/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text on a terminal: how wide it is, and what fits. The width of a text is
 * the columns that it takes in the character set of the locale (setlocale()
 * has been called), as wcwidth(3) has it.
 */
#ifndef UTIL_TERMINAL_H
#define UTIL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Columns of the terminal `fd` now (it may have been resized), 0 when it is none. */
size_t terminal_columns(int fd);

/* As terminal_columns(), but COLUMNS in the environment comes first. 0: as wide as may be. */
size_t output_columns(int fd);

/* A terminal that is not dumb, and a user who has not set NO_COLOR (https://no-color.org). */
bool output_has_colour(int fd);

/* The locale's character set is UTF-8. */
bool output_is_utf8(void);

/*
 * A copy of `text` that shows on one line and cannot steer a terminal: what is
 * no printable character of the locale, and what changes the direction of
 * text, is \xNN for each byte. Caller frees; NULL when memory is out.
 */
char *displayable(const char *text);

size_t display_width(const char *text);

/* Cuts `text` off so that it takes at most `room` columns; a byte that is no character becomes '?'. */
void display_cut(char *text, size_t room);

/*
 * A copy of `text` that takes at most `room` columns: the middle gives way to
 * an ellipsis, since both ends of a path tell more. Caller frees; NULL when
 * memory is out.
 */
char *display_shortened(const char *text, size_t room);

/*
 * Bytes of `text` for the next line of at most `room` columns: up to a space
 * where there is one, else as much as fits, and one character at least.
 */
size_t display_line(const char *text, size_t room);

#endif
