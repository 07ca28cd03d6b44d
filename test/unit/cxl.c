// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CXL regions and memdevs as sysfs has them, and what is written there.
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

#include "retire/targets/cxl-changes.h"
#include "retire/targets/cxl.h"
#include "retire/targets/kinds.h"
#include "retire/targets/targets.h"
#include "test/unit/cxl-tree.h"
#include "util/cleanup.h"
#include "util/root.h"

static void a_memdev_brings_its_regions_and_what_is_on_them(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, "mem1"), 0);
	assert_int_equal(f->look.devices.count, 3);
	assert_string_equal(found(f, 0)->name, "dax0.0");
	assert_string_equal(found(f, 1)->name, "region0");
	assert_string_equal(found(f, 2)->name, "mem1");
	assert_int_equal(found(f, 0)->below, 2);
	assert_int_equal(found(f, 1)->below, 3);
	assert_int_equal(found(f, 2)->below, 0);
}

static void a_region_has_its_cards_by_position(void **state)
{
	struct fixture *f = *state;
	const struct cxl *cxl;

	assert_int_equal(find(f, "region0"), 0);
	cxl = &found(f, 1)->cxl;
	assert_string_equal(device_bus(found(f, 1)->type), "cxl");
	assert_int_equal(found(f, 1)->resource, 0x80000000);
	assert_string_equal(cxl->root_decoder, "decoder0.0");
	assert_true(cxl->committed);
	assert_false(cxl->locked);
	assert_int_equal(cxl->targets.count, 2);
	assert_string_equal(cxl->targets.items[1].memdev, "mem2");
	assert_int_equal(cxl->targets.items[1].serial, 0xbb);
	assert_int_equal(cxl->targets.items[1].dpa_size, BLOCK);
}

static void a_card_is_known_by_its_number_and_its_place(void **state)
{
	static const char *const names[] = { "mem2", "0000:02:00.0", "187", "0xbb" };
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		assert_int_equal(find_with(f, targets_find_cxl_memdev, names[i], NULL, NULL), 0);
		assert_string_equal(found(f, 2)->name, "mem2");
		assert_string_equal(found(f, 2)->cxl.slot, "2");
	}
	assert_int_equal(find(f, "0xb"), -ENODEV);
	assert_int_equal(find(f, "2"), -ENODEV);
	assert_int_equal(find(f, "mem02"), -ENODEV);
	assert_int_equal(find(f, "region0x"), -ENODEV);
	assert_int_equal(find_with(f, targets_find_cxl_memdev, "region0", NULL, NULL), -ENODEV);
	assert_int_equal(find_with(f, targets_find_cxl_region, "mem1", NULL, NULL), -ENODEV);
}

static void the_port_above_a_card_counts_its_errors(void **state)
{
	static const char port[] = "/sys/bus/pci/devices/pci0000:00";
	struct fixture *f = *state;

	assert_int_equal(find(f, "mem2"), 0);
	assert_string_equal(found(f, 2)->cxl.port, "pci0000:00");
	assert_false(found(f, 2)->cxl.port_counts);
	text(f, "RxErr 2\nTOTAL_ERR_COR 2\n", "%s/aer_dev_correctable", port);
	text(f, "TOTAL_ERR_NONFATAL 0\n", "%s/aer_dev_nonfatal", port);
	text(f, "TOTAL_ERR_FATAL 4\n", "%s/aer_dev_fatal", port);
	assert_int_equal(find(f, "mem2"), 0);
	assert_true(found(f, 2)->cxl.port_counts);
	assert_int_equal(found(f, 2)->cxl.counted.correctable, 2);
	assert_int_equal(found(f, 2)->cxl.counted.fatal, 4);
}

static void two_cards_of_one_number_are_told_by_name_only(void **state)
{
	struct fixture *f = *state;

	text(f, "0xaa\n", "/sys/devices/pci0000:00/0000:02:00.0/mem2/serial");
	assert_int_equal(find(f, "0xaa"), -ENOTUNIQ);
	assert_int_equal(find(f, "mem2"), 0);
}

static void filters_are_matched_exactly(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find_with(f, targets_find_cxl, "all", "root0", NULL), 0);
	assert_int_equal(f->look.devices.count, 4);
	assert_int_equal(find_with(f, targets_find_cxl, "mem1", "ACPI.CXL", NULL), 0);
	assert_int_equal(find_with(f, targets_find_cxl, "all", "root", NULL), -ENODEV);
	assert_int_equal(find_with(f, targets_find_cxl, "all", "0x0", NULL), -ENODEV);
	assert_int_equal(find_with(f, targets_find_cxl_region, "region0", NULL, "decoder0.0"), 0);
	assert_int_equal(find_with(f, targets_find_cxl_region, "region0", NULL, "decoder0"), -ENODEV);
}

static void a_name_of_many_dots_leads_nowhere(void **state)
{
	struct fixture *f = *state;

	text(f, "../../x\n", ROOT "/decoder0.0/region0/target0");
	text(f, "../region0\n", ROOT "/port1/endpoint4/decoder4.0/region");
	assert_int_equal(find(f, "region0"), 0);
	assert_null(found(f, 1)->cxl.targets.items[0].decoder);
	assert_int_equal(find(f, "mem2"), -EBADMSG);
}

static void memory_that_no_device_has_is_seen(void **state)
{
	struct fixture *f = *state;

	tree_text(&f->place.tree, "/sys/devices/system/memory/memory17/state", "online\n");
	assert_int_equal(find(f, "region0"), 0);
	assert_false(found(f, 1)->cxl.unowned);
	text(f, "0\n", ROOT "/decoder0.0/region0/dax_region0/dax0.0/size");
	assert_int_equal(find(f, "region0"), 0);
	assert_true(found(f, 0)->cxl.unowned);
}

static void what_was_locked_says_who_refuses(void **state)
{
	struct fixture *f = *state;

	text(f, "1\n", ROOT "/port1/endpoint4/decoder4.0/locked");
	assert_int_equal(find(f, "region0"), 0);
	assert_true(found(f, 1)->cxl.locked);
	assert_false(found(f, 1)->cxl.refuses);
	text(f, "1\n", ROOT "/decoder0.0/region0/locked");
	assert_int_equal(find(f, "region0"), 0);
	assert_true(found(f, 1)->cxl.refuses);
}

static void who_was_committed_later_is_named(void **state)
{
	struct fixture *f = *state;

	text(f, "region1\n", ROOT "/port1/endpoint4/decoder4.1/region");
	text(f, "1\n", ROOT "/decoder0.0/region1/commit");
	on_bus(f, "cxl", ROOT "/decoder0.0/region1");
	assert_int_equal(find(f, "region0"), 0);
	assert_string_equal(found(f, 1)->cxl.later, "region1");
	/* both: the later one goes first */
	text(f, "1\n", ROOT "/decoder0.0/region1/interleave_ways");
	text(f, "decoder4.1\n", ROOT "/decoder0.0/region1/target0");
	assert_int_equal(find(f, "mem2"), 0);
	assert_string_equal(found(f, 1)->name, "region1");
	assert_string_equal(found(f, 2)->name, "region0");
	assert_null(found(f, 2)->cxl.later);
}

static void nothing_is_taken_from_under_what_stands_on_it(void **state)
{
	struct fixture *f = *state;
	struct device *region;

	assert_int_equal(find(f, "region0"), 0);
	region = found(f, 1);
	assert_int_equal(cxl_region_decommit(&f->place.root, region), -EADDRINUSE);
	assert_int_equal(cxl_region_erase(&f->place.root, region), -EADDRINUSE);
	drive(f, "dax", ROOT "/decoder0.0/region0/dax_region0/dax0.0", "device_dax");
	assert_int_equal(cxl_region_disable(&f->place.root, region), -EADDRINUSE);
	tree_gone(&f->place.tree, ROOT "/decoder0.0/region0/dax_region0/dax0.0/driver");
	tree_text(&f->place.tree, "/sys/devices/system/memory/memory16/state", "going-offline\n");
	assert_int_equal(cxl_region_disable(&f->place.root, region), -EADDRINUSE);
	tree_gone(&f->place.tree, ROOT "/decoder0.0/region0/driver");
	assert_int_equal(cxl_region_decommit(&f->place.root, region), -EADDRINUSE);
	reads(f, "1", ROOT "/decoder0.0/region0/commit");
}

static void a_region_goes_from_the_top_down(void **state)
{
	struct fixture *f = *state;
	struct device *region;

	assert_int_equal(find(f, "region0"), 0);
	region = found(f, 1);
	assert_int_equal(cxl_region_disable(&f->place.root, region), 0);
	reads(f, "region0", "/sys/bus/cxl/drivers/cxl_region/unbind");
	tree_gone(&f->place.tree, ROOT "/decoder0.0/region0/driver");
	assert_int_equal(targets_is_enabled(&f->place.root, region), 1);
	assert_int_equal(cxl_region_decommit(&f->place.root, region), 0);
	assert_int_equal(targets_is_enabled(&f->place.root, region), 0);
	assert_int_equal(cxl_region_decommit(&f->place.root, region), 1);
	/* the file stays: as if the kernel had not deleted it */
	assert_int_equal(cxl_region_erase(&f->place.root, region), -EIO);
	reads(f, "region0", ROOT "/decoder0.0/delete_region");
}

static void a_card_keeps_its_driver_while_a_region_has_a_part_of_it(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, "mem2"), 0);
	assert_int_equal(cxl_memdev_disable(&f->place.root, found(f, 2)), -EADDRINUSE);
	assert_int_equal(cxl_memdev_power_off(&f->place.root, found(f, 2)), -EADDRINUSE);
	tree_gone(&f->place.tree, ROOT "/decoder0.0/region0/driver");
	text(f, "0\n", ROOT "/decoder0.0/region0/commit");
	assert_int_equal(cxl_memdev_disable(&f->place.root, found(f, 2)), 0);
	reads(f, "mem2", "/sys/bus/cxl/drivers/cxl_mem/unbind");
}

static void power_is_not_taken_from_another_function(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, "mem2"), 0);
	tree_gone(&f->place.tree, "/sys/devices/pci0000:00/0000:02:00.0/mem2/driver");
	text(f, "", "/sys/bus/pci/devices/0000:02:00.1/vendor");
	assert_int_equal(cxl_memdev_power_off(&f->place.root, found(f, 2)), -ENOTUNIQ);
	reads(f, "1", "/sys/bus/pci/slots/2/power");
}

static void only_a_card_of_cxl_loses_its_power(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, "mem2"), 0);
	tree_gone(&f->place.tree, "/sys/devices/pci0000:00/0000:02:00.0/mem2/driver");
	text(f, "0x010802\n", "/sys/bus/pci/devices/0000:02:00.0/class");
	assert_int_equal(cxl_memdev_power_off(&f->place.root, found(f, 2)), -EPERM);
	text(f, "0x050210\n", "/sys/bus/pci/devices/0000:02:00.0/class");
	text(f, "0000:03:00\n", "/sys/bus/pci/slots/2/address");
	assert_int_equal(cxl_memdev_power_off(&f->place.root, found(f, 2)), -ESTALE);
	reads(f, "1", "/sys/bus/pci/slots/2/power");
}

static void the_slot_loses_its_power_last(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, "mem2"), 0);
	tree_gone(&f->place.tree, "/sys/devices/pci0000:00/0000:02:00.0/mem2/driver");
	assert_int_equal(cxl_memdev_power_off(&f->place.root, found(f, 2)), 0);
	reads(f, "0", "/sys/bus/pci/slots/2/power");
}

static void another_card_in_its_place_is_not_taken_for_it(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, "mem2"), 0);
	text(f, "0xcc\n", "/sys/devices/pci0000:00/0000:02:00.0/mem2/serial");
	assert_int_equal(targets_check_identity(&f->place.root, found(f, 2), &f->err), -ESTALE);
	assert_int_equal(targets_check_identity(&f->place.root, found(f, 1), &f->err), -ESTALE);
	/* the same one, elsewhere */
	text(f, "0xbb\n", "/sys/devices/pci0000:00/0000:01:00.0/mem1/serial");
	assert_int_equal(targets_check_identity(&f->place.root, found(f, 2), &f->err), 0);
}

static void what_can_come_back_is_not_gone_for_good(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, "mem2"), 0);
	tree_gone(&f->place.tree, "/sys/bus/dax/devices/dax0.0");
	tree_gone(&f->place.tree, "/sys/bus/cxl/devices/region0");
	tree_gone(&f->place.tree, "/sys/bus/cxl/devices/mem2");
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(targets_check_identity(&f->place.root, found(f, i), &f->err), -ENXIO);
	tree_gone(&f->place.tree, "/sys/bus/cxl/devices/decoder0.0");
	assert_int_equal(targets_check_identity(&f->place.root, found(f, 1), &f->err), -ENODEV);
}

static void what_has_gone_with_its_region_is_not_taken_from_anybody(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, "region0"), 0);
	tree_gone(&f->place.tree, "/sys/bus/dax/devices/dax0.0");
	assert_int_equal(target_dax.disable(&f->place.root, found(f, 0)), 1);
	tree_text(&f->place.tree, "/sys/devices/system/memory/memory17/state", "online\n");
	assert_int_equal(target_dax.disable(&f->place.root, found(f, 0)), -EBUSY);
}

static void what_has_gone_is_found_again_as_disabled(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, "mem2"), 0);
	tree_gone(&f->place.tree, "/sys/bus/dax/devices/dax0.0");
	tree_gone(&f->place.tree, "/sys/bus/cxl/devices/mem2");
	text(f, "0\n", "/sys/bus/pci/slots/2/power");
	assert_int_equal(targets_find_again(&f->place.root, &f->look, &f->again, &f->err), 0);
	assert_int_equal(f->again.devices.count, 3);
	assert_false(f->again.devices.items[0].enabled);
	assert_true(f->again.devices.items[1].enabled);
	assert_false(f->again.devices.items[2].enabled);
	assert_true(f->again.devices.items[2].cxl.absent);
}

static void a_card_that_comes_back_has_another_name(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, "mem2"), 0);
	tree_gone(&f->place.tree, "/sys/bus/cxl/devices/mem2");
	text(f, "0xbb\n", "/sys/devices/pci0000:00/0000:02:00.0/mem7/serial");
	on_bus(f, "cxl", "/sys/devices/pci0000:00/0000:02:00.0/mem7");
	assert_int_equal(targets_find_again(&f->place.root, &f->look, &f->again, &f->err), 0);
	assert_string_equal(f->again.devices.items[2].name, "mem7");
}

/* Torn down and not deleted, with its cards' drivers gone and back: other decoders, and none of them in the
 * region. */
static void a_region_is_made_of_the_same_cards(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, "region0"), 0);
	tree_gone(&f->place.tree, ROOT "/decoder0.0/region0/driver");
	text(f, "0\n", ROOT "/decoder0.0/region0/commit");
	for (int i = 0; i < 2; i++) {
		text(f, "\n", ROOT "/decoder0.0/region0/target%d", i);
		text(f, "\n", ROOT "/port1/endpoint%d/decoder%d.0/region", 3 + i, 3 + i);
		text(f, "0\n", ROOT "/port1/endpoint%d/decoder%d.0/dpa_size", 3 + i, 3 + i);
	}
	/* the first decoder of one is somebody else's by now */
	text(f, "region5\n", ROOT "/port1/endpoint4/decoder4.0/region");
	assert_int_equal(cxl_region_commit(&f->place.root, found(f, 1)), 0);
	reads(f, "decoder3.0", ROOT "/decoder0.0/region0/target0");
	reads(f, "decoder4.1", ROOT "/decoder0.0/region0/target1");
	reads(f, "0x8000000", ROOT "/port1/endpoint4/decoder4.1/dpa_size");
	reads(f, "1", ROOT "/decoder0.0/region0/commit");
	assert_int_equal(cxl_region_commit(&f->place.root, found(f, 1)), 1);
}

static void without_a_card_or_a_decoder_it_is_not_made(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, "region0"), 0);
	tree_gone(&f->place.tree, ROOT "/decoder0.0/region0/driver");
	text(f, "0\n", ROOT "/decoder0.0/region0/commit");
	text(f, "\n", ROOT "/decoder0.0/region0/target1");
	text(f, "region5\n", ROOT "/port1/endpoint4/decoder4.0/region");
	text(f, "region5\n", ROOT "/port1/endpoint4/decoder4.1/region");
	assert_int_equal(cxl_region_commit(&f->place.root, found(f, 1)), -ENOSPC);
	tree_gone(&f->place.tree, "/sys/bus/cxl/devices/mem2");
	assert_int_equal(cxl_region_commit(&f->place.root, found(f, 1)), -ENODEV);
	reads(f, "0", ROOT "/decoder0.0/region0/commit");
}

static void a_machine_without_the_bus_has_none(void **state)
{
	struct fixture *f = *state;
	struct tree empty;

	root_close(&f->place.root);
	tree_make(&empty);
	assert_int_equal(root_open(&f->place.root, empty.path), 0);
	assert_int_equal(find(f, "all"), 0);
	assert_int_equal(f->look.devices.count, 0);
	assert_int_equal(find(f, "mem0"), -ENODEV);
	tree_remove(&empty);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, cxl_make, cxl_remove)
	const struct CMUnitTest tests[] = {
		TEST(a_memdev_brings_its_regions_and_what_is_on_them),
		TEST(a_region_has_its_cards_by_position),
		TEST(a_card_is_known_by_its_number_and_its_place),
		TEST(the_port_above_a_card_counts_its_errors),
		TEST(two_cards_of_one_number_are_told_by_name_only),
		TEST(filters_are_matched_exactly),
		TEST(a_name_of_many_dots_leads_nowhere),
		TEST(memory_that_no_device_has_is_seen),
		TEST(what_was_locked_says_who_refuses),
		TEST(who_was_committed_later_is_named),
		TEST(nothing_is_taken_from_under_what_stands_on_it),
		TEST(a_region_goes_from_the_top_down),
		TEST(a_card_keeps_its_driver_while_a_region_has_a_part_of_it),
		TEST(power_is_not_taken_from_another_function),
		TEST(only_a_card_of_cxl_loses_its_power),
		TEST(the_slot_loses_its_power_last),
		TEST(another_card_in_its_place_is_not_taken_for_it),
		TEST(what_can_come_back_is_not_gone_for_good),
		TEST(what_has_gone_with_its_region_is_not_taken_from_anybody),
		TEST(what_has_gone_is_found_again_as_disabled),
		TEST(a_card_that_comes_back_has_another_name),
		TEST(a_region_is_made_of_the_same_cards),
		TEST(without_a_card_or_a_decoder_it_is_not_made),
		TEST(a_machine_without_the_bus_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
