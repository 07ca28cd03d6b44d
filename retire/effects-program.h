/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program of the system, run to its end: for a child of effects-system.c, since it may never come to it. */
#ifndef RETIRE_EFFECTS_PROGRAM_H
#define RETIRE_EFFECTS_PROGRAM_H

/*
 * argv[0] is its absolute path. It sees no descriptor of ours and nothing of
 * our environment. 0; -EREMOTEIO when it says that it failed; -ENOPKG when there
 * is no such program; or another negative errno.
 */
int program_run(char *const argv[]);

#endif
