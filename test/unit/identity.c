// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is it still the same device? What has changed is said in a sentence.
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

#define BUS	"/sys/devices/ACPI0012:00/ndbus0"
#define REGION	BUS "/region0"
#define UUID	"2c379151-578b-4a9d-b4c4-dcd6b4f6f7a9"
#define OTHER	"1b14c7ce-c509-4804-8708-ded6d30c3659"
#define IN_NODE "b081bfe7-5ee0-4bba-b042-32134f15d3b7"

struct fixture {
	struct place place;
	struct err err;
	struct device device, region;
};

static char *own(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		abort();
	return copy;
}

/* An attribute anew: a tree is never written to twice */
static void now(const struct fixture *f, const char *name, const char *text)
{
	char *place = tree_place(&f->place.tree, name);

	remove(place);
	free(place);
	if (text)
		tree_text(&f->place.tree, name, text);
}

static void driver(const struct fixture *f, const char *name, const char *target)
{
	now(f, name, NULL);
	if (target)
		tree_link(&f->place.tree, name, target);
}

/* namespace0.0 in fsdax mode, bound through pfn0.0, with labels; and its region */
static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	place_open(&f->place);
	tree_text(&f->place.tree, REGION "/size", "1073741824\n");
	tree_text(&f->place.tree, REGION "/resource", "0x140000000\n");
	tree_text(&f->place.tree, REGION "/set_cookie", "0x1b7f5bd5a7a3bf2c\n");
	tree_text(&f->place.tree, REGION "/namespace0.0/holder", "pfn0.0\n");
	tree_text(&f->place.tree, REGION "/namespace0.0/uuid", UUID "\n");
	tree_text(&f->place.tree, REGION "/namespace0.0/size", "1073741824\n");
	tree_text(&f->place.tree, REGION "/namespace0.0/resource", "0x140000000\n");
	tree_text(&f->place.tree, REGION "/pfn0.0/uuid", IN_NODE "\n");
	driver(f, REGION "/pfn0.0/driver", "../../../../../bus/nd/drivers/nd_pmem");
	driver(f, REGION "/driver", "../../../../bus/nd/drivers/nd_region");
	tree_link(&f->place.tree, "/sys/bus/nd/devices/region0", "../../../devices/ACPI0012:00/ndbus0/region0");
	tree_link(&f->place.tree, "/sys/bus/nd/devices/namespace0.0",
		  "../../../devices/ACPI0012:00/ndbus0/region0/namespace0.0");
	f->device = (struct device){ .name = own("namespace0.0"),
				     .path = own(REGION "/namespace0.0"),
				     .enabled = true,
				     .uuid = own(UUID),
				     .instance_uuid = own(IN_NODE),
				     .size = 1071644672,
				     .capacity = 1073741824,
				     .resource = 0x140000000 };
	*state = f;
	return pmem_region_describe(&f->place.root, "region0", &f->region);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	device_free(&f->device);
	device_free(&f->region);
	place_close(&f->place);
	free(f);
	return 0;
}

static int check(struct fixture *f, const struct device *device)
{
	f->err = (struct err){ 0 };
	return targets_check_identity(&f->place.root, device, &f->err);
}

static void expect_stale(struct fixture *f, const struct device *device, const char *message)
{
	assert_int_equal(check(f, device), -ESTALE);
	assert_string_equal(f->err.message, message);
}

static void the_same_one_is_the_same(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(check(f, &f->device), 0);
	assert_int_equal(check(f, &f->region), 0);
}

static void another_uuid_is_another_namespace(void **state)
{
	struct fixture *f = *state;

	now(f, REGION "/namespace0.0/uuid", OTHER "\n");
	expect_stale(f, &f->device, "namespace0.0 is another one: its uuid is " OTHER ", it was " UUID);
	now(f, REGION "/namespace0.0/uuid", "\n");
	expect_stale(f, &f->device, "namespace0.0 is another one: its uuid is none, it was " UUID);
	now(f, REGION "/namespace0.0/uuid", NULL);
	expect_stale(f, &f->device, "namespace0.0 is another one: its uuid is none, it was " UUID);
}

static void without_labels_size_and_address_tell(void **state)
{
	struct fixture *f = *state;

	free(take_ptr(f->device.uuid));
	now(f, REGION "/namespace0.0/uuid", NULL);
	assert_int_equal(check(f, &f->device), 0);
	now(f, REGION "/namespace0.0/resource", "0x180000000\n");
	expect_stale(f, &f->device,
		     "namespace0.0 is another one: its resource is 0x180000000, it was 0x140000000");
	now(f, REGION "/namespace0.0/size", "536870912\n");
	expect_stale(f, &f->device, "namespace0.0 is another one: its size is 536870912, it was 1073741824");
}

static void what_cannot_be_read_tells_nothing(void **state)
{
	struct fixture *f = *state;

	now(f, REGION "/namespace0.0/resource", NULL);
	assert_int_equal(check(f, &f->device), 0);
	now(f, REGION "/set_cookie", NULL);
	assert_int_equal(check(f, &f->region), 0);
}

static void an_instance_made_anew_is_another_one(void **state)
{
	struct fixture *f = *state;

	now(f, REGION "/pfn0.0/uuid", OTHER "\n");
	expect_stale(f, &f->device, "namespace0.0 is another one: its instance is " OTHER ", it was " IN_NODE);
}

static void an_instance_with_another_number_is_the_same(void **state)
{
	struct fixture *f = *state;

	now(f, REGION "/namespace0.0/holder", "pfn0.1\n");
	tree_text(&f->place.tree, REGION "/pfn0.1/uuid", IN_NODE "\n");
	driver(f, REGION "/pfn0.1/driver", "../../../../../bus/nd/drivers/nd_pmem");
	assert_int_equal(check(f, &f->device), 0);
}

static void an_instance_where_there_was_none(void **state)
{
	struct fixture *f = *state;

	free(take_ptr(f->device.instance_uuid));
	expect_stale(f, &f->device, "namespace0.0 is another one: its instance is " IN_NODE ", it was none");
	now(f, REGION "/namespace0.0/holder", "\n");
	driver(f, REGION "/namespace0.0/driver", "../../../../../bus/nd/drivers/nd_pmem");
	assert_int_equal(check(f, &f->device), 0);
}

static void while_it_is_disabled_no_instance_is_seen(void **state)
{
	struct fixture *f = *state;

	now(f, REGION "/namespace0.0/holder", "\n");
	assert_int_equal(check(f, &f->device), 0);
	/* nor was one when it was looked at */
	now(f, REGION "/namespace0.0/holder", "pfn0.0\n");
	f->device.enabled = false;
	free(take_ptr(f->device.instance_uuid));
	assert_int_equal(check(f, &f->device), 0);
}

static void another_place_is_another_one(void **state)
{
	struct fixture *f = *state;

	free(f->device.path);
	f->device.path = own(BUS "/region1/namespace0.0");
	expect_stale(f, &f->device,
		     "namespace0.0 is another one: its path is " REGION "/namespace0.0, it was " BUS
		     "/region1/namespace0.0");
}

static void a_namespace_that_is_gone(void **state)
{
	struct fixture *f = *state;

	driver(f, "/sys/bus/nd/devices/namespace0.0", NULL);
	assert_int_equal(check(f, &f->device), -ENODEV);
	assert_string_equal(f->err.message, "namespace0.0 is not there");
	driver(f, REGION "/driver", NULL);
	assert_int_equal(check(f, &f->device), -ENXIO);
	assert_string_equal(f->err.message, "namespace0.0 is not there: region0 is disabled");
}

static void another_region_by_cookie_size_or_address(void **state)
{
	struct fixture *f = *state;

	driver(f, REGION "/driver", NULL);
	assert_int_equal(check(f, &f->region), 0);
	now(f, REGION "/resource", "0x180000000\n");
	expect_stale(f, &f->region, "region0 is another one: its resource is 0x180000000, it was 0x140000000");
	now(f, REGION "/size", "536870912\n");
	expect_stale(f, &f->region, "region0 is another one: its size is 536870912, it was 1073741824");
	now(f, REGION "/set_cookie", "0x1\n");
	expect_stale(f, &f->region, "region0 is another one: its set_cookie is 0x1, it was 0x1b7f5bd5a7a3bf2c");
	driver(f, "/sys/bus/nd/devices/region0", NULL);
	assert_int_equal(check(f, &f->region), -ENODEV);
}

#define CXL "/sys/devices/platform/ACPI0017:00/root0"

/* The same on a region of CXL, as it is: with the bridge registered anew its numbers are others. */
static void put_on_cxl(struct fixture *f)
{
	static const char now_at[] = CXL "/nvdimm-bridge1/ndbus3/region0";

	driver(f, "/sys/bus/nd/devices/region0",
	       "../../../devices/platform/ACPI0017:00/root0/nvdimm-bridge1/ndbus3/region0");
	driver(f, "/sys/bus/nd/devices/namespace0.0",
	       "../../../devices/platform/ACPI0017:00/root0/nvdimm-bridge1/ndbus3/region0/namespace0.0");
	for (size_t i = 0; i < 2; i++) {
		static const char *const names[] = { "", "/namespace0.0" };
		char name[128];

		snprintf(name, sizeof(name), "%s%s/size", now_at, names[i]);
		tree_text(&f->place.tree, name, "1073741824\n");
		snprintf(name, sizeof(name), "%s%s/resource", now_at, names[i]);
		tree_text(&f->place.tree, name, "0x240000000\n");
	}
	tree_text(&f->place.tree, CXL "/nvdimm-bridge1/ndbus3/region0/set_cookie", "0x1b7f5bd5a7a3bf2c\n");
	tree_text(&f->place.tree, CXL "/nvdimm-bridge1/ndbus3/region0/namespace0.0/uuid", UUID "\n");
	tree_text(&f->place.tree, CXL "/nvdimm-bridge1/ndbus3/region0/namespace0.0/holder", "\n");
	driver(f, CXL "/nvdimm-bridge1/ndbus3/region0/driver", "../../../../../../../bus/nd/drivers/nd_region");
	free(f->device.path);
	f->device.path = own(CXL "/nvdimm-bridge0/ndbus0/region0/namespace0.0");
	free(f->region.path);
	f->region.path = own(CXL "/nvdimm-bridge0/ndbus0/region0");
}

static void on_cxl_the_numbers_of_the_bus_are_no_identity(void **state)
{
	struct fixture *f = *state;

	put_on_cxl(f);
	assert_int_equal(check(f, &f->device), 0);
	assert_int_equal(check(f, &f->region), 0);
	assert_int_equal(targets_is_enabled(&f->place.root, &f->region), 1);
	now(f, CXL "/nvdimm-bridge1/ndbus3/region0/namespace0.0/uuid", OTHER "\n");
	expect_stale(f, &f->device, "namespace0.0 is another one: its uuid is " OTHER ", it was " UUID);
	now(f, CXL "/nvdimm-bridge1/ndbus3/region0/set_cookie", "0x1\n");
	expect_stale(f, &f->region, "region0 is another one: its set_cookie is 0x1, it was 0x1b7f5bd5a7a3bf2c");
}

static void on_cxl_what_is_not_there_yet_is_awaited(void **state)
{
	struct fixture *f = *state;

	put_on_cxl(f);
	driver(f, "/sys/bus/nd/devices/namespace0.0", NULL);
	assert_int_equal(check(f, &f->device), -ENODEV);
	driver(f, CXL "/nvdimm-bridge1/ndbus3/region0/driver", NULL);
	assert_int_equal(check(f, &f->device), -ENXIO);
	driver(f, "/sys/bus/nd/devices/region0", NULL);
	assert_int_equal(check(f, &f->device), -ENXIO);
	assert_int_equal(check(f, &f->region), -ENXIO);
}

static void on_cxl_the_address_tells_where_nothing_else_does(void **state)
{
	struct fixture *f = *state;

	put_on_cxl(f);
	free(take_ptr(f->device.uuid));
	now(f, CXL "/nvdimm-bridge1/ndbus3/region0/namespace0.0/uuid", NULL);
	expect_stale(f, &f->device,
		     "namespace0.0 is another one: its resource is 0x240000000, it was 0x140000000");
}

/* Another root, or a bus that is none of CXL. */
static void another_path_on_cxl_is_another_one(void **state)
{
	static const char *const others[] = {
		"/sys/devices/platform/ACPI0017:00/root1/nvdimm-bridge0/ndbus0/region0",
		CXL "/nvdimm-bridge0/ndbus0x/region0", CXL "/ndbus0/region0", CXL "/nvdimm-bridge0/ndbus0/region00"
	};
	struct fixture *f = *state;

	put_on_cxl(f);
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		free(f->region.path);
		f->region.path = own(others[i]);
		assert_int_equal(check(f, &f->region), -ESTALE);
	}
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_same_one_is_the_same),
		TEST(another_uuid_is_another_namespace),
		TEST(without_labels_size_and_address_tell),
		TEST(what_cannot_be_read_tells_nothing),
		TEST(an_instance_made_anew_is_another_one),
		TEST(an_instance_with_another_number_is_the_same),
		TEST(an_instance_where_there_was_none),
		TEST(while_it_is_disabled_no_instance_is_seen),
		TEST(another_place_is_another_one),
		TEST(a_namespace_that_is_gone),
		TEST(another_region_by_cookie_size_or_address),
		TEST(on_cxl_the_numbers_of_the_bus_are_no_identity),
		TEST(on_cxl_what_is_not_there_yet_is_awaited),
		TEST(on_cxl_the_address_tells_where_nothing_else_does),
		TEST(another_path_on_cxl_is_another_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
