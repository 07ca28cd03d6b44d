// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "retire/bpf/bpf.h"
#include "retire/holders/suspects.h"

static struct bpf_suspect list[] = {
	{ .pid = 1 },
	{ .pid = 7 },
	{ .pid = 7, .hiding = BPF_IN_FLIGHT },
	{ .pid = 7, .hiding = BPF_IN_RING },
	{ .pid = 4194304 },
};
static const struct suspects suspects = { .list = list, .count = 5 };

static void all_that_is_known_of_a_process_is_found(void **state)
{
	size_t count = 0;

	(void)state;
	assert_ptr_equal(suspects_of(&suspects, 1, &count), &list[0]);
	assert_int_equal(count, 1);
	assert_ptr_equal(suspects_of(&suspects, 7, &count), &list[1]);
	assert_int_equal(count, 3);
	assert_ptr_equal(suspects_of(&suspects, 4194304, &count), &list[4]);
	assert_int_equal(count, 1);
}

static void of_another_nothing_is_known(void **state)
{
	static const struct suspects none = { 0 };
	size_t count = 9;

	(void)state;
	assert_null(suspects_of(&suspects, 2, &count));
	assert_int_equal(count, 0);
	assert_null(suspects_of(&suspects, 4194305, &count));
	assert_null(suspects_of(&none, 1, &count));
}

static void too_many_ranges_are_not_cut_short(void **state)
{
	static struct bpf_page_range ranges[BPF_PAGE_RANGES_MAX + 1];
	struct pins *pins;

	(void)state;
	assert_true(bpf_pins_open(&pins, ranges, BPF_PAGE_RANGES_MAX + 1) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_is_known_of_a_process_is_found),
		cmocka_unit_test(of_another_nothing_is_known),
		cmocka_unit_test(too_many_ranges_are_not_cut_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
