// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/holders/procfs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/text.h"

#define FLAG_KERNEL_THREAD 0x00200000 /* PF_KTHREAD of include/linux/sched.h */

/* A number in `base` and how far it went; no sign, no space. 0 or -EINVAL. */
static int take_number(const char **cursor, int base, uint64_t *number)
{
	const char *at = *cursor;

	for (*number = 0;; at++) {
		int digit = *at >= '0' && *at <= '9'   ? *at - '0'
			    : *at >= 'a' && *at <= 'f' ? *at - 'a' + 10
						       : base;

		if (digit >= base)
			break;
		if (__builtin_mul_overflow(*number, (uint64_t)base, number) ||
		    __builtin_add_overflow(*number, (uint64_t)digit, number))
			return -EINVAL;
	}
	if (at == *cursor)
		return -EINVAL;
	*cursor = at;
	return 0;
}

static int take_char(const char **cursor, char c)
{
	if (**cursor != c)
		return -EINVAL;
	++*cursor;
	return 0;
}

/* Moves past `count` fields and the space behind each. */
static int skip_fields(const char **cursor, int count)
{
	while (count-- > 0) {
		*cursor += strcspn(*cursor, " ");
		if (take_char(cursor, ' '))
			return -EINVAL;
	}
	return 0;
}

static void copy_comm(char comm[64], const char *from, size_t length)
{
	length = length < 63 ? length : 63;
	memcpy(comm, from, length);
	comm[length] = '\0';
}

/* "PID (COMM) STATE PPID …": only the last ')' ends the comm, since all behind it are numbers (do_task_stat()). */
int stat_parse(const char *text, struct proc_stat *stat)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')'), *cursor = text;
	uint64_t pid, parent, flags;

	if (!open || !close || close < open || take_number(&cursor, 10, &pid) || take_char(&cursor, ' ') ||
	    cursor != open)
		return -EINVAL;
	copy_comm(stat->comm, open + 1, (size_t)(close - open - 1));
	cursor = close + 1;
	if (take_char(&cursor, ' ') || !*cursor)
		return -EINVAL;
	stat->state = *cursor++;
	if (take_char(&cursor, ' ') || take_number(&cursor, 10, &parent) || take_char(&cursor, ' '))
		return -EINVAL;
	/* pgrp, session, tty, tpgid come before flags; twelve more before the start time */
	if (skip_fields(&cursor, 4) || take_number(&cursor, 10, &flags) || take_char(&cursor, ' ') ||
	    skip_fields(&cursor, 12) || take_number(&cursor, 10, &stat->starttime))
		return -EINVAL;
	if (pid > INT32_MAX || parent > INT32_MAX)
		return -EINVAL;
	stat->pid = (pid_t)pid;
	stat->parent = (pid_t)parent;
	stat->kernel_thread = flags & FLAG_KERNEL_THREAD;
	return 0;
}

int status_parse_uid(const char *text, uid_t *uid)
{
	/* never the first line, and "Name:" above it escapes newlines (proc_task_name()) */
	const char *cursor = strstr(text, "\nUid:\t");
	uint64_t number;

	if (!cursor)
		return -EINVAL;
	cursor += strlen("\nUid:\t");
	if (take_number(&cursor, 10, &number) || number > UINT32_MAX)
		return -EINVAL;
	*uid = (uid_t)number;
	return 0;
}

static uint64_t kib_after(const char *text, const char *label)
{
	const char *cursor = strstr(text, label);
	uint64_t kib;

	if (!cursor)
		return 0;
	cursor += strlen(label);
	cursor += strspn(cursor, "\t ");
	return take_number(&cursor, 10, &kib) || kib > UINT64_MAX / 2048 ? 0 : kib * 1024;
}

uint64_t status_parse_pinned(const char *text)
{
	return kib_after(text, "\nVmPin:") + kib_after(text, "\nVmLck:");
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t length = strlen(name), tail = strlen(suffix);

	return length > tail && strcmp(name + length - tail, suffix) == 0;
}

/* systemd's unit_name_is_valid(): these characters, one of these types. */
static bool is_unit_name(const char *name)
{
	static const char *const types[] = { ".service", ".scope", ".socket", ".mount",	 ".swap",
					     ".target",	 ".timer", ".path",   ".device", ".automount" };

	if (strlen(name) >= 256 ||
	    strspn(name, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:-_.\\@") != strlen(name))
		return false;
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (has_suffix(name, types[i]))
			return name[0] != '@';
	return false;
}

/* The first component that is no slice, when it is a unit; names that the kernel may use itself begin with "_". */
char *procfs_unit_of_path(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	char *cursor = copy, *part;

	while ((part = next_field(&cursor, "/"))) {
		if (!*part || has_suffix(part, ".slice"))
			continue;
		if (*part == '_')
			part++;
		return is_unit_name(part) ? strdup(part) : NULL;
	}
	return NULL;
}

/* The path of a line "ID:CONTROLLERS:PATH" when it begins with a number and `hierarchy`. */
static const char *path_of_line(const char *line, const char *hierarchy)
{
	const char *colon = strchr(line, ':');

	return colon && starts_with(colon, hierarchy) ? colon + strlen(hierarchy) : NULL;
}

static char *unit_in_hierarchy(const char *text, const char *hierarchy)
{
	_cleanup_free_ char *copy = strdup(text);
	char *cursor = copy, *line;

	while ((line = next_field(&cursor, "\n"))) {
		const char *path = path_of_line(line, hierarchy);

		if (path)
			return procfs_unit_of_path(path);
	}
	return NULL;
}

char *cgroup_parse_unit(const char *text)
{
	char *unit = unit_in_hierarchy(text, "::");

	return unit ? unit : unit_in_hierarchy(text, ":name=systemd:");
}

/* "ADDRESS: REFERENCES PROTOCOL FLAGS TYPE STATE INO NAME", all but the last two of fixed width: unix_seq_show()
 */
int unix_parse(const char *line, uint64_t *ino)
{
	if (skip_fields(&line, 6))
		return -EINVAL;
	line += strspn(line, " ");
	return take_number(&line, 10, ino) || take_char(&line, ' ') || !*ino ? -EINVAL : 0;
}

int maps_parse(const char *line, struct maps_line *maps)
{
	uint64_t offset, major_number, minor_number;

	/* "START-END rwxp OFFSET MAJOR:MINOR INO   PATH" (show_vma_header_prefix()) */
	if (take_number(&line, 16, &maps->start) || take_char(&line, '-') || take_number(&line, 16, &maps->end) ||
	    take_char(&line, ' ') || skip_fields(&line, 1) || take_number(&line, 16, &offset) ||
	    take_char(&line, ' ') || take_number(&line, 16, &major_number) || take_char(&line, ':') ||
	    take_number(&line, 16, &minor_number) || take_char(&line, ' ') || take_number(&line, 10, &maps->ino))
		return -EINVAL;
	if (major_number >= 1 << 12 || minor_number >= 1 << 20)
		return -EINVAL;
	maps->dev = makedev((unsigned)major_number, (unsigned)minor_number);
	return 0;
}

/* The next word of a line that is laid out with tabs and spaces. */
static char *take_word(char **cursor)
{
	char *word;

	do {
		word = next_field(cursor, " \t");
	} while (word && !*word);
	return word;
}

static int parse_kib(const char *word, uint64_t *bytes)
{
	if (!word || parse_number(word, bytes) || *bytes > UINT64_MAX / 1024)
		return -EINVAL;
	*bytes *= 1024;
	return 0;
}

static int parse_priority(const char *word, int *priority)
{
	uint64_t number;
	bool negative = word && *word == '-';

	if (!word || parse_number(word + negative, &number) || number > INT16_MAX + 1)
		return -EINVAL;
	*priority = negative ? -(int)number : (int)number;
	return 0;
}

int swap_parse(char *line, struct swap_line *swap)
{
	static const char deleted[] = " (deleted)";
	char *type;

	swap->path = take_word(&line);
	type = take_word(&line);
	if (!type || swap->path[0] != '/' || (strcmp(type, "partition") && strcmp(type, "file")) ||
	    parse_kib(take_word(&line), &swap->size) || parse_kib(take_word(&line), &swap->used) ||
	    parse_priority(take_word(&line), &swap->priority))
		return -EINVAL;
	unescape_octal(swap->path);
	swap->file = type[0] == 'f';
	swap->deleted = has_suffix(swap->path, deleted);
	if (swap->deleted)
		swap->path[strlen(swap->path) - strlen(deleted)] = '\0';
	return 0;
}
