// SPDX-License-Identifier: GPL-2.0-or-later
/* The attribute `state` of a dax device, as Linux 7.3 has it and kernels before do not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "retire/effects-memory.h"
#include "test/unit/tree.h"
#include "util/cleanup.h"
#include "util/root.h"

#define STATE "/sys/bus/dax/devices/dax0.0/state"

struct fixture {
	struct tree tree;
	struct root root;
};

static int make(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	tree_make(&f->tree);
	tree_text(&f->tree, "/sys/bus/dax/devices/dax0.0/size", "1\n");
	*state = f;
	return root_open(&f->root, f->tree.path);
}

static int drop(void **state)
{
	struct fixture *f = *state;

	root_close(&f->root);
	tree_remove(&f->tree);
	free(f);
	return 0;
}

/* What a write leaves: it begins where the text does, as long as that is. */
static void expect_state(const struct fixture *f, const char *text)
{
	_cleanup_free_ char *now = root_attributef(&f->root, STATE);

	assert_non_null(now);
	assert_memory_equal(now, text, strlen(text));
}

static void a_kernel_without_it_needs_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(memory_change_state(&f->root, "dax0.0", "unplugged"), 1);
	assert_int_equal(memory_change_state(&f->root, "dax0.0", "online_movable"), 1);
}

/* It tells of the last write to it, so what it reads does not keep blocks from being taken out */
static void whatever_it_reads_blocks_are_taken_out(void **state)
{
	static const char *const before[] = { "online_movable\n", "online_kernel\n", "online\n", "offline\n" };
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(before); i++) {
		tree_text(&f->tree, STATE, before[i]);
		assert_int_equal(memory_change_state(&f->root, "dax0.0", "unplugged"), 0);
		expect_state(f, "unplugged");
	}
}

static void what_is_out_is_left_alone(void **state)
{
	struct fixture *f = *state;

	tree_text(&f->tree, STATE, "unplugged\n");
	assert_int_equal(memory_change_state(&f->root, "dax0.0", "unplugged"), 1);
}

/* "online_movable" written over "offline" answers EBUSY or does nothing: only what is out is put back */
static void only_what_is_out_is_put_back(void **state)
{
	struct fixture *f = *state;

	tree_text(&f->tree, STATE, "unplugged\n");
	assert_int_equal(memory_change_state(&f->root, "dax0.0", "online_kernel"), 0);
	expect_state(f, "online_kernel");
	tree_text(&f->tree, STATE, "offline\n");
	assert_int_equal(memory_change_state(&f->root, "dax0.0", "online_movable"), 1);
	expect_state(f, "offline");
}

#define in_tree(test) cmocka_unit_test_setup_teardown(test, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_tree(a_kernel_without_it_needs_nothing),
		in_tree(whatever_it_reads_blocks_are_taken_out),
		in_tree(what_is_out_is_left_alone),
		in_tree(only_what_is_out_is_put_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
