// SPDX-License-Identifier: GPL-2.0-or-later
/* Which blocks of memory a device has: a table, and what holds of every range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "retire/memory.h"

#define MIB   (UINT64_C(1) << 20)
#define BLOCK (128 * MIB)

static const struct {
	const char *what;
	struct memory_range range;
	uint64_t block_size, first, count;
} rows[] = {
	{ "one block", { BLOCK, BLOCK }, BLOCK, 1, 1 },
	{ "the first of all", { 0, BLOCK }, BLOCK, 0, 1 },
	{ "seven, from 4224 MiB on", { 0x108000000, 0x38000000 }, BLOCK, 33, 7 },
	{ "a page less at the end", { BLOCK, 2 * BLOCK - 4096 }, BLOCK, 1, 1 },
	{ "a page less at the start", { BLOCK + 4096, 2 * BLOCK - 4096 }, BLOCK, 2, 1 },
	{ "both ends stick out", { BLOCK - MIB, 2 * BLOCK + 2 * MIB }, BLOCK, 1, 2 },
	{ "less than a block", { BLOCK, BLOCK - 1 }, BLOCK, 1, 0 },
	{ "across a border, no whole block", { BLOCK + MIB, BLOCK }, BLOCK, 2, 0 },
	{ "nothing", { BLOCK, 0 }, BLOCK, 0, 0 },
	{ "blocks of no size", { BLOCK, BLOCK }, 0, 0, 0 },
	{ "up to the last byte there is", { UINT64_MAX - BLOCK + 1, BLOCK }, BLOCK, UINT64_MAX / BLOCK, 1 },
	{ "beyond it", { UINT64_MAX - BLOCK + 1, 2 * BLOCK }, BLOCK, 0, 0 },
};

static void the_blocks_of_a_range(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint64_t first, count;

		memory_blocks_in(&rows[i].range, rows[i].block_size, &first, &count);
		if (count != rows[i].count || (count && first != rows[i].first))
			fail_msg("%s: %lu from %lu on", rows[i].what, (unsigned long)count, (unsigned long)first);
	}
}

/* Inside, and none that would fit is left out. */
static void check(const struct memory_range *range, uint64_t block_size)
{
	uint64_t first, count, last = range->start + range->size - 1;

	memory_blocks_in(range, block_size, &first, &count);
	if (!count)
		return assert_true(range->size < 2 * block_size - 1);
	assert_true(first * block_size >= range->start);
	assert_true(first * block_size - range->start < block_size);
	assert_true((first + count) * block_size - 1 <= last);
	assert_true(last - ((first + count) * block_size - 1) < block_size);
}

static void every_block_of_any_range_is_whole_and_inside(void **state)
{
	(void)state;
	srandom(1);
	for (int i = 0; i < 200000; i++) {
		uint64_t block_size = MIB << random() % 12, page = 4096;
		struct memory_range range = { (uint64_t)random() * page,
					      (uint64_t)(random() % (1 << 22) + 1) * page };

		check(&range, block_size);
	}
}

/* Two that touch have no block in common: neither offlines what is the other's. */
static void neighbours_share_no_block(void **state)
{
	(void)state;
	srandom(2);
	for (int i = 0; i < 200000; i++) {
		uint64_t block_size = MIB << random() % 12;
		struct memory_range one = { (uint64_t)random() * 4096,
					    (uint64_t)(random() % (1 << 20) + 1) * 4096 };
		struct memory_range next = { one.start + one.size, one.size };
		uint64_t first, count, after, others;

		memory_blocks_in(&one, block_size, &first, &count);
		memory_blocks_in(&next, block_size, &after, &others);
		assert_true(!count || !others || first + count <= after);
	}
}

static void zones_have_the_words_of_sysfs(void **state)
{
	(void)state;
	assert_int_equal(memory_zone_named("Movable"), ZONE_MOVABLE);
	assert_int_equal(memory_zone_named("none"), ZONE_SPANNED);
	assert_int_equal(memory_zone_named("Normal Movable"), ZONE_UNKNOWN);
	assert_int_equal(memory_zone_named(NULL), ZONE_UNKNOWN);
	assert_string_equal(memory_zone_name(ZONE_NORMAL), "Normal");
}

static void blocks_are_found_by_their_numbers(void **state)
{
	struct memory_block blocks[] = { { 40, MEMORY_OFFLINE, ZONE_UNKNOWN },
					 { 33, MEMORY_ONLINE, ZONE_MOVABLE },
					 { 34, MEMORY_ONLINE, ZONE_NORMAL } };
	struct system_ram memory = { .blocks = { blocks, 3, 3 } }, empty = { 0 };

	(void)state;
	memory_sort(&memory);
	memory_sort(&empty);
	assert_int_equal(memory.blocks.items[0].number, 33);
	assert_int_equal(memory.blocks.items[2].number, 40);
	assert_int_equal(memory_block_of(&memory, 34)->zone, ZONE_NORMAL);
	assert_null(memory_block_of(&memory, 35));
	assert_null(memory_block_of(&empty, 35));
}

static void what_is_going_offline_is_not_offline(void **state)
{
	struct memory_block blocks[] = { { 1, MEMORY_OFFLINE, ZONE_UNKNOWN },
					 { 2, MEMORY_ONLINE, ZONE_MOVABLE },
					 { 3, MEMORY_GOING_OFFLINE, ZONE_NORMAL } };
	struct system_ram memory = { .blocks = { blocks, 3, 3 } };

	(void)state;
	assert_int_equal(memory_online(&memory), 2);
	assert_int_equal(memory_online_outside(&memory, ZONE_MOVABLE), 1);
}

static void what_a_page_is(void **state)
{
	static const struct {
		uint64_t flags;
		enum memory_use use;
	} pages[] = {
		{ 1 << 10, MEMORY_FREE },
		{ 1 << 5 | 1 << 11 | 1 << 12 | 1 << 14, MEMORY_ANONYMOUS },
		{ 1 << 5 | 1 << 14, MEMORY_ANONYMOUS }, /* of a tmpfs */
		{ 1 << 5 | 1 << 3, MEMORY_FILE },
		{ 1 << 7, MEMORY_SLAB },
		{ 1 << 26, MEMORY_TABLES },
		{ 1 << 17 | 1 << 15, MEMORY_HUGE },
		{ 1 << 19 | 1 << 5, MEMORY_POISONED },
		{ 1 << 20, MEMORY_USES },
		{ 0, MEMORY_KERNEL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pages); i++)
		assert_int_equal(memory_use_of(pages[i].flags), pages[i].use);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_blocks_of_a_range),
		cmocka_unit_test(every_block_of_any_range_is_whole_and_inside),
		cmocka_unit_test(neighbours_share_no_block),
		cmocka_unit_test(zones_have_the_words_of_sysfs),
		cmocka_unit_test(blocks_are_found_by_their_numbers),
		cmocka_unit_test(what_is_going_offline_is_not_offline),
		cmocka_unit_test(what_a_page_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
