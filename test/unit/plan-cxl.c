// SPDX-License-Identifier: GPL-2.0-or-later
/* Plans of CXL regions and memdevs: the order in which they go, and what stands against it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/plan-build.h"
#include "util/cleanup.h"

static const struct kernel kernel = { "6.12", { [KERNEL_PRE_REMOVE] = ANSWER_YES } };

struct fixture {
	struct look look;
	struct plan plan;
	char *steps, *stands, *lifted;
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return 0;
}

static void forget(struct fixture *f)
{
	free(take_ptr(f->steps));
	free(take_ptr(f->stands));
	free(take_ptr(f->lifted));
	plan_free(&f->plan);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	forget(f);
	look_free(&f->look);
	free(f);
	return 0;
}

static struct device *add(struct fixture *f, enum device_type type, const char *name)
{
	struct device *device = array_add(&f->look.devices);

	*device = (struct device){ .type = type, .mode = MODE_NONE, .enabled = true };
	device->name = strdup(name);
	device->path = strdup("/sys/devices/x");
	device->driver = strdup("its driver");
	device->driver_device = strdup(name);
	return device;
}

static void add_target(struct device *region, const char *memdev)
{
	struct cxl_target *target = array_add(&region->cxl.targets);

	*target = (struct cxl_target){ .decoder = strdup("decoder2.0"), .memdev = strdup(memdev) };
}

/* Over two cards. */
static struct device *add_cxl_region(struct fixture *f, const char *name, const char *first, const char *second)
{
	struct device *region = add(f, DEVICE_CXL_REGION, name);

	region->mode = MODE_RAM;
	region->cxl.committed = true;
	add_target(region, first);
	if (second)
		add_target(region, second);
	return region;
}

static struct device *add_memdev(struct fixture *f, const char *name)
{
	struct device *memdev = add(f, DEVICE_CXL_MEMDEV, name);

	memdev->cxl.host = strdup("0000:0d:00.0");
	memdev->cxl.slot = strdup("2");
	return memdev;
}

static void plan(struct fixture *f, const char *allow, bool delete_region, bool power_off)
{
	const struct request request = { .command = "retire-memdev",
					 .evict = EVICT_KILL,
					 .allow = &allow,
					 .allow_count = allow != NULL,
					 .delete_region = delete_region,
					 .power_off = power_off };

	forget(f);
	f->look.initial_namespaces = true;
	assert_int_equal(plan_make(&f->look, &request, &kernel, PLAN_WHOLE, &f->plan), 0);
	assert_null(broken_rule(&f->look, &request, &f->plan));
	f->steps = tell_steps(&f->look, &f->plan);
	f->stands = tell_vetoes(&f->plan, true);
	f->lifted = tell_vetoes(&f->plan, false);
}

static void what_stands_on_a_region_goes_before_it_and_its_card_last(void **state)
{
	struct fixture *f = *state;

	add_memory(&f->look, MODE_SYSTEM_RAM, ZONE_MOVABLE);
	add_cxl_region(f, "region0", "mem0", NULL);
	add_memdev(f, "mem0");
	plan(f, NULL, false, false);
	assert_string_equal(f->stands, "");
	assert_non_null(strstr(f->steps, "offline-memory"));
	assert_non_null(strstr(f->steps, "unbind dax0.0, unbind region0, decommit region0, unbind mem0"));
}

static void all_regions_are_down_before_any_card(void **state)
{
	struct fixture *f = *state;

	add_cxl_region(f, "region1", "mem0", "mem1");
	add_cxl_region(f, "region0", "mem0", NULL);
	add_memdev(f, "mem0");
	add_memdev(f, "mem1");
	plan(f, NULL, true, true);
	assert_string_equal(f->stands, "");
	assert_string_equal(f->steps,
			    "unbind region1, unbind region0, decommit region1, decommit region0, delete region1, "
			    "delete region0, unbind mem0, unbind mem1, power-off mem0, power-off mem1");
}

static void the_cards_beside_it_lose_the_region_too(void **state)
{
	struct fixture *f = *state;

	add_cxl_region(f, "region0", "mem0", "mem1");
	add_memdev(f, "mem0");
	plan(f, NULL, false, false);
	assert_true(f->plan.refused);
	assert_string_equal(f->stands, "interleave-siblings region0 --allow=interleave-siblings");
	plan(f, "interleave-siblings", false, false);
	assert_false(f->plan.refused);
	add_memdev(f, "mem1");
	plan(f, NULL, false, false);
	assert_string_equal(f->lifted, "");
	assert_false(f->plan.refused);
}

static void who_names_the_region_knows_that(void **state)
{
	struct fixture *f = *state;

	add_cxl_region(f, "region0", "mem0", "mem1");
	plan(f, NULL, false, false);
	assert_string_equal(f->stands, "");
	assert_string_equal(f->steps, "unbind region0, decommit region0");
}

static void one_without_driver_is_only_decommitted(void **state)
{
	struct fixture *f = *state;
	struct device *region = add_cxl_region(f, "region0", "mem0", NULL);

	free(take_ptr(region->driver));
	plan(f, NULL, false, false);
	assert_string_equal(f->steps, "decommit region0");
}

static void one_that_is_down_is_retired_already_unless_it_is_to_be_deleted(void **state)
{
	struct fixture *f = *state;
	struct device *region = add_cxl_region(f, "region0", "mem0", NULL);

	free(take_ptr(region->driver));
	region->enabled = region->cxl.committed = false;
	plan(f, NULL, false, false);
	assert_true(f->plan.already_retired);
	plan(f, NULL, true, false);
	assert_string_equal(f->steps, "delete region0");
	region->cxl.absent = true;
	plan(f, NULL, true, false);
	assert_true(f->plan.already_retired);
}

static void memory_without_a_device_is_never_torn_down(void **state)
{
	struct fixture *f = *state;
	struct device *region = add_cxl_region(f, "region0", "mem0", NULL);

	region->cxl.unowned = true;
	plan(f, NULL, false, false);
	assert_string_equal(f->stands, "system-ram region0 critical");
	/* its card was pulled */
	free(take_ptr(region->cxl.targets.items[0].memdev));
	plan(f, NULL, false, false);
	assert_string_equal(f->stands, "burned region0 critical");
	free(take_ptr(region->driver));
	region->enabled = region->cxl.committed = false;
	plan(f, NULL, false, false);
	assert_string_equal(f->stands, "burned region0 critical");
}

static void what_firmware_has_set_apart_goes_by_itself_first(void **state)
{
	struct fixture *f = *state;
	struct device *region = add_cxl_region(f, "region0", "mem0", NULL);

	region->cxl.other = strdup("dax1.0");
	plan(f, "other-dax-device", true, false);
	assert_string_equal(f->stands, "other-dax-device region0 critical");
	assert_non_null(strstr(f->plan.vetoes.items[0].message, "'daxctl retire-device dax1.0'"));
	free(take_ptr(region->driver));
	region->enabled = region->cxl.committed = false;
	plan(f, NULL, true, false);
	assert_string_equal(f->stands, "");
}

/* Decoders that firmware has programmed, and no region of them. */
static void a_card_whose_memory_is_in_use_without_a_region_stays(void **state)
{
	struct fixture *f = *state;
	struct device *memdev = add_memdev(f, "mem0");

	memdev->cxl.other = strdup("dax1.0");
	plan(f, NULL, false, true);
	assert_string_equal(f->stands, "other-dax-device mem0 critical");
	free(take_ptr(memdev->cxl.other));
	memdev->cxl.unowned = true;
	plan(f, NULL, false, false);
	assert_string_equal(f->stands, "system-ram mem0 critical");
}

static void what_is_locked_is_a_risk_or_refused_by_the_kernel(void **state)
{
	struct fixture *f = *state;
	struct device *region = add_cxl_region(f, "region0", "mem0", NULL);

	region->cxl.locked = true;
	plan(f, NULL, false, false);
	assert_string_equal(f->stands, "locked region0 --allow=locked");
	plan(f, "locked", false, false);
	assert_false(f->plan.refused);
	region->cxl.refuses = true;
	plan(f, "locked", false, false);
	assert_string_equal(f->stands, "locked region0 critical");
}

static void who_came_later_goes_first(void **state)
{
	struct fixture *f = *state;
	struct device *region = add_cxl_region(f, "region0", "mem0", NULL);

	region->cxl.later = strdup("region1");
	plan(f, NULL, false, false);
	assert_string_equal(f->stands, "decoder-order region0 --allow=decoder-order");
}

static void one_that_somebody_takes_down_is_left_to_them(void **state)
{
	struct fixture *f = *state;
	struct device *region = add_cxl_region(f, "region0", "mem0", NULL);

	region->cxl.committed = false;
	plan(f, NULL, false, false);
	assert_string_equal(f->stands, "half-removed region0 critical");
	/* its cards were pulled: what is left of it goes */
	free(take_ptr(region->cxl.targets.items[0].memdev));
	plan(f, NULL, false, false);
	assert_string_equal(f->stands, "");
	assert_string_equal(f->steps, "unbind region0");
}

static void without_a_slot_there_is_no_power_to_take(void **state)
{
	struct fixture *f = *state;
	struct device *memdev = add_memdev(f, "mem0");

	free(take_ptr(memdev->cxl.slot));
	plan(f, NULL, false, true);
	assert_string_equal(f->stands, "no-slot mem0 critical");
	plan(f, NULL, false, false);
	assert_string_equal(f->stands, "");
}

static void a_card_without_driver_can_lose_its_power(void **state)
{
	struct fixture *f = *state;
	struct device *memdev = add_memdev(f, "mem0");

	memdev->enabled = false;
	plan(f, NULL, false, false);
	assert_true(f->plan.already_retired);
	plan(f, NULL, false, true);
	assert_string_equal(f->steps, "power-off mem0");
	memdev->cxl.absent = true;
	plan(f, NULL, false, true);
	assert_true(f->plan.already_retired);
}

#define planned(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		planned(what_stands_on_a_region_goes_before_it_and_its_card_last),
		planned(all_regions_are_down_before_any_card),
		planned(the_cards_beside_it_lose_the_region_too),
		planned(who_names_the_region_knows_that),
		planned(one_without_driver_is_only_decommitted),
		planned(one_that_is_down_is_retired_already_unless_it_is_to_be_deleted),
		planned(memory_without_a_device_is_never_torn_down),
		planned(what_firmware_has_set_apart_goes_by_itself_first),
		planned(a_card_whose_memory_is_in_use_without_a_region_stays),
		planned(what_is_locked_is_a_risk_or_refused_by_the_kernel),
		planned(who_came_later_goes_first),
		planned(one_that_somebody_takes_down_is_left_to_them),
		planned(without_a_slot_there_is_no_power_to_take),
		planned(a_card_without_driver_can_lose_its_power),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
