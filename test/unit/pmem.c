// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What sysfs says of a pmem namespace: is it taken away, is it memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "retire/targets/dax.h"
#include "retire/targets/pmem.h"
#include "retire/targets/sysfs.h"
#include "retire/targets/targets.h"
#include "test/unit/tree-root.h"

#define REGION "/sys/devices/ACPI0012:00/ndbus0/region0"
#define UP     "../../../.."

struct fixture {
	struct place place;
	char name[32], path[128], driver_device[16], driver[16], blockdev[16];
	struct device device;
};

/* namespace0.0 in fsdax mode, bound through pfn0.0, with the disk pmem0 */
static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	place_open(&f->place);
	tree_text(&f->place.tree, REGION "/namespace0.0/holder", "pfn0.0\n");
	tree_text(&f->place.tree, REGION "/pfn0.0/block/pmem0/dev", "259:0\n");
	tree_link(&f->place.tree, REGION "/pfn0.0/driver", UP "/bus/nd/drivers/nd_pmem");
	tree_link(&f->place.tree, "/sys/bus/nd/devices/namespace0.0",
		  "../../../devices/ACPI0012:00/ndbus0/region0/namespace0.0");
	tree_link(&f->place.tree, "/sys/class/block/pmem0",
		  "../../devices/ACPI0012:00/ndbus0/region0/pfn0.0/block/pmem0");
	strcpy(f->path, REGION "/namespace0.0");
	strcpy(f->name, "namespace0.0");
	strcpy(f->driver_device, "pfn0.0");
	strcpy(f->driver, "nd_pmem");
	strcpy(f->blockdev, "pmem0");
	f->device = (struct device){ .name = f->name,
				     .path = f->path,
				     .mode = MODE_FSDAX,
				     .enabled = true,
				     .driver_device = f->driver_device,
				     .driver = f->driver,
				     .blockdev = f->blockdev };
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	place_close(&f->place);
	free(f);
	return 0;
}

static int is_enabled(const struct fixture *f)
{
	return targets_is_enabled(&f->place.root, &f->device);
}

static void a_bound_instance_is_enabled(void **state)
{
	assert_int_equal(is_enabled(*state), 1);
}

static void without_driver_and_disk_it_is_disabled(void **state)
{
	struct fixture *f = *state;

	tree_gone(&f->place.tree, REGION "/pfn0.0/driver");
	assert_int_equal(is_enabled(f), 1);
	tree_gone(&f->place.tree, "/sys/class/block/pmem0");
	assert_int_equal(is_enabled(f), 0);
}

static void a_disk_of_that_name_elsewhere_is_not_ours(void **state)
{
	struct fixture *f = *state;

	tree_gone(&f->place.tree, REGION "/pfn0.0/driver");
	tree_gone(&f->place.tree, "/sys/class/block/pmem0");
	tree_link(&f->place.tree, "/sys/class/block/pmem0",
		  "../../devices/ACPI0012:00/ndbus0/region00/pfn0.0/block/pmem0");
	assert_int_equal(is_enabled(f), 0);
}

static void another_instance_that_took_it_counts(void **state)
{
	struct fixture *f = *state;

	tree_gone(&f->place.tree, REGION "/pfn0.0/driver");
	tree_gone(&f->place.tree, "/sys/class/block/pmem0");
	tree_text(&f->place.tree, REGION "/namespace0.0/holder", "pfn0.1\n");
	tree_link(&f->place.tree, REGION "/pfn0.1/driver", UP "/bus/nd/drivers/nd_pmem");
	assert_int_equal(is_enabled(f), 1);
}

static void a_namespace_bound_by_itself_is_enabled(void **state)
{
	struct fixture *f = *state;

	tree_gone(&f->place.tree, REGION "/pfn0.0/driver");
	tree_gone(&f->place.tree, "/sys/class/block/pmem0");
	tree_link(&f->place.tree, REGION "/namespace0.0/driver", UP "/bus/nd/drivers/nd_pmem");
	assert_int_equal(is_enabled(f), 1);
}

static void a_namespace_that_is_gone_is_disabled(void **state)
{
	struct fixture *f = *state;

	strcpy(f->path, "/sys/devices/ACPI0012:00/ndbus0/region9/namespace0.0");
	assert_int_equal(is_enabled(f), 0);
}

static void its_path_has_no_links(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *path = sysfs_path(&f->place.root, "nd", "namespace0.0");
	_cleanup_free_ char *none = sysfs_path(&f->place.root, "nd", "namespace9.0");

	assert_string_equal(path, REGION "/namespace0.0");
	assert_null(none);
}

static void a_driver_is_read_from_its_link(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *driver = pmem_driver(&f->place.root, f->path, "pfn0.0");
	_cleanup_free_ char *none = pmem_driver(&f->place.root, f->path, "namespace0.0");

	assert_string_equal(driver, "nd_pmem");
	assert_null(none);
}

/* ---- memory: dax0.0 has the addresses from 0x140200000 to 0x17fffffff, blocks have 128 MiB */

static void give_memory(struct fixture *f)
{
	tree_text(&f->place.tree, "/sys/devices/system/memory/block_size_bytes", "8000000\n");
	tree_text(&f->place.tree, "/sys/bus/dax/devices/dax0.0/mapping0/start", "0x140200000\n");
	tree_text(&f->place.tree, "/sys/bus/dax/devices/dax0.0/mapping0/end", "0x17fffffff\n");
}

static void devdax_without_memory_blocks_is_no_memory(void **state)
{
	struct fixture *f = *state;

	assert_false(dax_is_system_ram(&f->place.root, "dax0.0"));
	give_memory(f);
	assert_false(dax_is_system_ram(&f->place.root, "dax0.0"));
}

static void bound_to_kmem_it_is_system_ram(void **state)
{
	struct fixture *f = *state;

	tree_link(&f->place.tree, "/sys/bus/dax/devices/dax0.0/driver", "../../../bus/dax/drivers/kmem");
	assert_true(dax_is_system_ram(&f->place.root, "dax0.0"));
	assert_false(dax_has_online_memory(&f->place.root, "dax0.0"));
}

static void online_blocks_count_even_without_a_driver(void **state)
{
	struct fixture *f = *state;

	give_memory(f);
	tree_text(&f->place.tree, "/sys/devices/system/memory/memory47/state", "offline\n");
	assert_false(dax_has_online_memory(&f->place.root, "dax0.0"));
	/* no driver would have left them behind but one that lost them */
	assert_true(dax_is_system_ram(&f->place.root, "dax0.0"));
	tree_text(&f->place.tree, "/sys/devices/system/memory/memory47/state", "online\n");
	assert_true(dax_has_online_memory(&f->place.root, "dax0.0"));
	assert_true(dax_is_system_ram(&f->place.root, "dax0.0"));
}

static void going_offline_is_not_offline(void **state)
{
	struct fixture *f = *state;

	give_memory(f);
	tree_text(&f->place.tree, "/sys/devices/system/memory/memory41/state", "going-offline\n");
	assert_true(dax_has_online_memory(&f->place.root, "dax0.0"));
}

static void a_neighbours_blocks_do_not_count(void **state)
{
	struct fixture *f = *state;

	give_memory(f);
	/* 40 begins before the device, 48 behind it */
	tree_text(&f->place.tree, "/sys/devices/system/memory/memory40/state", "online\n");
	tree_text(&f->place.tree, "/sys/devices/system/memory/memory48/state", "online\n");
	tree_text(&f->place.tree, "/sys/devices/system/memory/memory18446744073709551615/state", "online\n");
	tree_text(&f->place.tree, "/sys/devices/system/memory/power/state", "online\n");
	assert_false(dax_has_online_memory(&f->place.root, "dax0.0"));
}

static void all_ranges_are_looked_at(void **state)
{
	struct fixture *f = *state;

	give_memory(f);
	tree_text(&f->place.tree, "/sys/bus/dax/devices/dax0.0/mapping1/start", "0x200000000\n");
	tree_text(&f->place.tree, "/sys/bus/dax/devices/dax0.0/mapping1/end", "0x23fffffff\n");
	tree_text(&f->place.tree, "/sys/devices/system/memory/memory64/state", "online\n");
	assert_true(dax_has_online_memory(&f->place.root, "dax0.0"));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_bound_instance_is_enabled),
		TEST(without_driver_and_disk_it_is_disabled),
		TEST(a_disk_of_that_name_elsewhere_is_not_ours),
		TEST(another_instance_that_took_it_counts),
		TEST(a_namespace_bound_by_itself_is_enabled),
		TEST(a_namespace_that_is_gone_is_disabled),
		TEST(its_path_has_no_links),
		TEST(a_driver_is_read_from_its_link),
		TEST(devdax_without_memory_blocks_is_no_memory),
		TEST(bound_to_kmem_it_is_system_ram),
		TEST(online_blocks_count_even_without_a_driver),
		TEST(going_offline_is_not_offline),
		TEST(a_neighbours_blocks_do_not_count),
		TEST(all_ranges_are_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
