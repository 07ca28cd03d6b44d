// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What sysfs says of a region of persistent memory.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "retire/targets/pmem.h"
#include "retire/targets/targets.h"
#include "test/unit/tree-root.h"
#include "util/root.h"

#define REGION "/sys/devices/ACPI0012:00/ndbus0/region0"
#define UP     "../../../.."

struct fixture {
	struct place place;
	struct device device;
};

/* region0, enabled, with a disabled namespace0.0 and the seed of an instance */
static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	place_open(&f->place);
	tree_text(&f->place.tree, REGION "/size", "1073741824\n");
	tree_text(&f->place.tree, REGION "/resource", "0x140000000\n");
	tree_text(&f->place.tree, REGION "/set_cookie", "0x1b7f5bd5a7a3bf2c\n");
	tree_text(&f->place.tree, REGION "/namespace0.0/holder", "\n");
	tree_text(&f->place.tree, REGION "/pfn0.0/uuid", "\n");
	tree_link(&f->place.tree, REGION "/driver", "../../../../bus/nd/drivers/nd_region");
	tree_link(&f->place.tree, "/sys/bus/nd/devices/region0", "../../../devices/ACPI0012:00/ndbus0/region0");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	device_free(&f->device);
	place_close(&f->place);
	free(f);
	return 0;
}

static int describe(struct fixture *f)
{
	device_free(&f->device);
	f->device = (struct device){ 0 };
	return pmem_region_describe(&f->place.root, "region0", &f->device);
}

static void a_region_is_a_device_without_a_node(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(describe(f), 0);
	assert_int_equal(f->device.type, DEVICE_PMEM_REGION);
	assert_string_equal(device_type_name(f->device.type), "pmem-region");
	assert_null(device_mode_name(f->device.mode));
	assert_string_equal(f->device.path, REGION);
	assert_string_equal(f->device.driver, "nd_region");
	assert_string_equal(f->device.driver_device, "region0");
	assert_true(f->device.enabled);
	assert_null(f->device.blockdev);
	assert_int_equal(f->device.dev, 0);
	assert_int_equal(f->device.size, 1 << 30);
	assert_int_equal(f->device.resource, 0x140000000);
	assert_int_equal(f->device.set_cookie, 0x1b7f5bd5a7a3bf2c);
}

static void without_a_driver_it_is_disabled(void **state)
{
	struct fixture *f = *state;

	tree_gone(&f->place.tree, REGION "/driver");
	assert_int_equal(describe(f), 0);
	assert_false(f->device.enabled);
	assert_null(f->device.driver_device);
	assert_int_equal(targets_is_enabled(&f->place.root, &f->device), 0);
}

static void what_only_root_may_read_can_be_missing(void **state)
{
	struct fixture *f = *state;

	tree_gone(&f->place.tree, REGION "/resource");
	tree_gone(&f->place.tree, REGION "/set_cookie");
	assert_int_equal(describe(f), 0);
	assert_int_equal(f->device.resource, 0);
	assert_int_equal(f->device.set_cookie, 0);
}

static void a_region_that_is_not_there_is_an_error(void **state)
{
	struct fixture *f = *state;

	tree_gone(&f->place.tree, "/sys/bus/nd/devices/region0");
	assert_int_equal(describe(f), -ENODEV);
}

static void its_driver_is_read_back(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(describe(f), 0);
	assert_int_equal(targets_is_enabled(&f->place.root, &f->device), 1);
	tree_gone(&f->place.tree, REGION "/driver");
	assert_int_equal(targets_is_enabled(&f->place.root, &f->device), 0);
}

static void a_region_that_has_been_removed_is_disabled(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(describe(f), 0);
	free(f->device.path);
	f->device.path = strdup("/sys/devices/ACPI0012:00/ndbus0/region9");
	assert_int_equal(targets_is_enabled(&f->place.root, &f->device), 0);
}

static void disabled_namespaces_and_seeds_leave_it_unused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(pmem_region_check_unused(&f->place.root, REGION), 0);
}

static void an_enabled_namespace_keeps_it(void **state)
{
	struct fixture *f = *state;

	tree_link(&f->place.tree, REGION "/namespace0.0/driver", UP "/../bus/nd/drivers/nd_pmem");
	assert_int_equal(pmem_region_check_unused(&f->place.root, REGION), -EBUSY);
}

static void an_instance_with_a_driver_keeps_it(void **state)
{
	struct fixture *f = *state;

	tree_link(&f->place.tree, REGION "/pfn0.0/driver", UP "/../bus/nd/drivers/nd_pmem");
	assert_int_equal(pmem_region_check_unused(&f->place.root, REGION), -EBUSY);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_region_is_a_device_without_a_node),
		TEST(without_a_driver_it_is_disabled),
		TEST(what_only_root_may_read_can_be_missing),
		TEST(a_region_that_is_not_there_is_an_error),
		TEST(its_driver_is_read_back),
		TEST(a_region_that_has_been_removed_is_disabled),
		TEST(disabled_namespaces_and_seeds_leave_it_unused),
		TEST(an_enabled_namespace_keeps_it),
		TEST(an_instance_with_a_driver_keeps_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
