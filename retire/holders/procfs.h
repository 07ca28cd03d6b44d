/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The formats of /proc/PID/{stat,status,cgroup,maps} and /proc/swaps. Pure.
 * A process chooses its own comm, its file names and, in a container, the
 * names of its cgroups.
 */
#ifndef RETIRE_HOLDERS_PROCFS_H
#define RETIRE_HOLDERS_PROCFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_stat {
	pid_t pid, parent;
	char comm[64];
	char state; /* 'Z' and 'X' have nothing any more */
	bool kernel_thread;
	uint64_t starttime; /* clock ticks since boot */
};

/* 0 or -EINVAL. comm may have spaces, parentheses and newlines in it. */
int stat_parse(const char *text, struct proc_stat *stat);

/* The real uid of a status file. 0 or -EINVAL. */
int status_parse_uid(const char *text, uid_t *uid);

/*
 * What it has pinned (VmPin) or locked (VmLck) of a status file, in bytes; 0 when it says nothing. VFIO counts what it
 * pins among the locked: drivers/vfio/vfio_iommu_type1.c:vfio_lock_acct().
 */
uint64_t status_parse_pinned(const char *text);

/*
 * The systemd unit that a cgroup file shows, as cg_path_get_unit() of systemd
 * finds it: the first component below the slices. NULL when there is none;
 * the caller frees.
 */
char *cgroup_parse_unit(const char *text);

/* … that a cgroup of this path belongs to; caller frees; NULL when none. */
char *procfs_unit_of_path(const char *path);

struct maps_line {
	uint64_t start, end;
	dev_t dev;
	uint64_t ino; /* 0: of no file */
};

/* Does not need the whole line, which has a path of any length. 0 or -EINVAL. */
int maps_parse(const char *line, struct maps_line *maps);

/* The inode number of a socket that has a name, from a line of /proc/net/unix. 0 or -EINVAL. */
int unix_parse(const char *line, uint64_t *ino);

struct swap_line {
	char *path; /* points into the line */
	bool file, deleted;
	int priority;
	uint64_t size, used; /* bytes */
};

/* Takes a line apart in place. 0 or -EINVAL. */
int swap_parse(char *line, struct swap_line *swap);

#endif
