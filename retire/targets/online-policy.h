/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel does with memory that a driver adds: auto_online_blocks, of
 * the whole machine. While one of our devices gets its driver back it is
 * "offline", since who brings memory back knows which blocks, and in which zone.
 *
 * A bind may hang, and whoever waits for it be killed. So a process of its own puts
 * the policy back when the one that set it ends, however that comes about, and
 * not before: what a bind that hangs adds later is still ours.
 *
 * Only for targets/.
 */
#ifndef RETIRE_TARGETS_ONLINE_POLICY_H
#define RETIRE_TARGETS_ONLINE_POLICY_H

#include <sys/types.h>

struct root;

struct online_policy {
	int held; /* when this closes, it is put back; -1: nothing was changed */
	pid_t keeper;
};

/* 0, also where the kernel has no such policy or memory stays offline anyway; or a negative errno. */
int online_policy_set_offline(const struct root *root, struct online_policy *policy);

/* Waits until it is back, unless somebody has changed it meanwhile. */
void online_policy_put_back(struct online_policy *policy);

#endif
