// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Plans of regions: all their namespaces are one retirement, and a region is
 * unbound after the last namespace of all regions.
 */
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
	char *steps, *stands;
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	free(f->steps);
	free(f->stands);
	plan_free(&f->plan);
	look_free(&f->look);
	free(f);
	return 0;
}

static void plan(struct fixture *f, enum evict_level evict)
{
	const struct request request = { .command = "retire-region", .evict = evict };

	assert_int_equal(plan_make(&f->look, &request, &kernel, PLAN_WHOLE, &f->plan), 0);
	assert_null(broken_rule(&f->look, &request, &f->plan));
	f->steps = tell_steps(&f->look, &f->plan);
	f->stands = tell_vetoes(&f->plan, true);
}

static void regions_come_after_the_namespaces_of_all(void **state)
{
	struct fixture *f = *state;

	add_device(&f->look, MODE_FSDAX);
	add_region(&f->look, 0);
	add_device(&f->look, MODE_FSDAX);
	add_region(&f->look, 1);
	plan(f, EVICT_NONE);
	assert_false(f->plan.refused);
	assert_string_equal(f->steps, "claim pmem0, claim pmem2, unbind pfn0.0, unbind pfn2.0, unbind region0, "
				      "unbind region1");
}

static void a_holder_of_one_namespace_refuses_all(void **state)
{
	struct fixture *f = *state;

	add_device(&f->look, MODE_FSDAX);
	add_device(&f->look, MODE_RAW);
	add_region(&f->look, 0);
	add_mount(&f->look, add_fs(&f->look, DISK1, "ext4", 0), "/mnt");
	plan(f, EVICT_NONE);
	assert_true(f->plan.refused);
	assert_string_equal(f->stands, "mount /mnt --evict=stop");
}

static void a_busy_device_dax_refuses_all(void **state)
{
	struct fixture *f = *state;

	add_device(&f->look, MODE_FSDAX);
	add_device(&f->look, MODE_DEVDAX);
	add_region(&f->look, 0);
	add_process(&f->look, DISK1, "qemu", 812, USE_MAP);
	plan(f, EVICT_STOP);
	assert_true(f->plan.refused);
	assert_string_equal(f->stands, "process qemu[812] --evict=term");
}

static void memory_of_this_system_is_offline_before_any_claim(void **state)
{
	struct fixture *f = *state;

	add_device(&f->look, MODE_FSDAX);
	add_memory(&f->look, MODE_DEVDAX, ZONE_MOVABLE);
	add_region(&f->look, 0);
	plan(f, EVICT_NONE);
	assert_false(f->plan.refused);
	assert_string_equal(f->steps,
			    "offline-memory system RAM of dax1.0, claim pmem0, claim dax1.0, unbind pfn0.0, unbind dax1.0, "
			    "unbind region0");
}

static void with_its_namespaces_disabled_only_the_region_is_left(void **state)
{
	struct fixture *f = *state;

	add_device(&f->look, MODE_FSDAX)->enabled = false;
	add_region(&f->look, 0);
	plan(f, EVICT_NONE);
	assert_false(f->plan.already_retired);
	assert_string_equal(f->steps, "unbind region0");
}

static void a_region_without_a_driver_is_retired_already(void **state)
{
	struct fixture *f = *state;

	add_region(&f->look, 0);
	f->look.devices.items[0].enabled = false;
	plan(f, EVICT_NONE);
	assert_true(f->plan.already_retired);
	assert_string_equal(f->steps, "");
}

static void of_two_regions_one_may_be_retired_already(void **state)
{
	struct fixture *f = *state;

	add_device(&f->look, MODE_FSDAX);
	add_region(&f->look, 0);
	add_region(&f->look, 1);
	f->look.devices.items[2].enabled = false;
	plan(f, EVICT_NONE);
	assert_false(f->plan.already_retired);
	assert_string_equal(f->steps, "claim pmem0, unbind pfn0.0, unbind region0");
}

#define planned(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		planned(regions_come_after_the_namespaces_of_all),
		planned(a_holder_of_one_namespace_refuses_all),
		planned(a_busy_device_dax_refuses_all),
		planned(memory_of_this_system_is_offline_before_any_claim),
		planned(with_its_namespaces_disabled_only_the_region_is_left),
		planned(a_region_without_a_driver_is_retired_already),
		planned(of_two_regions_one_may_be_retired_already),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
