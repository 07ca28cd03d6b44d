// SPDX-License-Identifier: GPL-2.0-or-later
/* After memory has gone: does its node have as much less? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "retire/holders/holders.h"
#include "test/unit/verify-tree.h"

#define MIB (1ULL << 20)

static void set_total(struct fixture *f, int node, uint64_t bytes)
{
	char path[96], text[160];

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo", node);
	snprintf(text, sizeof(text), "Node %d MemTotal:       %llu kB\nNode %d MemFree:        1 kB\n", node,
		 (unsigned long long)bytes / 1024, node);
	tree_text(&f->place.tree, path, text);
}

/* Blocks of 128 MiB, of which one is offline already. */
static void add_memory(struct fixture *f, int node, unsigned online)
{
	struct holder *holder = look_add_holder(&f->look, HOLDER_MEMORY, 0, 0, "system RAM");

	assert_non_null(holder);
	holder->memory.block_size = 128 * MIB;
	holder->memory.node = node;
	for (unsigned i = 0; i <= online; i++) {
		struct memory_block *block = array_add(&holder->memory.blocks);

		assert_non_null(block);
		*block = (struct memory_block){ i, i ? MEMORY_ONLINE : MEMORY_OFFLINE, ZONE_MOVABLE };
	}
	if (node >= 0)
		holders_node_total(&f->place.root, node, &holder->memory.node_total);
}

static int set_up(void **state)
{
	struct fixture *f;

	verify_make(state);
	f = *state;
	set_total(f, 0, 4096 * MIB);
	set_total(f, 1, 1024 * MIB);
	return 0;
}

/* The only check that was added; NULL: none. */
static const struct verify *verified(struct fixture *f)
{
	verify_node_totals(&f->place.root, &f->look, &f->result);
	assert_true(f->result.verify.count <= 1);
	return f->result.verify.count ? &f->result.verify.items[0] : NULL;
}

static void a_node_that_has_as_much_less_is_told(void **state)
{
	struct fixture *f = *state;
	const struct verify *check;

	add_memory(f, 1, 4);
	set_total(f, 1, 512 * MIB);
	check = verified(f);
	assert_non_null(check);
	assert_string_equal(check->check, "node-total");
	assert_int_equal(check->ok, CHECK_TRUE);
}

static void one_that_has_what_it_had_cannot_be_told(void **state)
{
	struct fixture *f = *state;
	const struct verify *check;

	add_memory(f, 1, 4);
	set_total(f, 1, 640 * MIB);
	check = verified(f);
	assert_non_null(check);
	assert_int_equal(check->ok, CHECK_NULL);
	assert_string_equal(check->reason,
			    "node 1 had 1073741824 bytes and has 671088640, though 536870912 went: has "
			    "somebody added memory there?");
}

static void one_that_has_more_cannot_be_told(void **state)
{
	struct fixture *f = *state;

	add_memory(f, 1, 4);
	set_total(f, 1, 2048 * MIB);
	assert_int_equal(verified(f)->ok, CHECK_NULL);
}

/* With memmap_on_memory what a block keeps of itself was never counted. */
static void what_blocks_keep_of_themselves_was_not_there(void **state)
{
	struct fixture *f = *state;

	add_memory(f, 1, 4);
	set_total(f, 1, 520 * MIB);
	assert_int_equal(verified(f)->ok, CHECK_TRUE);
}

static void a_node_that_went_with_its_memory_has_none(void **state)
{
	struct fixture *f = *state;

	set_total(f, 7, 512 * MIB);
	add_memory(f, 7, 4);
	tree_gone(&f->place.tree, "/sys/devices/system/node/node7/meminfo");
	assert_int_equal(verified(f)->ok, CHECK_TRUE);
}

static void devices_of_one_node_count_together(void **state)
{
	struct fixture *f = *state;

	add_memory(f, 1, 4);
	add_memory(f, 1, 3);
	set_total(f, 1, 512 * MIB);
	assert_int_equal(verified(f)->ok, CHECK_NULL);
	result_free(&f->result);
	f->result = (struct result){ 0 };
	set_total(f, 1, 128 * MIB);
	assert_int_equal(verified(f)->ok, CHECK_TRUE);
}

static void where_nothing_was_online_nothing_is_said(void **state)
{
	struct fixture *f = *state;

	add_memory(f, 1, 0);
	add_memory(f, -1, 4);
	assert_null(verified(f));
}

static void what_was_not_known_before_cannot_be_told(void **state)
{
	struct fixture *f = *state;

	add_memory(f, 1, 4);
	f->look.holders.items[0].memory.node_total = 0;
	set_total(f, 1, 0);
	assert_int_equal(verified(f)->ok, CHECK_NULL);
}

static void a_total_that_makes_no_sense_is_none(void **state)
{
	static const char *const texts[] = { "", "Node 1 MemTotal:\n", "Node 1 MemTotal: 4 MB\n",
					     "Node 11 MemTotal: 4 kB\n",
					     "Node 1 MemTotal: 18446744073709551615 kB\n" };
	struct fixture *f = *state;
	uint64_t bytes;

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		tree_text(&f->place.tree, "/sys/devices/system/node/node1/meminfo", texts[i]);
		assert_true(holders_node_total(&f->place.root, 1, &bytes) < 0);
		assert_int_equal(bytes, 0);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, verify_remove)
	const struct CMUnitTest tests[] = {
		TEST(a_node_that_has_as_much_less_is_told),
		TEST(one_that_has_what_it_had_cannot_be_told),
		TEST(one_that_has_more_cannot_be_told),
		TEST(what_blocks_keep_of_themselves_was_not_there),
		TEST(a_node_that_went_with_its_memory_has_none),
		TEST(devices_of_one_node_count_together),
		TEST(where_nothing_was_online_nothing_is_said),
		TEST(what_was_not_known_before_cannot_be_told),
		TEST(a_total_that_makes_no_sense_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
