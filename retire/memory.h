/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory of this system that lies on a device: which blocks, and what is known
 * of each. Pure arithmetic; who reads sysfs is holders/memory.c.
 *
 * A block is the least that goes offline by itself, block_size_bytes in
 * /sys/devices/system/memory; its number times its size is its address.
 */
#ifndef RETIRE_MEMORY_H
#define RETIRE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/array.h"

struct root;

/* Physical memory, in bytes. */
struct memory_range {
	uint64_t start, size;
};

struct memory_ranges {
	ARRAY_OF(struct memory_range);
};

/* As `state` has it: drivers/base/memory.c:state_show(). */
enum memory_state { MEMORY_OFFLINE, MEMORY_ONLINE, MEMORY_GOING_OFFLINE };

/*
 * As `valid_zones` of an online block has it: where it is. ZONE_SPANNED
 * ("none"): in more than one, and so it never goes offline (memory_block_offline()).
 */
enum memory_zone {
	ZONE_UNKNOWN,
	ZONE_SPANNED,
	ZONE_DMA,
	ZONE_DMA32,
	ZONE_NORMAL,
	ZONE_HIGHMEM,
	ZONE_MOVABLE,
	ZONES
};

struct memory_block {
	uint64_t number;
	uint8_t state, zone; /* enum memory_state, enum memory_zone; the zone of what is online only */
};

/*
 * What the pages of online blocks are, by /proc/kpageflags. The kernel moves
 * anonymous memory and, where it does not rather drop it, what is cached of files;
 * of the others it can move none, but for huge pages where another node has room.
 */
enum memory_use {
	MEMORY_FREE,
	MEMORY_ANONYMOUS, /* also of shared memory */
	MEMORY_FILE,
	MEMORY_HUGE,
	MEMORY_SLAB,
	MEMORY_TABLES,
	MEMORY_POISONED,
	MEMORY_KERNEL, /* anything else that is allocated, and what waits on a processor's list of free pages */
	MEMORY_USES
};

const char *memory_use_name(enum memory_use use); /* "anonymous" */

/* Where else the machine has room, in bytes. */
struct memory_room {
	uint64_t free;
	uint64_t reclaimable; /* clean or not, it can be dropped or written back */
	uint64_t swap;
};

/* Who is charged for pages of it. */
struct memory_owner {
	char *name; /* of a unit, or the path of a cgroup that is of none */
	uint64_t bytes;
	uint64_t pinned; /* pages that its processes keep where they are */
};

/* Who has memory of the node that it is of. */
struct memory_process {
	pid_t pid;
	char comm[64];
	char *unit; /* NULL: of none */
	uint64_t bytes;
	bool bound; /* to that node and no other */
};

struct system_ram {
	uint64_t block_size; /* bytes */
	int node;	     /* that it is memory of; -1: not known */
	uint64_t node_total; /* all memory of that node, in bytes; 0: not known */
	ARRAY_OF(struct memory_block) blocks;
	bool use_known;		    /* are these: */
	uint64_t used[MEMORY_USES]; /* bytes, in pages of … */
	uint64_t page_size;
	struct memory_room elsewhere;
	ARRAY_OF(struct memory_owner) owners;	   /* the one with most first; empty where that cannot be told */
	ARRAY_OF(struct memory_process) processes; /* in the same order */
};

/* Bytes of each block; 0 where the kernel does not say, or has no such blocks. */
uint64_t memory_read_block_size(const struct root *root);

/*
 * The blocks that lie wholly inside the range, *count of them from *first on: a
 * block that sticks out is a neighbour's too, and the kernel adds whole ones
 * only (drivers/dax/kmem.c:dax_kmem_range()).
 */
void memory_blocks_in(const struct memory_range *range, uint64_t block_size, uint64_t *first, uint64_t *count);

/* What is free or could be dropped on memory that goes is no room for what moves. */
static inline void memory_room_without(struct memory_room *room, const struct system_ram *memory)
{
	uint64_t free = memory->used[MEMORY_FREE], droppable = memory->used[MEMORY_FILE];

	room->free -= free < room->free ? free : room->free;
	room->reclaimable -= droppable < room->reclaimable ? droppable : room->reclaimable;
}

/* What it owns. */
void memory_free(struct system_ram *memory);

/* In the order of their addresses; what memory_block_of() finds them by. */
void memory_sort(struct system_ram *memory);
const struct memory_block *memory_block_of(const struct system_ram *memory, uint64_t number); /* NULL: none */

/* The words of sysfs: "Movable", "none"; ZONE_UNKNOWN for any other and for NULL. */
const char *memory_zone_name(enum memory_zone zone);
enum memory_zone memory_zone_named(const char *name);

/* How many blocks are not offline, or of those the ones that are not in `zone`. */
uint64_t memory_online(const struct system_ram *memory);
uint64_t memory_online_outside(const struct system_ram *memory, enum memory_zone zone);

/* What is in use, in bytes: all that is not free, of the kinds that have to find room elsewhere. */
uint64_t memory_used(const struct system_ram *memory);

/* From the bits of /proc/kpageflags (include/uapi/linux/kernel-page-flags.h); MEMORY_USES: there is no such page.
 */
enum memory_use memory_use_of(uint64_t flags);

#endif
