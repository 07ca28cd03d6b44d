/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The format of /proc/PID/mountinfo (proc_pid_mountinfo(5), show_mountinfo() in fs/proc_namespace.c). Pure. */
#ifndef RETIRE_HOLDERS_MOUNTINFO_H
#define RETIRE_HOLDERS_MOUNTINFO_H

#include "retire/model.h"

/* Takes one line apart, in place: the strings of *mount point into it. 0 or -EINVAL. */
int mountinfo_parse(char *line, struct mount *mount);

/* A copy that owns its strings. 0 or -ENOMEM, and then what was copied is owned as well. */
int mount_copy(struct mount *copy, const struct mount *mount);

/*
 * The inode number of a mount namespace out of "mnt:[4026532210]", the root of
 * a mount of its file and the link of a descriptor (fs/nsfs.c:ns_dname()). 0 or
 * -EINVAL.
 */
int namespace_parse(const char *name, uint64_t *ino);

/* True when `option` is one of the words of a comma-separated list. */
bool has_option(const char *options, const char *option);

#endif
