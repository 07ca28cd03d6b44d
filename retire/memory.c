// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/memory.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/root.h"

/* "8000000": hexadecimal without a prefix (drivers/base/memory.c:block_size_bytes_show()) */
uint64_t memory_read_block_size(const struct root *root)
{
	_cleanup_free_ char *text = root_attributef(root, "/sys/devices/system/memory/block_size_bytes");

	return text ? strtoull(text, NULL, 16) : 0;
}

void memory_blocks_in(const struct memory_range *range, uint64_t block_size, uint64_t *first, uint64_t *count)
{
	/* the last byte, since the end itself may not be a number any more */
	uint64_t last = range->start + (range->size - 1), end;

	*first = *count = 0;
	if (!block_size || !range->size || last < range->start)
		return;
	*first = range->start / block_size + (range->start % block_size != 0);
	end = last / block_size + (last % block_size == block_size - 1);
	*count = end > *first ? end - *first : 0;
}

void memory_free(struct system_ram *memory)
{
	array_each(owner, &memory->owners)
		free(owner->name);
	free(memory->owners.items);
	array_each(process, &memory->processes)
		free(process->unit);
	free(memory->processes.items);
	free(memory->blocks.items);
	*memory = (struct system_ram){ 0 };
}

static int compare_blocks(const void *a, const void *b)
{
	const struct memory_block *one = a, *other = b;

	return (one->number > other->number) - (one->number < other->number);
}

static bool is_sorted(const struct system_ram *memory)
{
	for (size_t i = 1; i < memory->blocks.count; i++)
		if (memory->blocks.items[i - 1].number > memory->blocks.items[i].number)
			return false;
	return true;
}

void memory_sort(struct system_ram *memory)
{
	if (!is_sorted(memory))
		qsort(memory->blocks.items, memory->blocks.count, sizeof(memory->blocks.items[0]), compare_blocks);
}

const struct memory_block *memory_block_of(const struct system_ram *memory, uint64_t number)
{
	const struct memory_block wanted = { .number = number };

	return memory->blocks.count ? bsearch(&wanted, memory->blocks.items, memory->blocks.count,
					      sizeof(memory->blocks.items[0]), compare_blocks)
				    : NULL;
}

static const char *const zone_names[ZONES] = {
	[ZONE_UNKNOWN] = "unknown", [ZONE_SPANNED] = "none",	[ZONE_DMA] = "DMA",	    [ZONE_DMA32] = "DMA32",
	[ZONE_NORMAL] = "Normal",   [ZONE_HIGHMEM] = "HighMem", [ZONE_MOVABLE] = "Movable",
};

const char *memory_zone_name(enum memory_zone zone)
{
	return zone_names[zone];
}

enum memory_zone memory_zone_named(const char *name)
{
	for (enum memory_zone zone = ZONE_SPANNED; name && zone < ZONES; zone++)
		if (strcmp(name, zone_names[zone]) == 0)
			return zone;
	return ZONE_UNKNOWN;
}

uint64_t memory_online(const struct system_ram *memory)
{
	return memory_online_outside(memory, ZONES);
}

uint64_t memory_online_outside(const struct system_ram *memory, enum memory_zone zone)
{
	uint64_t count = 0;

	array_each(block, &memory->blocks)
		count += block->state != MEMORY_OFFLINE && block->zone != zone;
	return count;
}

const char *memory_use_name(enum memory_use use)
{
	static const char *const names[MEMORY_USES] = {
		[MEMORY_FREE] = "free",		[MEMORY_ANONYMOUS] = "anonymous", [MEMORY_FILE] = "file",
		[MEMORY_HUGE] = "huge",		[MEMORY_SLAB] = "slab",		  [MEMORY_TABLES] = "page-tables",
		[MEMORY_POISONED] = "poisoned", [MEMORY_KERNEL] = "kernel",
	};

	return names[use];
}

uint64_t memory_used(const struct system_ram *memory)
{
	uint64_t used = 0;

	for (enum memory_use use = MEMORY_FREE + 1; use < MEMORY_USES; use++)
		used += use == MEMORY_POISONED ? 0 : memory->used[use];
	return used;
}

/* Their numbers are for ever: include/uapi/linux/kernel-page-flags.h */
enum {
	KPF_LRU = 5,
	KPF_SLAB = 7,
	KPF_BUDDY = 10,
	KPF_MMAP = 11,
	KPF_ANON = 12,
	KPF_SWAPBACKED = 14,
	KPF_HUGE = 17,
	KPF_HWPOISON = 19,
	KPF_NOPAGE = 20,
	KPF_THP = 22,
	KPF_PGTABLE = 26,
};

enum memory_use memory_use_of(uint64_t flags)
{
	/* in this order: a poisoned page may have been anything before */
	static const struct {
		int bit;
		enum memory_use use;
	} meanings[] = {
		{ KPF_NOPAGE, MEMORY_USES },	{ KPF_HWPOISON, MEMORY_POISONED },
		{ KPF_BUDDY, MEMORY_FREE },	{ KPF_SLAB, MEMORY_SLAB },
		{ KPF_PGTABLE, MEMORY_TABLES }, { KPF_HUGE, MEMORY_HUGE },
		{ KPF_ANON, MEMORY_ANONYMOUS }, { KPF_SWAPBACKED, MEMORY_ANONYMOUS },
		{ KPF_LRU, MEMORY_FILE },	{ KPF_MMAP, MEMORY_FILE },
		{ KPF_THP, MEMORY_FILE },
	};

	for (size_t i = 0; i < COUNT_OF(meanings); i++)
		if (flags & UINT64_C(1) << meanings[i].bit)
			return meanings[i].use;
	return MEMORY_KERNEL;
}
