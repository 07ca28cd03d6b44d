// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long the last count waits for references to go: a moment, or as long as
 * there is time where a process was ended that could have pinned pages.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "retire/steps/steps.h"

enum { LONG_MS = 60000, MOMENT_MS = 5000 };

/* "It is referenced": at most for a moment, or for longer; -EBUSY tells which of them was waited for. */
static int count(const struct root *root, struct look *look, int interrupt, struct deadline patience)
{
	bool moment = deadline_left_ms(patience) <= MOMENT_MS;
	struct references *references = array_add(&look->references);

	(void)root;
	(void)interrupt;
	if (!references)
		return -ENOMEM;
	*references = (struct references){ .known = true, .counted = 8, .referenced = moment };
	return 0;
}

static void add_user(struct look *look, int device, unsigned uses)
{
	struct holder *holder = look_add_holder(look, HOLDER_PROCESS, device, 0, "qemu[7]");

	assert_non_null(holder);
	holder->process = (struct process){ .pid = 7, .uses = uses, .pidfd = -1 };
}

/* 0: it waited for long; -EBUSY: for a moment. */
static int wait_after(int device, unsigned uses, uint64_t left_ms)
{
	struct result result = { 0 };
	struct look now = { 0 };
	struct request request = { .timeout_ms = LONG_MS };
	struct execution execution = { .request = &request,
				       .look = &now,
				       .result = &result,
				       .deadline = deadline_in(left_ms),
				       .count_references = count };
	struct err err = { 0 };
	int rc;

	for (int i = 0; i < 2; i++) {
		assert_non_null(array_add(&result.look.devices));
		result.look.devices.items[i] = (struct device){ .mode = MODE_DEVDAX, .enabled = true };
	}
	assert_int_equal(look_copy_devices(&result.look, &now), 0);
	if (uses)
		add_user(&result.look, device, uses);
	rc = references_gone(&execution, 0, -1, NULL, &err);
	look_free(&now);
	look_free(&result.look);
	return rc;
}

static void what_nobody_pinned_has_a_moment(void **state)
{
	(void)state;
	assert_int_equal(wait_after(0, 0, LONG_MS), -EBUSY);
	assert_int_equal(wait_after(0, USE_MAP | USE_OPEN, LONG_MS), -EBUSY);
}

static void what_a_process_may_have_pinned_has_all_the_time(void **state)
{
	(void)state;
	assert_int_equal(wait_after(0, USE_MAP | USE_PIN, LONG_MS), 0);
	assert_int_equal(wait_after(0, USE_PAGES, LONG_MS), 0);
}

static void what_is_pinned_of_another_device_has_a_moment(void **state)
{
	(void)state;
	assert_int_equal(wait_after(1, USE_MAP | USE_PIN, LONG_MS), -EBUSY);
}

static void all_the_time_ends_with_the_time_limit(void **state)
{
	(void)state;
	assert_int_equal(wait_after(0, USE_PAGES, 100), -EBUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_nobody_pinned_has_a_moment),
		cmocka_unit_test(what_a_process_may_have_pinned_has_all_the_time),
		cmocka_unit_test(what_is_pinned_of_another_device_has_a_moment),
		cmocka_unit_test(all_the_time_ends_with_the_time_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
