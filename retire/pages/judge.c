// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/pages/judge.h"

#include <string.h>

static inline int32_t number_at(const unsigned char *page, uint32_t offset)
{
	int32_t number;

	memcpy(&number, page + offset, sizeof(number));
	return number;
}

/* include/linux/page-flags.h:_compound_head(): bit 0 of the word */
static inline bool is_tail(const struct layout *layout, const unsigned char *page)
{
	return number_at(page, layout->head) & 1;
}

/* Kept from the outset at -1, so that the first mapping is found by a change to 0. */
static int mappings(const struct layout *layout, const unsigned char *page, bool large)
{
	if (large && layout->large_mapcount)
		return number_at(page, layout->large_mapcount) + 1;
	return number_at(page, layout->mapcount) + 1;
}

/*
 * As most pages of most devices are: nobody's, and in nothing larger. No
 * branches, so that a compiler can do several at a time.
 */
static bool all_are_idle(const struct layout *layout, int idle, const unsigned char *pages, size_t count)
{
	int32_t other = 0;

	for (size_t i = 0; i < count; i++, pages += layout->page_size)
		other |= (number_at(pages, layout->head) & 1) | (number_at(pages, layout->mapcount) ^ -1) |
			 (number_at(pages, layout->refcount) ^ idle);
	return !other;
}

/* One that is no tail: is it referenced? */
static bool judge_page(const struct layout *layout, int idle, const unsigned char *page, bool large,
		       struct tally *tally)
{
	int mapped = mappings(layout, page, large);
	int more = number_at(page, layout->refcount) - idle - mapped;

	tally->mapped += mapped > 0;
	tally->referenced += more > 0;
	tally->idle += more == 0;
	tally->odd += more < 0 || mapped < 0;
	return more > 0;
}

void judge_pages(const struct layout *layout, int idle, const void *all, size_t count, bool last,
		 judge_found *found, void *argument, struct tally *tally)
{
	const unsigned char *page = all;

	tally->counted += count;
	/* what follows the last one only matters to one that is not idle by itself */
	if (all_are_idle(layout, idle, page, count)) {
		tally->idle += count;
		return;
	}
	for (size_t i = 0; i < count; i++, page += layout->page_size) {
		bool large;

		if (is_tail(layout, page))
			continue;
		large = (i + 1 < count || !last) && is_tail(layout, page + layout->page_size);
		if (judge_page(layout, idle, page, large, tally) && found)
			found(argument, i);
	}
}

/*
 * include/linux/page-flags.h:_compound_head(): a tail has the address of the
 * first page, or on newer kernels, where the size of an entry is a power of two,
 * a mask that takes its own address there; and bit 0.
 */
static bool is_tail_of(const struct layout *layout, const unsigned char *page, uint64_t address, uint64_t head)
{
	uint64_t word;

	memcpy(&word, page + layout->head, sizeof(word));
	return word & 1 && ((word & ~1ULL) == head || (word & ~1ULL & address) == head);
}

static bool is_large(const struct layout *layout, const unsigned char *ends, uint64_t head, uint64_t each)
{
	uint32_t size = layout->page_size;

	return !is_tail(layout, ends) && is_tail_of(layout, ends + size, head + size, head) &&
	       is_tail_of(layout, ends + 2 * size, head + each - size, head);
}

bool judge_large(const struct layout *layout, int idle, const void *all, uint64_t address, uint64_t each,
		 size_t count, judge_found *found, void *argument, struct tally *tally)
{
	const size_t ends = (size_t)3 * layout->page_size, pages = each / layout->page_size;
	const unsigned char *first = all;

	for (size_t i = 0; i < count; i++)
		if (!is_large(layout, first + i * ends, address + i * each, each))
			return false;
	tally->counted += count * pages;
	for (size_t i = 0; i < count; i++)
		if (judge_page(layout, idle, first + i * ends, true, tally) && found)
			found(argument, i * pages);
	return true;
}

enum judgement judge_tally(const struct tally *tally, bool own)
{
	if (tally->odd)
		return JUDGED_ODD;
	return own && tally->referenced && !tally->idle ? JUDGED_NONE_IDLE : JUDGED_REFERENCED;
}
