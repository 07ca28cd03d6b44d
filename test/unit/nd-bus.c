// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is on the nd bus, as sysfs has it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "retire/targets/nd-bus.h"
#include "test/unit/tree-root.h"

#define DEVICES "/sys/bus/nd/devices"

struct fixture {
	struct place place;
	struct nd_devices nd;
};

static void link_of(const struct fixture *f, const char *name, const char *directory)
{
	char link[128], target[192];

	snprintf(link, sizeof(link), DEVICES "/%s", name);
	snprintf(target, sizeof(target), "../../../devices/%s%s", directory, name);
	tree_link(&f->place.tree, link, target);
}

static void attribute(const struct fixture *f, const char *path, const char *text)
{
	char place[192];

	snprintf(place, sizeof(place), "/sys/devices/%s", path);
	tree_text(&f->place.tree, place, text);
}

/* Two buses, of which the second has the region with the lower number; the seeds and instances that a kernel shows
 */
static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	place_open(&f->place);
	attribute(f, "ACPI0012:00/ndbus0/provider", "ACPI.NFIT\n");
	attribute(f, "ACPI0012:00/ndbus0/wait_probe", "1\n");
	attribute(f, "e820/ndbus10/provider", "e820\n");
	attribute(f, "ACPI0012:00/ndbus0/region11/nstype", "5\n");
	attribute(f, "ACPI0012:00/ndbus0/region9/nstype", "4\n");
	attribute(f, "e820/ndbus10/region2/nstype", "4\n");
	attribute(f, "ACPI0012:00/ndbus0/region11/namespace11.10/size", "4096\n");
	attribute(f, "ACPI0012:00/ndbus0/region11/namespace11.9/size", "0\n");
	attribute(f, "e820/ndbus10/region2/namespace2.0/size", "17179869184\n");
	link_of(f, "ndbus0", "ACPI0012:00/");
	link_of(f, "ndbus10", "e820/");
	link_of(f, "region11", "ACPI0012:00/ndbus0/");
	link_of(f, "region9", "ACPI0012:00/ndbus0/");
	link_of(f, "region2", "e820/ndbus10/");
	link_of(f, "namespace11.10", "ACPI0012:00/ndbus0/region11/");
	link_of(f, "namespace11.9", "ACPI0012:00/ndbus0/region11/");
	link_of(f, "namespace2.0", "e820/ndbus10/region2/");
	link_of(f, "pfn11.0", "ACPI0012:00/ndbus0/region11/");
	link_of(f, "nmem0", "ACPI0012:00/ndbus0/");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	nd_devices_free(&f->nd);
	place_close(&f->place);
	free(f);
	return 0;
}

static void read_all(struct fixture *f)
{
	assert_int_equal(nd_devices_read(&f->place.root, &f->nd), 0);
}

static void everything_is_found_in_the_order_of_numbers(void **state)
{
	struct fixture *f = *state;

	read_all(f);
	assert_int_equal(f->nd.buses.count, 2);
	assert_int_equal(f->nd.regions.count, 3);
	assert_string_equal(f->nd.regions.items[0].name, "region9");
	assert_string_equal(f->nd.regions.items[1].name, "region11");
	assert_string_equal(f->nd.regions.items[2].name, "region2");
	assert_int_equal(f->nd.regions.items[1].nstype, 5);
	assert_int_equal(f->nd.namespaces.count, 3);
	assert_string_equal(f->nd.namespaces.items[0].name, "namespace11.9");
	assert_string_equal(f->nd.namespaces.items[1].name, "namespace11.10");
	assert_string_equal(f->nd.namespaces.items[2].name, "namespace2.0");
	assert_int_equal(f->nd.namespaces.items[0].size, 0);
	assert_int_equal(f->nd.namespaces.items[2].size, 17179869184);
}

static void a_namespace_knows_its_region_and_bus(void **state)
{
	struct fixture *f = *state;
	const struct nd_namespace *ndns;

	read_all(f);
	ndns = nd_namespace_named(&f->nd, "namespace2.0");
	assert_non_null(ndns);
	assert_string_equal(nd_region_of(&f->nd, ndns)->name, "region2");
	assert_string_equal(nd_bus_of(&f->nd, nd_region_of(&f->nd, ndns))->provider, "e820");
	assert_null(nd_namespace_named(&f->nd, "namespace2.00"));
	assert_null(nd_region_named(&f->nd, "region"));
}

/* A device that goes while the bus is read leaves a link, or a namespace without its region. */
static void what_is_half_gone_is_not_there(void **state)
{
	struct fixture *f = *state;

	link_of(f, "namespace11.3", "ACPI0012:00/ndbus0/region11/");
	link_of(f, "region7", "ACPI0012:00/ndbus0/");
	attribute(f, "ACPI0012:00/ndbus0/region8/namespace8.0/size", "4096\n");
	link_of(f, "namespace8.0", "ACPI0012:00/ndbus0/region8/");
	attribute(f, "elsewhere/ndbus3/region4/nstype", "4\n");
	link_of(f, "region4", "elsewhere/ndbus3/");
	read_all(f);
	assert_int_equal(f->nd.regions.count, 3);
	assert_int_equal(f->nd.namespaces.count, 3);
}

static void names_that_only_look_like_it_are_not_taken(void **state)
{
	struct fixture *f = *state;
	unsigned region, number;

	link_of(f, "region11x", "ACPI0012:00/ndbus0/");
	attribute(f, "ACPI0012:00/ndbus0/region11x/nstype", "4\n");
	read_all(f);
	assert_int_equal(f->nd.regions.count, 3);
	assert_true(nd_is_namespace("namespace0.1", &region, &number));
	assert_int_equal(region, 0);
	assert_int_equal(number, 1);
	assert_false(nd_is_namespace("namespace0.01", &region, &number));
	assert_false(nd_is_namespace("namespace0.", &region, &number));
	assert_false(nd_is_namespace("namespace0.1 ", &region, &number));
	assert_false(nd_is_namespace("namespace-1.0", &region, &number));
	assert_false(nd_is_namespace("namespace0.4294967296", &region, &number));
	assert_false(nd_is_namespace("namespace0.0x1", &region, &number));
}

static void a_machine_without_the_bus_has_nothing(void **state)
{
	struct fixture *f = *state;
	struct root nowhere;
	struct tree empty;

	tree_make(&empty);
	assert_int_equal(root_open(&nowhere, empty.path), 0);
	assert_int_equal(nd_devices_read(&nowhere, &f->nd), 0);
	assert_int_equal(f->nd.namespaces.count, 0);
	root_close(&nowhere);
	tree_remove(&empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(everything_is_found_in_the_order_of_numbers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_namespace_knows_its_region_and_bus, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_half_gone_is_not_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_that_only_look_like_it_are_not_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_machine_without_the_bus_has_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
