/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is a page referenced by more than what maps it? Pure: from copies of the
 * kernel's struct page.
 */
#ifndef RETIRE_PAGES_JUDGE_H
#define RETIRE_PAGES_JUDGE_H

#include "retire/pages/layout.h"

struct tally {
	uint64_t counted;    /* pages, those within larger ones included */
	uint64_t mapped;     /* only where the kernel counts that: layout->counts_mappings */
	uint64_t referenced; /* by something that is no mapping; a larger page is one */
	uint64_t idle;	     /* referenced by its mappings alone, if by anything; a larger page is one */
	uint64_t odd;	     /* less than nobody would make: being changed, or not understood */
};

enum judgement {
	JUDGED_REFERENCED, /* or not: as the tally says */
	JUDGED_ODD,	   /* counts that make no sense */
	JUDGED_NONE_IDLE   /* not one page is as nobody's pages are on the kernels that are known */
};

/*
 * Can the tally of a device be believed? `own`: some of its pages are never given to anybody. Then one that is
 * idle shows that the kernel counts as is known, however many others are referenced. Else all may really be.
 */
enum judgement judge_tally(const struct tally *tally, bool own);

/* A page that is referenced: the place of it in what is judged. */
typedef void judge_found(void *argument, size_t at);

/*
 * Judges `count` pages and adds to the tally. `pages` holds one more after
 * them, unless `last`: a page is known to be a larger one by what follows it.
 * `idle` is the count of a page that nobody uses. `found` may be NULL.
 */
void judge_pages(const struct layout *layout, int idle, const void *pages, size_t count, bool last,
		 judge_found *found, void *argument, struct tally *tally);

/*
 * The same of `count` larger pages that lie one after the other, each as long
 * as `each` bytes of the kernel's array, from `address` in it on. Only what tells
 * of them is looked at: `ends` has three pages of each in a row, the first two
 * and the last. False, and nothing is counted, when one of them is no page from
 * end to end. The places that `found` gets are those of the first pages.
 */
bool judge_large(const struct layout *layout, int idle, const void *ends, uint64_t address, uint64_t each,
		 size_t count, judge_found *found, void *argument, struct tally *tally);

#endif
