/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Under a name of the family, what is not ours is the business of the next
 * program of that name on PATH.
 *
 * Never this program itself, whatever links lead to it: files are compared,
 * not names. For root, only a file that root owns and nobody else may write,
 * and every directory that its path leads through, links included, must be so
 * as well. Because nobody else can change what was checked, the path can be
 * executed afterwards; a script needs it, and `ps` shows its name.
 */
#ifndef CLI_HANDOFF_H
#define CLI_HANDOFF_H

#include "util/err.h"

/* The path of the next program called `name`; caller frees. 0, -ENOENT (the message says what was passed over) or
 * another errno. */
int next_program(const char *name, char **path, struct err *err);

/* Becomes the next program called `name`, with argv unchanged; returns only when that fails, with the negative
 * errno. */
int hand_on(const char *name, int argc, const char **argv, struct err *err);

/*
 * What `name argument` of the next program prints on stdout, at most 64 KiB
 * within two seconds; caller frees. NULL when there is none.
 */
char *next_program_says(const char *name, const char *argument);

#endif
