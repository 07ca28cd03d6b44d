/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Under systemd a process lives in the control group of the unit or session
 * that started it and is killed with that. The guardian gets a scope of its
 * own, so that a stopped unit or a lost session leaves nothing frozen.
 */
#ifndef RETIRE_GUARDIAN_SCOPE_H
#define RETIRE_GUARDIAN_SCOPE_H

#include <sys/types.h>

/*
 * Moves process `pid` into a transient scope of system.slice and waits until
 * it is there. 0; 1 where systemd does not run or this program was built
 * without it; a negative errno. Talks over D-Bus: call it in a child.
 */
int guardian_scope(pid_t pid);

#endif
