/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules of distributions bring memory online as soon as it shows. While it is
 * taken away they must not: a driver that is unbound over one block that is
 * online loses all. For effects-system.c; each runs in a child.
 *
 * No rule can undo what another one writes, and none is read before all others
 * by right. But a file in /run/udev/rules.d stands for the one of its name in
 * /usr/lib (udev(7)): so each of those that speak of memory gets a copy there that
 * begins with a line of ours, which lets our blocks pass by. What an administrator has put into /etc stays as it
 * is.
 */
#ifndef RETIRE_EFFECTS_UDEV_H
#define RETIRE_EFFECTS_UDEV_H

#include "retire/model.h"

/* Of all blocks of it. 0, 1 there are no such rules, or a negative errno. */
int udev_keep_offline(const struct system_ram *memory);

/* Takes away all copies and names of blocks, whoever has made them. 0, 1 there are none, or a negative errno. */
int udev_let_online(void);

#endif
