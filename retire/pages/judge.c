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
		int mapped, more;

		if (is_tail(layout, page))
			continue;
		large = (i + 1 < count || !last) && is_tail(layout, page + layout->page_size);
		mapped = mappings(layout, page, large);
		more = number_at(page, layout->refcount) - idle - mapped;
		tally->mapped += mapped > 0;
		tally->referenced += more > 0;
		tally->idle += more == 0;
		tally->odd += more < 0 || mapped < 0;
		if (more > 0 && found)
			found(argument, i);
	}
}

enum judgement judge_tally(const struct tally *tally, bool own)
{
	if (tally->odd)
		return JUDGED_ODD;
	return own && tally->referenced && !tally->idle ? JUDGED_NONE_IDLE : JUDGED_REFERENCED;
}
