// SPDX-License-Identifier: GPL-2.0-or-later
/* Counting references: the kernel's types, and what is made of its pages. */
#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "retire/pages/btf.h"
#include "retire/pages/judge.h"
#include "retire/pages/layout.h"
#include "retire/pages/pages.h"
#include "util/array.h"
#include "util/root.h"

/* A BTF under construction. */
struct draft {
	uint32_t types[512];
	uint32_t words, ids;
	char strings[1024];
	uint32_t length;
	struct {
		struct btf_header header;
		unsigned char rest[4096];
	} blob;
	size_t size;
};

static uint32_t text(struct draft *draft, const char *string)
{
	uint32_t at = draft->length;

	if (!*string)
		return 0;
	strcpy(draft->strings + at, string);
	draft->length += (uint32_t)strlen(string) + 1;
	return at;
}

static uint32_t add_type(struct draft *draft, const char *name, uint32_t kind, uint32_t parts, uint32_t size)
{
	draft->types[draft->words++] = text(draft, name);
	draft->types[draft->words++] = kind << 24 | parts;
	draft->types[draft->words++] = size;
	return ++draft->ids;
}

static void add_word(struct draft *draft, uint32_t word)
{
	draft->types[draft->words++] = word;
}

static void add_member(struct draft *draft, const char *name, uint32_t type, uint32_t bytes)
{
	add_word(draft, text(draft, name));
	add_word(draft, type);
	add_word(draft, bytes * 8);
}

static void finish(struct draft *draft)
{
	uint32_t types = draft->words * 4;

	draft->blob.header = (struct btf_header){ .magic = BTF_MAGIC,
						  .version = BTF_VERSION,
						  .hdr_len = sizeof(struct btf_header),
						  .type_len = types,
						  .str_off = types,
						  .str_len = draft->length };
	memcpy(draft->blob.rest, draft->types, types);
	memcpy(draft->blob.rest + types, draft->strings, draft->length);
	draft->size = sizeof(struct btf_header) + types + draft->length;
}

static int open_draft(struct draft *draft, struct btf *btf)
{
	finish(draft);
	return btf_open(btf, &draft->blob, draft->size);
}

static void begin(struct draft *draft)
{
	memset(draft, 0, sizeof(*draft));
	draft->length = 1;
}

/* struct page { u64 flags; union { struct { u64 head; } }; atomic _refcount at 52 } */
static void draft_page(struct draft *draft)
{
	uint32_t word, number, inner, outer;

	begin(draft);
	word = add_type(draft, "long", BTF_KIND_INT, 0, 8);
	add_word(draft, 64);
	number = add_type(draft, "atomic_t", BTF_KIND_TYPEDEF, 0, draft->ids + 2);
	add_type(draft, "int", BTF_KIND_INT, 0, 4);
	add_word(draft, 32);
	inner = add_type(draft, "", BTF_KIND_STRUCT, 1, 8);
	add_member(draft, "compound_head", word, 0);
	outer = add_type(draft, "", BTF_KIND_UNION, 1, 8);
	add_member(draft, "", inner, 0);
	add_type(draft, "page", BTF_KIND_STRUCT, 3, 64);
	add_member(draft, "flags", word, 0);
	add_member(draft, "", outer, 8);
	add_member(draft, "_refcount", number, 52);
}

static void a_member_is_found_where_it_is(void **state)
{
	struct btf_place place;
	struct draft draft;
	struct btf btf;
	uint32_t size;

	(void)state;
	draft_page(&draft);
	assert_int_equal(open_draft(&draft, &btf), 0);
	assert_int_equal(btf_struct_size(&btf, "page", &size), 0);
	assert_int_equal(size, 64);
	assert_int_equal(btf_member(&btf, "page", "_refcount", &place), 0);
	assert_int_equal(place.offset, 52);
	assert_int_equal(place.size, 4);
	assert_int_equal(btf_member(&btf, "page", "compound_head", &place), 0);
	assert_int_equal(place.offset, 8);
	assert_int_equal(place.size, 8);
	assert_int_equal(btf_member(&btf, "page", "_mapcount", &place), -ENOENT);
	assert_int_equal(btf_member(&btf, "pag", "flags", &place), -ENOENT);
	assert_int_equal(btf_struct_size(&btf, "long", &size), -ENOENT);
	btf_close(&btf);
}

static void structures_that_disagree_tell_nothing(void **state)
{
	struct btf_place place;
	struct draft draft;
	struct btf btf;
	uint32_t size;

	(void)state;
	draft_page(&draft);
	add_type(&draft, "page", BTF_KIND_STRUCT, 1, 56);
	add_member(&draft, "flags", 1, 16);
	assert_int_equal(open_draft(&draft, &btf), 0);
	assert_int_equal(btf_struct_size(&btf, "page", &size), -EINVAL);
	assert_int_equal(btf_member(&btf, "page", "flags", &place), -EINVAL);
	btf_close(&btf);
}

static void what_is_cut_off_is_refused(void **state)
{
	struct draft draft;
	struct btf btf;

	(void)state;
	draft_page(&draft);
	finish(&draft);
	for (size_t size = 0; size < draft.size; size++)
		assert_int_equal(btf_open(&btf, &draft.blob, size), -EINVAL);
}

static void a_kind_that_is_not_known_is_refused(void **state)
{
	struct draft draft;
	struct btf btf;

	(void)state;
	draft_page(&draft);
	add_type(&draft, "new", BTF_KIND_ENUM64 + 1, 0, 0);
	assert_int_equal(open_draft(&draft, &btf), -EINVAL);
}

static void what_contains_itself_ends(void **state)
{
	struct btf_place place;
	struct draft draft;
	struct btf btf;

	(void)state;
	begin(&draft);
	add_type(&draft, "page", BTF_KIND_STRUCT, 4, 64);
	for (int i = 0; i < 4; i++)
		add_member(&draft, "", 2, 0);
	add_type(&draft, "", BTF_KIND_UNION, 4, 64);
	for (int i = 0; i < 4; i++)
		add_member(&draft, "", 2, 0);
	add_type(&draft, "name", BTF_KIND_TYPEDEF, 0, 3);
	assert_int_equal(open_draft(&draft, &btf), 0);
	assert_int_equal(btf_member(&btf, "page", "flags", &place), -ENOENT);
	btf_close(&btf);
}

static void a_layout_without_all_of_it_is_unknown(void **state)
{
	struct layout layout;
	struct err err = { 0 };
	struct draft draft;

	(void)state;
	draft_page(&draft);
	finish(&draft);
	assert_int_equal(layout_read(&layout, &draft.blob, draft.size, &err), -EOPNOTSUPP);
	assert_string_equal(err.message, "this kernel's struct page has no _mapcount as it is known");
	assert_int_equal(layout_read(&layout, "\0BTF", 4, &err), -EOPNOTSUPP);
}

/* As Debian's 6.1, 6.12 and 7.2 have them. */
static const struct layout older = { .page_size = 64, .refcount = 52, .mapcount = 48, .head = 8 };
static const struct layout newer = { .page_size = 64,
				     .refcount = 52,
				     .mapcount = 48,
				     .head = 8,
				     .large_mapcount = 64 + 16,
				     .counts_mappings = true };

enum { PAGES = 1024, LARGE = 512 };

static unsigned char pages[PAGES * 64];

static void put(size_t page, uint32_t offset, int32_t number)
{
	memcpy(pages + page * 64 + offset, &number, sizeof(number));
}

static void all_idle(int idle)
{
	memset(pages, 0, sizeof(pages));
	for (size_t i = 0; i < PAGES; i++) {
		put(i, 48, -1);
		put(i, 52, idle);
	}
}

/* From `first` on; its tails have a count of 0 and point to it. */
static void make_large(size_t first, int references, int mappings)
{
	for (size_t i = first + 1; i < first + LARGE; i++) {
		put(i, 8, 0x1001);
		put(i, 52, 0);
	}
	put(first, 52, references);
	put(first + 1, 16, mappings - 1);
}

static struct tally judge(const struct layout *layout, int idle)
{
	struct tally tally = { 0 };

	judge_pages(layout, idle, pages, PAGES, true, NULL, NULL, &tally);
	return tally;
}

/* What was measured: reference count and mappings of one page, or one of 2 MiB, on each kernel. */
static const struct situation {
	const char *what;
	const struct layout *layout;
	int idle;
	bool large;
	int references, mappings;
	bool pinned;
} situations[] = {
	{ "fsdax, nobody, 6.x", &older, 1, false, 1, 0, false },
	{ "fsdax, nobody, 7.x", &newer, 0, false, 0, 0, false },
	{ "fsdax, mapped twice, 6.x", &older, 1, false, 1, 0, false },
	{ "fsdax, mapped once, 7.x", &newer, 0, false, 1, 1, false },
	{ "fsdax, mapped twice, 7.x", &newer, 0, false, 2, 2, false },
	{ "fsdax, in a pipe and mapped, 6.x", &older, 1, false, 2, 0, true },
	{ "fsdax, in a pipe and mapped, 7.x", &newer, 0, false, 2, 1, true },
	{ "fsdax, in a pipe alone, 6.x", &older, 1, false, 2, 0, true },
	{ "fsdax, in a pipe alone, 7.x", &newer, 0, false, 1, 0, true },
	{ "fsdax, 2 MiB, mapped twice and in a pipe, 7.x", &newer, 0, true, 18, 2, true },
	{ "fsdax, 2 MiB, mapped twice, 7.x", &newer, 0, true, 2, 2, false },
	{ "device-dax, nobody, 6.x", &older, 1, true, 1, 0, false },
	{ "device-dax, nobody, 7.x", &newer, 1, true, 1, 0, false },
	{ "device-dax, mapped twice, 7.x", &newer, 1, true, 3, 2, false },
	{ "device-dax, buffer of io_uring, 6.x", &older, 1, true, 2, 0, true },
	{ "device-dax, buffer of io_uring, 7.x", &newer, 1, true, 3, 1, true },
	{ "device-dax, in a pipe alone, 7.x", &newer, 1, true, 17, 0, true },
	{ "device-dax of 4 KiB, buffer of io_uring, 7.x", &newer, 1, false, 1026, 1, true },
};

static void every_situation_is_judged_as_it_was_measured(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(situations); i++) {
		const struct situation *now = &situations[i];
		struct tally tally;

		all_idle(now->idle);
		if (now->large) {
			make_large(LARGE, now->references, now->mappings);
		} else {
			put(700, 52, now->references);
			put(700, 48, now->mappings - 1);
		}
		tally = judge(now->layout, now->idle);
		if (tally.referenced != now->pinned || tally.odd || tally.counted != PAGES ||
		    tally.mapped != (now->mappings > 0))
			fail_msg("%s", now->what);
	}
}

static void a_count_below_that_of_nobody_makes_no_sense(void **state)
{
	(void)state;
	all_idle(1);
	put(5, 52, 0);
	assert_int_equal(judge(&older, 1).odd, 1);
	assert_int_equal(judge(&older, 1).referenced, 0);
	all_idle(0);
	put(5, 48, -5);
	assert_int_equal(judge(&newer, 0).odd, 1);
}

static void every_page_of_an_unknown_kernel_looks_referenced(void **state)
{
	(void)state;
	all_idle(1);
	assert_int_equal(judge(&newer, 0).referenced, PAGES);
	assert_int_equal(judge(&newer, 0).idle, 0);
}

static enum judgement believe(const struct layout *layout, int idle, bool own)
{
	struct tally tally = judge(layout, idle);

	return judge_tally(&tally, own);
}

static void one_idle_page_shows_that_the_others_are_referenced(void **state)
{
	(void)state;
	all_idle(1);
	assert_int_equal(believe(&newer, 0, true), JUDGED_NONE_IDLE);
	put(PAGES / 2, 52, 0);
	assert_int_equal(believe(&newer, 0, true), JUDGED_REFERENCED);
	assert_int_equal(judge(&newer, 0).referenced, PAGES - 1);
	all_idle(2);
	put(0, 52, 1);
	assert_int_equal(believe(&older, 1, true), JUDGED_REFERENCED);
}

static void a_mapped_page_shows_it_as_well(void **state)
{
	(void)state;
	all_idle(1);
	put(7, 48, 0);
	assert_int_equal(believe(&newer, 0, true), JUDGED_REFERENCED);
}

static void every_page_of_a_device_dax_may_be_referenced(void **state)
{
	(void)state;
	all_idle(1);
	make_large(0, 513, 0);
	make_large(LARGE, 2, 0);
	assert_int_equal(believe(&newer, 1, false), JUDGED_REFERENCED);
	assert_int_equal(judge(&newer, 1).referenced, 2);
	/* of a kernel where nobody's pages count none */
	make_large(0, 0, 0);
	assert_int_equal(believe(&newer, 1, false), JUDGED_ODD);
}

static void nobody_at_all_is_believed(void **state)
{
	(void)state;
	all_idle(0);
	assert_int_equal(believe(&newer, 0, true), JUDGED_REFERENCED);
	assert_int_equal(judge(&newer, 0).referenced, 0);
	assert_int_equal(judge(&newer, 0).idle, PAGES);
}

static void note(void *argument, size_t at)
{
	*(size_t *)argument = at;
}

/* The first page of a larger one may be the last of a window: what follows it lies behind. */
static void a_large_page_is_known_across_the_end_of_a_window(void **state)
{
	struct tally tally = { 0 };
	size_t found = 0;

	(void)state;
	all_idle(0);
	make_large(LARGE, 2, 2);
	judge_pages(&newer, 0, pages, LARGE + 1, false, note, &found, &tally);
	assert_int_equal(tally.referenced, 0);
	assert_int_equal(tally.mapped, 1);
	make_large(LARGE, 3, 2);
	judge_pages(&newer, 0, pages, LARGE + 1, false, note, &found, &tally);
	assert_int_equal(tally.referenced, 1);
	assert_int_equal(found, LARGE);
}

/* Where the array begins, in the order of magnitude of x86-64; a page of 2 MiB is 32 KiB of it. */
#define ARRAY 0xffffea0004000000ULL
enum { EACH = LARGE * 64 };

/* What of both larger pages tells: the first two entries and the last of each. */
static unsigned char ends[2 * 3 * 64];

static void put_end(size_t place, uint64_t head, int references, int mapped)
{
	memset(ends + place * 64, 0, 64);
	memcpy(ends + place * 64 + 8, &head, sizeof(head));
	memcpy(ends + place * 64 + 52, &references, sizeof(references));
	memcpy(ends + place * 64 + 48, &(int){ -1 }, sizeof(int));
	if (place % 3 == 1)
		memcpy(ends + place * 64 + 16, &(int){ mapped - 1 }, sizeof(int));
}

/* One of two: a tail has `word`, or the address of the first page. */
static void put_ends(size_t page, int references, int mapped, uint64_t word)
{
	word = word ? word : ARRAY + page * EACH + 1;
	put_end(3 * page, 0, references, 0);
	put_end(3 * page + 1, word, 0, mapped);
	put_end(3 * page + 2, word, 0, 0);
}

static bool judge_both(const struct layout *layout, struct tally *tally, size_t *found)
{
	*tally = (struct tally){ 0 };
	return judge_large(layout, 1, ends, ARRAY, EACH, 2, note, found, tally);
}

static void larger_pages_are_judged_by_their_ends_as_one_by_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(situations); i++) {
		const struct situation *now = &situations[i];
		struct tally tally;
		size_t found = 0;

		if (!now->large || !now->idle)
			continue;
		put_ends(0, 1, 0, 0);
		put_ends(1, now->references, now->mappings, 0);
		if (!judge_both(now->layout, &tally, &found) || tally.referenced != now->pinned || tally.odd ||
		    tally.counted != PAGES || tally.idle != 2U - now->pinned ||
		    tally.mapped != (now->mappings > 0) || found != (now->pinned ? LARGE : 0))
			fail_msg("%s", now->what);
	}
}

/* As 7.2 has it where an entry is 64 bytes long. */
static void a_tail_may_have_a_mask_instead_of_an_address(void **state)
{
	struct tally tally;
	size_t found = 0;

	(void)state;
	put_ends(0, 1, 0, ~(uint64_t)(EACH - 1) | 1);
	put_ends(1, 2, 0, ~(uint64_t)(EACH - 1) | 1);
	assert_true(judge_both(&newer, &tally, &found));
	assert_int_equal(tally.referenced, 1);
	assert_int_equal(found, LARGE);
}

static void what_is_not_one_page_from_end_to_end_is_not_judged_by_its_ends(void **state)
{
	const struct {
		uint64_t heads[3];
	} rows[] = {
		{ { 0, 0, 0 } },					  /* 4 KiB each */
		{ { 0, ARRAY + EACH + 1, 0 } },				  /* a smaller one, then 4 KiB */
		{ { 0, ARRAY + EACH + 1, ARRAY + EACH + EACH / 2 + 1 } }, /* two halves */
		{ { 0, ~(uint64_t)(EACH / 2 - 1) | 1, ~(uint64_t)(EACH / 2 - 1) | 1 } },
		{ { ARRAY + 1, ARRAY + 1, ARRAY + 1 } },	       /* the rest of a larger one */
		{ { 0, ARRAY + 2 * EACH + 1, ARRAY + 2 * EACH + 1 } }, /* of another */
	};
	struct tally tally;
	size_t found = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		put_ends(0, 2, 0, 0);
		for (size_t end = 0; end < 3; end++)
			put_end(3 + end, rows[i].heads[end], 1, 0);
		if (judge_both(&newer, &tally, &found) || tally.counted || tally.referenced || found)
			fail_msg("row %zu", i);
	}
}

/* It does not move while the kernel runs, and to find it takes longer than all the rest. */
static void where_the_pages_are_is_found_out_once(void **state)
{
	const struct root recorded = { .fd = AT_FDCWD, .recorded = true };
	struct look first = { 0 }, second = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(pages_find_array(&recorded, &first, &err), -EOPNOTSUPP);
	first.page_array = (struct page_array){ 0xffffea0000000000, 64 };
	assert_int_equal(look_copy_devices(&first, &second), 0);
	assert_int_equal(pages_find_array(&recorded, &second, &err), 0);
	assert_int_equal(second.page_array.base, 0xffffea0000000000);
	assert_int_equal(second.page_array.entry, 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_member_is_found_where_it_is),
		cmocka_unit_test(structures_that_disagree_tell_nothing),
		cmocka_unit_test(what_is_cut_off_is_refused),
		cmocka_unit_test(a_kind_that_is_not_known_is_refused),
		cmocka_unit_test(what_contains_itself_ends),
		cmocka_unit_test(a_layout_without_all_of_it_is_unknown),
		cmocka_unit_test(every_situation_is_judged_as_it_was_measured),
		cmocka_unit_test(a_count_below_that_of_nobody_makes_no_sense),
		cmocka_unit_test(every_page_of_an_unknown_kernel_looks_referenced),
		cmocka_unit_test(one_idle_page_shows_that_the_others_are_referenced),
		cmocka_unit_test(a_mapped_page_shows_it_as_well),
		cmocka_unit_test(every_page_of_a_device_dax_may_be_referenced),
		cmocka_unit_test(nobody_at_all_is_believed),
		cmocka_unit_test(a_large_page_is_known_across_the_end_of_a_window),
		cmocka_unit_test(larger_pages_are_judged_by_their_ends_as_one_by_one),
		cmocka_unit_test(a_tail_may_have_a_mask_instead_of_an_address),
		cmocka_unit_test(what_is_not_one_page_from_end_to_end_is_not_judged_by_its_ends),
		cmocka_unit_test(where_the_pages_are_is_found_out_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
