// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unknown is not none: where something of CXL cannot be read the look is an
 * error, and nothing is written.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "retire/slot.h"
#include "retire/targets/cxl-changes.h"
#include "retire/targets/kinds.h"
#include "retire/targets/targets.h"
#include "test/unit/cxl-tree.h"
#include "util/cleanup.h"
#include "util/root.h"

#define ENDPOINT ROOT "/port1/endpoint4"
#define CARD	 "/sys/devices/pci0000:00/0000:02:00.0/mem2"

/* A link in a circle takes its place: it is there, and cannot be opened by root either. */
static void hide(const struct fixture *f, const char *name)
{
	_cleanup_free_ char *place = tree_place(&f->place.tree, name), *aside = NULL;

	assert_true(asprintf(&aside, "%s.aside", place) > 0);
	assert_true(rename(place, aside) == 0 || errno == ENOENT);
	assert_int_equal(symlink(strrchr(name, '/') + 1, place), 0);
}

static void show(const struct fixture *f, const char *name)
{
	_cleanup_free_ char *place = tree_place(&f->place.tree, name), *aside = NULL;

	assert_true(asprintf(&aside, "%s.aside", place) > 0);
	assert_int_equal(remove(place), 0);
	assert_true(rename(aside, place) == 0 || errno == ENOENT);
}

static void what_cannot_be_read_fails_the_look(void **state)
{
	static const char *const names[] = {
		"/sys/bus/cxl/devices",
		"/sys/bus/cxl/devices/region0",
		"/sys/bus/cxl/devices/mem2",
		"/sys/bus/cxl/devices/endpoint4",
		REGION,
		REGION "/commit",
		REGION "/size",
		REGION "/resource",
		REGION "/mode",
		REGION "/uuid",
		REGION "/interleave_ways",
		REGION "/target1",
		REGION "/locked",
		REGION "/dax_region0",
		REGION "/dax_region0/dax0.0/size",
		ENDPOINT,
		ENDPOINT "/decoder4.0/region",
		ENDPOINT "/decoder4.1/region",
		ENDPOINT "/decoder4.0/locked",
		ENDPOINT "/decoder4.0/dpa_size",
		CARD "/serial",
		"/sys/bus/pci/slots",
		"/sys/bus/pci/slots/2/address",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		hide(f, names[i]);
		if (find(f, "mem2") == 0)
			fail_msg("%s", names[i]);
		show(f, names[i]);
	}
	assert_int_equal(find(f, "mem2"), 0);
}

/* What is done to region0 or mem2 when all above it has gone, and what must not change while that cannot be told.
 */
struct operation {
	void (*prepare)(struct fixture *f);
	int (*change)(const struct root *root, const struct device *device);
	size_t device;
	const char *untouched, *reads, *then;
};

static void prepare(struct fixture *f)
{
	assert_int_equal(find(f, "mem2"), 0);
}

static void prepare_without_driver(struct fixture *f)
{
	prepare(f);
	tree_gone(&f->place.tree, REGION "/driver");
}

static void prepare_decommitted(struct fixture *f)
{
	prepare_without_driver(f);
	text(f, "0\n", REGION "/commit");
}

static void prepare_card_without_driver(struct fixture *f)
{
	prepare_decommitted(f);
	text(f, "0x050210\n", "/sys/bus/pci/devices/0000:02:00.0/class");
	tree_gone(&f->place.tree, CARD "/driver");
}

static const struct operation disable = { prepare, cxl_region_disable, 1, "/sys/bus/cxl/drivers/cxl_region/unbind",
					  "",	   "region0" };
static const struct operation decommit = {
	prepare_without_driver, cxl_region_decommit, 1, REGION "/commit", "1", "0"
};
static const struct operation erase = {
	prepare_decommitted, cxl_region_erase, 1, ROOT "/decoder0.0/delete_region", "", "region0"
};
static const struct operation disable_card = {
	prepare_decommitted, cxl_memdev_disable, 2, "/sys/bus/cxl/drivers/cxl_mem/unbind", "", "mem2"
};
static const struct operation power_off = {
	prepare_card_without_driver, cxl_memdev_power_off, 2, "/sys/bus/pci/slots/2/power", "1", "0"
};

static const struct {
	const char *hidden;
	const struct operation *operation;
} rows[] = {
	{ REGION "/dax_region0", &disable },
	{ DAX "/size", &disable },
	{ "/sys/bus/dax/devices/dax0.0", &disable },
	{ "/sys/devices/system/memory/memory16/state", &disable },
	{ "/sys/devices/system/memory/block_size_bytes", &disable },
	{ REGION "/dax_region0", &decommit },
	{ "/sys/bus/cxl/devices/region0", &decommit },
	{ REGION "/dax_region0", &erase },
	{ "/sys/bus/cxl/devices/region0", &erase },
	{ "/sys/bus/cxl/devices", &disable_card },
	{ "/sys/bus/cxl/devices/endpoint4", &disable_card },
	{ ENDPOINT "/decoder4.0/region", &disable_card },
	{ "/sys/bus/cxl/devices/region0", &disable_card },
	{ REGION "/commit", &disable_card },
	{ "/sys/bus/cxl/devices/mem2", &power_off },
	{ "/sys/bus/pci/devices", &power_off },
	{ "/sys/bus/pci/devices/0000:02:00.0", &power_off },
};

static int change(struct fixture *f, const struct operation *operation)
{
	return operation->change(&f->place.root, found(f, operation->device));
}

static void what_cannot_be_read_keeps_us_from_writing(void **state)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct operation *operation = rows[i].operation;
		void *own;
		struct fixture *f;

		assert_int_equal(cxl_make(&own), 0);
		f = own;
		operation->prepare(f);
		hide(f, rows[i].hidden);
		if (change(f, operation) >= 0)
			fail_msg("%s", rows[i].hidden);
		show(f, rows[i].hidden);
		reads(f, operation->reads, operation->untouched);
		/* and nothing else stood against it */
		change(f, operation);
		reads(f, operation->then, operation->untouched);
		cxl_remove(&own);
	}
	(void)state;
}

static void what_cannot_be_read_is_not_said_to_be_disabled(void **state)
{
	struct fixture *f = *state;

	prepare_decommitted(f);
	assert_int_equal(targets_is_enabled(&f->place.root, found(f, 1)), 0);
	hide(f, REGION "/commit");
	assert_true(targets_is_enabled(&f->place.root, found(f, 1)) < 0);
	hide(f, "/sys/bus/cxl/devices/mem2");
	assert_true(targets_is_enabled(&f->place.root, found(f, 2)) < 0);
}

static void what_cannot_be_read_is_not_gone_in_the_second_look(void **state)
{
	static const char *const names[] = { "/sys/bus/dax/devices/dax0.0", "/sys/bus/cxl/devices/region0",
					     "/sys/bus/cxl/devices/mem2", REGION "/commit" };
	struct fixture *f = *state;

	prepare(f);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		hide(f, names[i]);
		if (targets_find_again(&f->place.root, &f->look, &f->again, &f->err) == 0)
			fail_msg("%s", names[i]);
		show(f, names[i]);
		look_free(&f->again);
	}
	assert_int_equal(targets_find_again(&f->place.root, &f->look, &f->again, &f->err), 0);
}

static void what_cannot_be_read_has_not_gone_with_its_region(void **state)
{
	struct fixture *f = *state;

	prepare(f);
	hide(f, "/sys/bus/dax/devices");
	assert_int_equal(target_dax.disable(&f->place.root, found(f, 0)), -ELOOP);
	assert_int_equal(targets_check_identity(&f->place.root, found(f, 0), &f->err), -ELOOP);
	assert_int_equal(targets_is_enabled(&f->place.root, found(f, 0)), -ELOOP);
}

/* device_del() takes the attributes before the driver. */
static void a_dax_device_that_is_going_still_has_its_driver(void **state)
{
	struct fixture *f = *state;

	prepare(f);
	drive(f, "dax", DAX, "device_dax");
	tree_gone(&f->place.tree, DAX "/size");
	assert_int_equal(cxl_region_disable(&f->place.root, found(f, 1)), -EADDRINUSE);
	tree_gone(&f->place.tree, DAX "/driver");
	assert_int_equal(cxl_region_disable(&f->place.root, found(f, 1)), 0);
}

static void a_region_that_has_just_come_is_not_left_out(void **state)
{
	struct fixture *f = *state;

	text(f, "region7\n", ENDPOINT "/decoder4.1/region");
	assert_int_equal(find(f, "mem2"), -EAGAIN);
}

static void a_card_whose_driver_has_no_endpoint_yet_is_looked_at_later(void **state)
{
	struct fixture *f = *state;

	prepare_decommitted(f);
	tree_gone(&f->place.tree, "/sys/bus/cxl/devices/endpoint4");
	assert_int_equal(find_with(f, targets_find_cxl_memdev, "mem2", NULL, NULL), -EAGAIN);
	assert_int_equal(find(f, "mem1"), 0);
}

/* It is in the list of what is not there, and its slot is still to be switched off. */
static void a_slot_whose_power_cannot_be_read_is_neither_on_nor_off(void **state)
{
	static const char power[] = "/sys/bus/pci/slots/2/power";
	struct fixture *f = *state;
	struct device *card;

	prepare_card_without_driver(f);
	card = found(f, 2);
	tree_gone(&f->place.tree, "/sys/bus/cxl/devices/mem2");
	hide(f, power);
	assert_int_equal(targets_find_again(&f->place.root, &f->look, &f->again, &f->err), -ELOOP);
	/* of the card that went with its slot */
	show(f, power);
	tree_gone(&f->place.tree, power);
	assert_int_equal(targets_find_again(&f->place.root, &f->look, &f->again, &f->err), 0);
	assert_false(f->again.devices.items[2].cxl.absent);
	text(f, "", "/sys/bus/pci/rescan");
	assert_int_equal(slot_power(&f->place.root, "2"), SLOT_UNKNOWN);
	assert_int_equal(cxl_memdev_power_off(&f->place.root, card), -ENOENT);
	text(f, "0\n", power);
	assert_int_equal(cxl_memdev_power_off(&f->place.root, card), 0);
	assert_int_equal(slot_power(&f->place.root, "2"), SLOT_OFF);
}

static void a_decoder_that_cannot_be_read_is_not_free(void **state)
{
	struct fixture *f = *state;

	prepare_decommitted(f);
	text(f, "\n", REGION "/target1");
	text(f, "region5\n", ENDPOINT "/decoder4.0/region");
	hide(f, ENDPOINT "/decoder4.1/dpa_size");
	assert_int_equal(cxl_region_commit(&f->place.root, found(f, 1)), -ENOSPC);
	show(f, ENDPOINT "/decoder4.1/dpa_size");
	assert_int_equal(cxl_region_commit(&f->place.root, found(f, 1)), 0);
	reads(f, "decoder4.1", REGION "/target1");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, cxl_make, cxl_remove)
	const struct CMUnitTest tests[] = {
		TEST(what_cannot_be_read_fails_the_look),
		TEST(what_cannot_be_read_keeps_us_from_writing),
		TEST(what_cannot_be_read_is_not_said_to_be_disabled),
		TEST(what_cannot_be_read_is_not_gone_in_the_second_look),
		TEST(what_cannot_be_read_has_not_gone_with_its_region),
		TEST(a_dax_device_that_is_going_still_has_its_driver),
		TEST(a_region_that_has_just_come_is_not_left_out),
		TEST(a_card_whose_driver_has_no_endpoint_yet_is_looked_at_later),
		TEST(a_slot_whose_power_cannot_be_read_is_neither_on_nor_off),
		TEST(a_decoder_that_cannot_be_read_is_not_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
