// SPDX-License-Identifier: GPL-2.0-or-later
/* After a card's slot was switched off: has it no power, and is a card there? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/verify-tree.h"

static int set_up(void **state)
{
	struct fixture *f;
	struct device *card;

	verify_make(state);
	f = *state;
	card = array_add(&f->look.devices);
	*card = (struct device){ .type = DEVICE_CXL_MEMDEV,
				 .name = strdup("mem0"),
				 .cxl = { .slot = strdup("3") } };
	return 0;
}

static void set_slot(struct fixture *f, const char *power, const char *adapter)
{
	tree_text(&f->place.tree, "/sys/bus/pci/slots/3/power", power);
	if (adapter)
		tree_text(&f->place.tree, "/sys/bus/pci/slots/3/adapter", adapter);
}

static void expect(struct fixture *f, bool good, enum check ok, const char *reason)
{
	assert_int_equal(verify_slots(&f->place.root, &f->look, &f->result), good);
	assert_int_equal(f->result.verify.count, 1);
	assert_int_equal(f->result.verify.items[0].ok, ok);
	assert_string_equal(f->result.verify.items[0].reason, reason);
}

static void a_slot_that_is_off_and_empty_is_told(void **state)
{
	set_slot(*state, "0\n", "0\n");
	expect(*state, true, CHECK_TRUE, "slot 3 is off, and empty");
}

static void a_card_that_is_still_in_it_is_told(void **state)
{
	set_slot(*state, "0\n", "1\n");
	expect(*state, true, CHECK_TRUE, "slot 3 is off, and a card is in it");
}

static void a_slot_that_has_power_is_not_off(void **state)
{
	set_slot(*state, "1\n", "1\n");
	expect(*state, false, CHECK_FALSE, "slot 3 still has power");
}

static void what_cannot_be_read_is_not_off(void **state)
{
	expect(*state, true, CHECK_NULL, "whether slot 3 has power cannot be read");
}

static void a_slot_may_not_know_of_cards(void **state)
{
	set_slot(*state, "0\n", NULL);
	expect(*state, true, CHECK_TRUE, "slot 3 is off; whether a card is in it cannot be read");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, verify_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_slot_that_is_off_and_empty_is_told), TEST(a_card_that_is_still_in_it_is_told),
		TEST(a_slot_that_has_power_is_not_off),	    TEST(what_cannot_be_read_is_not_off),
		TEST(a_slot_may_not_know_of_cards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
