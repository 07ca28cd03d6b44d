// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory of CXL that firmware has set apart: a dax device whose parent is
 * "hmem.0" has it, and no region, or one that does not know.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "retire/targets/cxl-changes.h"
#include "retire/targets/targets.h"
#include "test/unit/cxl-tree.h"

#define HMEM	"/sys/devices/platform/hmem.0/dax1.0"
#define DECODER ROOT "/port1/endpoint4/decoder4.1"

/* dax1.0, of 128 MiB from there. */
static void set_apart(const struct fixture *f, const char *start, const char *end)
{
	text(f, "134217728\n", HMEM "/size");
	text(f, start, HMEM "/mapping0/start");
	text(f, end, HMEM "/mapping0/end");
	text(f, "", "/sys/devices/platform/hmem.0/dax_region/id");
	on_bus(f, "dax", HMEM);
	drive(f, "dax", HMEM, "device_dax");
}

/* Decoder 1 of mem2 is programmed for 0xa0000000. */
static void program(const struct fixture *f)
{
	text(f, "0x8000000\n", DECODER "/size");
	text(f, "0xa0000000\n", DECODER "/start");
}

/* Region0 is down, and mem2 has nothing above it any more. */
static void take_down(struct fixture *f)
{
	tree_gone(&f->place.tree, REGION "/driver");
	text(f, "0\n", REGION "/commit");
}

static void it_is_a_device_of_daxctl_alone(void **state)
{
	struct fixture *f = *state;

	set_apart(f, "0x180000000\n", "0x187ffffff\n");
	assert_int_equal(find(f, "all"), 0);
	assert_int_equal(f->look.devices.count, 4);
	for (size_t i = 0; i < f->look.devices.count; i++) {
		assert_string_not_equal(found(f, i)->name, "dax1.0");
		assert_null(found(f, i)->cxl.other);
	}
	assert_int_equal(find_with(f, targets_find_dax, "dax1.0", NULL, NULL), 0);
	assert_string_equal(found(f, 0)->path, HMEM);
}

static void a_region_over_it_is_told_whose_it_is(void **state)
{
	struct fixture *f = *state;

	/* its last bytes are the region's first */
	set_apart(f, "0x78001000\n", "0x80000fff\n");
	assert_int_equal(find(f, "region0"), 0);
	assert_string_equal(found(f, 1)->cxl.other, "dax1.0");
	assert_int_equal(cxl_region_disable(&f->place.root, found(f, 1)), -EADDRINUSE);
	tree_gone(&f->place.tree, HMEM "/driver");
	assert_int_equal(cxl_region_disable(&f->place.root, found(f, 1)), 0);
	assert_int_equal(find(f, "region0"), 0);
	assert_null(found(f, 1)->cxl.other);
}

static void memory_that_it_gave_to_the_system_is_not_without_a_device(void **state)
{
	struct fixture *f = *state;

	text(f, "0\n", DAX "/size");
	text(f, "online\n", "/sys/devices/system/memory/memory16/state");
	assert_int_equal(find(f, "region0"), 0);
	assert_true(found(f, 0)->cxl.unowned);
	set_apart(f, "0x80000000\n", "0x87ffffff\n");
	assert_int_equal(find(f, "region0"), 0);
	assert_false(found(f, 0)->cxl.unowned);
	assert_string_equal(found(f, 0)->cxl.other, "dax1.0");
}

static void a_card_without_a_region_is_told_whose_it_is(void **state)
{
	struct fixture *f = *state;

	program(f);
	set_apart(f, "0xa0000000\n", "0xa7ffffff\n");
	assert_int_equal(find(f, "mem1"), 0);
	assert_null(found(f, 2)->cxl.other);
	assert_int_equal(find(f, "mem2"), 0);
	assert_string_equal(found(f, 2)->cxl.other, "dax1.0");
	take_down(f);
	assert_int_equal(cxl_memdev_disable(&f->place.root, found(f, 2)), -EADDRINUSE);
	reads(f, "", "/sys/bus/cxl/drivers/cxl_mem/unbind");
	tree_gone(&f->place.tree, HMEM "/driver");
	assert_int_equal(cxl_memdev_disable(&f->place.root, found(f, 2)), 0);
}

static void a_card_without_a_region_whose_memory_is_online_stays(void **state)
{
	struct fixture *f = *state;

	program(f);
	text(f, "online\n", "/sys/devices/system/memory/memory20/state");
	assert_int_equal(find(f, "mem2"), 0);
	assert_true(found(f, 2)->cxl.unowned);
	assert_false(device_is_burned(found(f, 2)));
	take_down(f);
	assert_int_equal(cxl_memdev_disable(&f->place.root, found(f, 2)), -EADDRINUSE);
	text(f, "offline\n", "/sys/devices/system/memory/memory20/state");
	assert_int_equal(cxl_memdev_disable(&f->place.root, found(f, 2)), 0);
}

static void a_card_without_a_driver_may_have_it(void **state)
{
	static const char *const names[] = { "mem2" };
	struct request request = { .names = names, .name_count = 1, .dry_run = true };
	struct fixture *f = *state;
	struct look look = { 0 };

	set_apart(f, "0xa0000000\n", "0xa7ffffff\n");
	tree_gone(&f->place.tree, "/sys/bus/cxl/devices/mem2/driver");
	assert_int_equal(targets_find_cxl_memdev(&f->place.root, &request, &look, NULL), 0);
	assert_int_equal(look.unknowns.count, 0);
	look_free(&look);
	request.power_off = true;
	assert_int_equal(targets_find_cxl_memdev(&f->place.root, &request, &look, NULL), 0);
	assert_int_equal(look.unknowns.count, 1);
	assert_string_equal(look.unknowns.items[0].subject, "mem2");
	look_free(&look);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, cxl_make, cxl_remove)
	const struct CMUnitTest tests[] = {
		TEST(it_is_a_device_of_daxctl_alone),
		TEST(a_region_over_it_is_told_whose_it_is),
		TEST(memory_that_it_gave_to_the_system_is_not_without_a_device),
		TEST(a_card_without_a_region_is_told_whose_it_is),
		TEST(a_card_without_a_region_whose_memory_is_online_stays),
		TEST(a_card_without_a_driver_may_have_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
