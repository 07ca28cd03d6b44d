// SPDX-License-Identifier: GPL-2.0-or-later
/* After a card's slot was switched off: has the port above it counted errors? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "retire/aer.h"
#include "test/unit/verify-tree.h"

#define PORT "/sys/bus/pci/devices/0000:34:00.0"

static void counts(struct fixture *f, const char *correctable, const char *nonfatal, const char *fatal)
{
	tree_text(&f->place.tree, PORT "/aer_dev_correctable", correctable);
	tree_text(&f->place.tree, PORT "/aer_dev_nonfatal", nonfatal);
	tree_text(&f->place.tree, PORT "/aer_dev_fatal", fatal);
}

/* Before the slot lost its power. As Linux 6.12 has it. */
static int set_up(void **state)
{
	struct device *card;
	struct fixture *f;

	verify_make(state);
	f = *state;
	counts(f, "RxErr 3\nBadTLP 0\nTOTAL_ERR_COR 3\n", "Undefined 0\nTOTAL_ERR_NONFATAL 0\n",
	       "Undefined 0\nDLP 1\nSDES 0\nTOTAL_ERR_FATAL 1\n");
	card = array_add(&f->look.devices);
	*card = (struct device){ .type = DEVICE_CXL_MEMDEV,
				 .name = strdup("mem0"),
				 .cxl = { .slot = strdup("3"), .port = strdup("0000:34:00.0") } };
	card->cxl.port_counts = aer_read(&f->place.root, card->cxl.port, &card->cxl.counted) == 0;
	assert_true(card->cxl.port_counts);
	return 0;
}

static void expect(struct fixture *f, enum check ok, const char *reason)
{
	verify_ports(&f->place.root, &f->look, &f->result);
	assert_int_equal(f->result.verify.count, 1);
	assert_string_equal(f->result.verify.items[0].check, "no-link-errors");
	assert_int_equal(f->result.verify.items[0].ok, ok);
	assert_non_null(strstr(f->result.verify.items[0].reason, reason));
}

static void what_was_counted_before_is_no_error(void **state)
{
	expect(*state, CHECK_TRUE, "mem0: the port 0000:34:00.0 above it counted none");
}

static void correctable_errors_are_told(void **state)
{
	counts(*state, "TOTAL_ERR_COR 5\n", "TOTAL_ERR_NONFATAL 0\n", "TOTAL_ERR_FATAL 1\n");
	expect(*state, CHECK_TRUE, "counted 2 correctable errors");
}

static void fatal_errors_are_false(void **state)
{
	counts(*state, "TOTAL_ERR_COR 3\n", "TOTAL_ERR_NONFATAL 0\n", "TOTAL_ERR_FATAL 2\n");
	expect(*state, CHECK_FALSE, "counted 1 fatal and 0 other");
}

static void nonfatal_errors_are_false(void **state)
{
	counts(*state, "TOTAL_ERR_COR 3\n", "TOTAL_ERR_NONFATAL 7\n", "TOTAL_ERR_FATAL 1\n");
	expect(*state, CHECK_FALSE, "counted 0 fatal and 7 other");
}

static void what_cannot_be_read_is_not_known(void **state)
{
	struct fixture *f = *state;

	tree_gone(&f->place.tree, PORT "/aer_dev_fatal");
	expect(f, CHECK_NULL, "cannot be read");
}

static void a_port_that_counts_anew_tells_nothing(void **state)
{
	counts(*state, "TOTAL_ERR_COR 0\n", "TOTAL_ERR_NONFATAL 0\n", "TOTAL_ERR_FATAL 0\n");
	expect(*state, CHECK_NULL, "cannot be read");
}

static void nonsense_is_no_number(void **state)
{
	counts(*state, "TOTAL_ERR_COR 3\n", "TOTAL_ERR_NONFATALx 0\n", "TOTAL_ERR_FATAL -1\n");
	expect(*state, CHECK_NULL, "cannot be read");
}

static void without_a_count_from_before_nothing_is_said(void **state)
{
	struct fixture *f = *state;

	f->look.devices.items[0].cxl.port_counts = false;
	expect(f, CHECK_NULL, "not known");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, verify_remove)
	const struct CMUnitTest tests[] = {
		TEST(what_was_counted_before_is_no_error),
		TEST(correctable_errors_are_told),
		TEST(fatal_errors_are_false),
		TEST(nonfatal_errors_are_false),
		TEST(what_cannot_be_read_is_not_known),
		TEST(a_port_that_counts_anew_tells_nothing),
		TEST(nonsense_is_no_number),
		TEST(without_a_count_from_before_nothing_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
