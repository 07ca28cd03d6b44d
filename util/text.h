/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strict, bounded parsing of what the kernel and users write. A function that
 * parses takes the whole string or fails with -EINVAL (-ERANGE when too big):
 * "0garbage" is no number.
 */
#ifndef UTIL_TEXT_H
#define UTIL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Decimal, or hexadecimal behind 0x; no sign, no space. */
int parse_number(const char *text, uint64_t *number);

/* "MAJOR:MINOR", decimal. */
int parse_dev(const char *text, dev_t *dev);

/* The kernel's \ooo escapes of /proc (space, tab, newline, backslash), undone in place. */
void unescape_octal(char *text);

/*
 * Cuts the next field off *cursor at any of `separators` and moves on; the
 * text is changed. NULL at the end. Empty fields are fields.
 */
char *next_field(char **cursor, const char *separators);

/* Absolute, shorter than PATH_MAX, without empty, "." or ".." parts: as the kernel writes the path of a place. */
bool is_plain_path(const char *path);

bool starts_with(const char *text, const char *prefix);

/* Bytes of the UTF-8 character at `text`, 0 when there is none; never reads beyond a NUL. */
size_t utf8_length(const char *text);

/*
 * A copy of `text` fit for a terminal: control characters (C1, too) and what is
 * not UTF-8 become \xNN. Other people choose file names and comm. At most
 * `size` bytes with the NUL; returns `copy`.
 */
char *printable(const char *text, char *copy, size_t size);

/* "1.00 GiB" as ndctl -u prints it, without the bytes. */
char *human_size(uint64_t bytes, char *text, size_t size);

/*
 * What stands behind `key`, "logdev=", among the options of a mount table,
 * without its escapes; NULL when there is none. The caller frees.
 */
char *option_value(const char *options, const char *key);

#endif
