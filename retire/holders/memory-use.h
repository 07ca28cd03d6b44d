/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RETIRE_HOLDERS_MEMORY_USE_H
#define RETIRE_HOLDERS_MEMORY_USE_H

#include "retire/memory.h"

struct root;

/*
 * Fills `used` and `elsewhere` and says so in `use_known`, which stays false
 * where /proc/kpageflags cannot be read (not root, or a kernel without it). A
 * number of its time: pages come and go meanwhile.
 */
void memory_find_use(const struct root *root, struct system_ram *memory);

/*
 * Adds the owners of what is online, by /proc/kpagecgroup. 0 or a negative
 * errno: not root, a kernel without cgroups, or out of memory.
 */
int memory_find_owners(const struct root *root, struct system_ram *memory);

struct look;

/* Of the pages of one node, in bytes; `bound`: to that node and no other, by mbind(2) or its cpuset. */
struct numa_use {
	int node;
	uint64_t bytes;
	bool bound;
};

/* Adds a line of /proc/PID/numa_maps, which it takes apart, to the uses of `count` nodes. */
void numa_maps_line(char *line, struct numa_use *uses, size_t count);

/* Does a status file say that memory of that node is all that it may have? */
bool status_is_confined(const char *status, int node);

/*
 * Fills `processes` of all memory of the look: those with a MiB or more of the
 * node that it is of, or bound to it. What could not be looked at becomes an unknown of the look. 0 or -ENOMEM.
 */
int memory_find_processes(const struct root *root, struct look *look);

#endif
