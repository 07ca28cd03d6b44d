// SPDX-License-Identifier: GPL-2.0-or-later
/* Dax devices as sysfs has them, whatever stands behind them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "retire/targets/dax.h"
#include "retire/targets/targets.h"
#include "test/unit/tree-root.h"
#include "util/cleanup.h"

#define BUS   "/sys/bus/dax/devices/"
#define BLOCK 0x8000000ULL

struct fixture {
	struct place place;
	struct look look;
	struct err err;
};

static void attribute(const struct fixture *f, const char *name, const char *which, const char *text)
{
	char place[128];

	snprintf(place, sizeof(place), "/sys/devices/%s/%s", name, which);
	tree_text(&f->place.tree, place, text);
}

static void range(const struct fixture *f, const char *name, int number, uint64_t start, uint64_t size)
{
	char which[32], text[32];

	snprintf(which, sizeof(which), "mapping%d/start", number);
	snprintf(text, sizeof(text), "0x%llx\n", (unsigned long long)start);
	attribute(f, name, which, text);
	snprintf(which, sizeof(which), "mapping%d/end", number);
	snprintf(text, sizeof(text), "0x%llx\n", (unsigned long long)(start + size - 1));
	attribute(f, name, which, text);
}

static void block(const struct fixture *f, unsigned number, const char *state)
{
	char place[96];

	snprintf(place, sizeof(place), "/sys/devices/system/memory/memory%u/state", number);
	tree_text(&f->place.tree, place, state);
}

static void device(const struct fixture *f, const char *name, const char *size, const char *driver)
{
	char place[128], target[128];

	attribute(f, name, "size", size);
	attribute(f, name, "dev", "252:7\n");
	attribute(f, name, "align", "2097152\n");
	attribute(f, name, "target_node", "1\n");
	snprintf(place, sizeof(place), BUS "%s", name);
	snprintf(target, sizeof(target), "../../../devices/%s", name);
	tree_link(&f->place.tree, place, target);
	snprintf(place, sizeof(place), "/sys/devices/%s/driver", name);
	snprintf(target, sizeof(target), "../../bus/dax/drivers/%s", driver ? driver : "");
	if (driver)
		tree_link(&f->place.tree, place, target);
}

/* One that users map, one of two ranges that kmem has, a seed, one without a driver. */
static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	place_open(&f->place);
	device(f, "dax0.0", "268435456\n", "device_dax");
	range(f, "dax0.0", 0, 8 * BLOCK, 2 * BLOCK);
	device(f, "dax0.1", "0\n", NULL);
	device(f, "dax1.10", "402653184\n", "kmem");
	attribute(f, "dax1.10", "target_node", "2\n");
	range(f, "dax1.10", 0, 16 * BLOCK, BLOCK);
	range(f, "dax1.10", 1, 32 * BLOCK, 2 * BLOCK);
	device(f, "dax1.9", "134217728\n", NULL);
	range(f, "dax1.9", 0, 64 * BLOCK - BLOCK / 2, BLOCK);
	tree_text(&f->place.tree, "/sys/devices/dax_region/x", "");
	tree_link(&f->place.tree, BUS "dax_region", "../../../devices/dax_region");
	tree_text(&f->place.tree, "/sys/devices/system/memory/block_size_bytes", "8000000\n");
	tree_text(&f->place.tree, "/sys/bus/dax/drivers/device_dax/unbind", "");
	tree_text(&f->place.tree, "/sys/bus/dax/drivers/kmem/new_id", "");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	look_free(&f->look);
	place_close(&f->place);
	free(f);
	return 0;
}

static int find(struct fixture *f, const char *name, const char *region, const char *node)
{
	const struct request request = {
		.names = &name, .name_count = 1, .region = region, .node = node, .dry_run = true
	};

	look_free(&f->look);
	memset(&f->look, 0, sizeof(f->look));
	return targets_find_dax(&f->place.root, &request, &f->look, &f->err);
}

static const struct device *found(const struct fixture *f, size_t which)
{
	assert_true(which < f->look.devices.count);
	return &f->look.devices.items[which];
}

static void all_with_capacity_come_in_the_order_of_their_numbers(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, "all", NULL, NULL), 0);
	assert_int_equal(f->look.devices.count, 3);
	assert_string_equal(found(f, 0)->name, "dax0.0");
	assert_string_equal(found(f, 1)->name, "dax1.9");
	assert_string_equal(found(f, 2)->name, "dax1.10");
}

static void one_that_users_map_has_its_node_and_its_pages(void **state)
{
	struct fixture *f = *state;
	const struct device *dax;

	assert_int_equal(find(f, "dax0.0", NULL, NULL), 0);
	dax = found(f, 0);
	assert_int_equal(dax->mode, MODE_DEVDAX);
	assert_true(dax->enabled);
	assert_int_not_equal(dax->dev, 0);
	assert_string_equal(dax->path, "/sys/devices/dax0.0");
	assert_string_equal(dax->driver, "device_dax");
	assert_int_equal(dax->align, 2 << 20);
	assert_int_equal(dax->memory.count, 1);
	assert_int_equal(dax->memory.items[0].start, 8 * BLOCK);
	assert_int_equal(dax->memory.items[0].size, 2 * BLOCK);
	assert_true(device_has_pages(dax));
}

static void memory_of_the_system_has_every_range_and_no_node(void **state)
{
	struct fixture *f = *state;
	const struct device *dax;

	assert_int_equal(find(f, "dax1.10", NULL, NULL), 0);
	dax = found(f, 0);
	assert_int_equal(dax->mode, MODE_SYSTEM_RAM);
	assert_true(dax->system_ram);
	assert_int_equal(dax->dev, 0);
	assert_int_equal(dax->memory.count, 2);
	assert_int_equal(dax->memory.items[1].start, 32 * BLOCK);
	assert_false(device_has_pages(dax));
}

/* Its driver has gone, and its memory stayed: it is not free to be used. */
static void blocks_without_a_driver_are_still_memory_of_the_system(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, "dax1.9", NULL, NULL), 0);
	assert_int_equal(found(f, 0)->mode, MODE_DEVDAX);
	/* these stick out: they are the neighbours' */
	block(f, 63, "online\n");
	block(f, 64, "online\n");
	assert_int_equal(find(f, "dax1.9", NULL, NULL), 0);
	assert_int_equal(found(f, 0)->mode, MODE_DEVDAX);
	range(f, "dax1.9", 0, 63 * BLOCK, BLOCK);
	block(f, 63, "offline\n");
	assert_int_equal(find(f, "dax1.9", NULL, NULL), 0);
	assert_int_equal(found(f, 0)->mode, MODE_SYSTEM_RAM);
	assert_false(found(f, 0)->enabled);
	assert_false(dax_has_online_memory(&f->place.root, "dax1.9"));
	block(f, 63, "going-offline\n");
	assert_true(dax_has_online_memory(&f->place.root, "dax1.9"));
}

static void names_and_filters_are_matched_exactly(void **state)
{
	static const struct {
		const char *name, *region, *node;
		int rc;
		size_t count;
	} rows[] = {
		{ "dax0.0", "0", NULL, 0, 1 },
		{ "dax0.0", "all", NULL, 0, 1 },
		{ "dax0.0", NULL, "1", 0, 1 },
		{ "all", "1", NULL, 0, 2 },
		{ "all", NULL, "2", 0, 1 },
		{ "dax0.0", "1", NULL, -ENODEV, 0 },
		{ "dax0.0", NULL, "2", -ENODEV, 0 },
		{ "all", NULL, "3", -ENODEV, 0 },
		{ "all", "00", NULL, -ENODEV, 0 },
		{ "all", "1x", NULL, -ENODEV, 0 },
		{ "all", NULL, "01", -ENODEV, 0 },
		{ "dax0.1", NULL, NULL, -ENXIO, 0 },
		{ "dax0.00", NULL, NULL, -ENODEV, 0 },
		{ "dax0.0x", NULL, NULL, -ENODEV, 0 },
		{ "dax_region", NULL, NULL, -ENODEV, 0 },
		{ "/dev/dax0.0", NULL, NULL, -ENODEV, 0 },
		{ "", NULL, NULL, -ENODEV, 0 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int rc = find(f, rows[i].name, rows[i].region, rows[i].node);

		if (rc != rows[i].rc || f->look.devices.count != rows[i].count)
			fail_msg("row %zu: %d, %zu devices", i, rc, f->look.devices.count);
	}
}

static void memory_that_is_online_keeps_its_driver(void **state)
{
	struct fixture *f = *state;

	block(f, 33, "online\n");
	assert_int_equal(dax_switch_driver(&f->place.root, "dax1.10", "device_dax"), -EBUSY);
	assert_int_equal(dax_switch_driver(&f->place.root, "dax1.10", "kmem"), 1);
	/* one of somebody else */
	block(f, 33, "offline\n");
	block(f, 34, "online\n");
	assert_int_not_equal(dax_switch_driver(&f->place.root, "dax1.10", "device_dax"), -EBUSY);
}

static void another_one_of_the_same_name_is_not_taken_for_it(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, "dax0.0", NULL, NULL), 0);
	assert_int_equal(targets_check_identity(&f->place.root, found(f, 0), &f->err), 0);
	attribute(f, "dax0.0", "size", "134217728\n");
	assert_int_equal(targets_check_identity(&f->place.root, found(f, 0), &f->err), -ESTALE);
}

static void a_machine_without_the_bus_has_none(void **state)
{
	struct fixture *f = *state;
	struct tree empty;

	root_close(&f->place.root);
	tree_make(&empty);
	assert_int_equal(root_open(&f->place.root, empty.path), 0);
	assert_int_equal(find(f, "all", NULL, NULL), 0);
	assert_int_equal(f->look.devices.count, 0);
	assert_int_equal(find(f, "dax0.0", NULL, NULL), -ENODEV);
	tree_remove(&empty);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(all_with_capacity_come_in_the_order_of_their_numbers),
		TEST(one_that_users_map_has_its_node_and_its_pages),
		TEST(memory_of_the_system_has_every_range_and_no_node),
		TEST(blocks_without_a_driver_are_still_memory_of_the_system),
		TEST(names_and_filters_are_matched_exactly),
		TEST(memory_that_is_online_keeps_its_driver),
		TEST(another_one_of_the_same_name_is_not_taken_for_it),
		TEST(a_machine_without_the_bus_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
