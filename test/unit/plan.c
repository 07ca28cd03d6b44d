// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The order of a plan: what is done with mounts, processes and swap on one
 * device and on several. Stacks, refusals and the mounted unbind have tables of
 * their own.
 */
#include "test/unit/plan-rows.h"

static void nothing(struct look *look)
{
	add_device(look, MODE_FSDAX);
}

static void without_node(struct look *look)
{
	add_device(look, MODE_FSDAX)->dev = 0;
}

static void partitioned(struct look *look)
{
	int part1, part2;

	add_device(look, MODE_FSDAX);
	part1 = add_stack(look, HOLDER_PARTITION, DISK0, "pmem0p1");
	part2 = add_stack(look, HOLDER_PARTITION, DISK0, "pmem0p2");
	add_process(look, xfs_on(look, part1, "/mnt"), "fio", 812, USE_FILES);
	add_process(look, part2, "dd", 77, USE_OPEN);
}

/* One process, a file and the block device. */
static void opener_of_both(struct look *look)
{
	busy(look);
	add_process(look, DISK0, "fio", 812, USE_OPEN);
}

static void nested(struct look *look)
{
	int fs, outer, inner;

	add_device(look, MODE_FSDAX);
	fs = add_fs(look, DISK0, "xfs", FS_XFS_RMAPBT);
	outer = add_mount(look, fs, "/mnt");
	inner = add_mount_inside(look, fs, outer, "/mnt/bind");
	add_mount_inside(look, fs, inner, "/mnt/bind/deep");
	add_mount(look, fs, "/srv");
}

/* As they are found: our own mounts, then what lies between them. */
static void bind_inside_foreign(struct look *look)
{
	int fs, outer, inner;

	add_device(look, MODE_FSDAX);
	fs = add_fs(look, DISK0, "xfs", FS_XFS_RMAPBT);
	outer = add_mount(look, fs, "/mnt");
	inner = add_mount(look, fs, "/mnt/t/bind");
	outer = add_foreign(look, outer, "ext4", "/mnt/t");
	look_holder(look, inner)->inside = outer;
}

static void in_two_namespaces(struct look *look)
{
	int fs, mount, copy, ns;

	add_device(look, MODE_FSDAX);
	ns = add_namespace(look);
	fs = add_fs(look, DISK0, "xfs", FS_XFS_RMAPBT);
	mount = add_mount(look, fs, "/mnt");
	add_mount_inside(look, fs, mount, "/mnt/bind");
	copy = add_mount_in(look, fs, 0, ns, "/data");
	add_mount_in(look, fs, copy, ns, "/data/bind");
}

static void tmpfs_inside(struct look *look)
{
	int mount;

	add_device(look, MODE_FSDAX);
	mount = xfs_on(look, DISK0, "/mnt");
	add_foreign(look, add_foreign(look, mount, "tmpfs", "/mnt/t"), "ext4", "/mnt/t/other");
}

static void idmapped(struct look *look)
{
	struct mount *mount;

	add_device(look, MODE_FSDAX);
	mount = &look_holder(look, xfs_on(look, DISK0, "/mnt"))->mount;
	free(mount->options);
	mount->options = strdup("rw,relatime,idmapped");
}

static void in_kept_namespace(struct look *look)
{
	int fs, ns;

	add_device(look, MODE_FSDAX);
	fs = add_fs(look, DISK0, "xfs", FS_XFS_RMAPBT);
	ns = add_namespace(look);
	add_mount_in(look, fs, 0, ns, "/mnt");
	look->namespaces.items[ns].keeper = strdup("/run/x");
}

static void log_elsewhere(struct look *look)
{
	int fs;

	add_device(look, MODE_FSDAX);
	fs = add_fs(look, DISK0, "xfs", FS_XFS_RMAPBT);
	add_mount(look, fs, "/mnt");
	look_holder(look, fs)->filesystem.part = "log";
}

static void two_devices(struct look *look)
{
	add_device(look, MODE_FSDAX);
	add_device(look, MODE_FSDAX);
	xfs_on(look, DISK0, "/a");
	add_process(look, xfs_on(look, DISK1, "/b"), "fio", 812, USE_FILES);
}

static void first_inside_second(struct look *look)
{
	int upper, lower;

	add_device(look, MODE_FSDAX);
	add_device(look, MODE_FSDAX);
	upper = add_fs(look, DISK0, "ext4", 0);
	lower = xfs_on(look, DISK1, "/b");
	add_mount_inside(look, upper, add_foreign(look, lower, "ext4", "/b/t"), "/b/t/a");
	add_mount(look, upper, "/a");
}

/* Each is mounted inside the other. */
static void in_a_circle(struct look *look)
{
	int fs, other, mount;

	add_device(look, MODE_FSDAX);
	add_device(look, MODE_FSDAX);
	fs = add_fs(look, DISK0, "xfs", FS_XFS_RMAPBT);
	other = add_fs(look, DISK1, "xfs", FS_XFS_RMAPBT);
	mount = add_mount_inside(look, other, add_mount(look, fs, "/a"), "/a/b");
	add_mount_inside(look, other, add_mount(look, other, "/b"), "/b/bind");
	add_mount_inside(look, fs, mount, "/a/b/a");
}

static void disabled(struct look *look)
{
	add_device(look, MODE_FSDAX)->enabled = false;
}

static void enabled_and_disabled(struct look *look)
{
	disabled(look);
	add_device(look, MODE_FSDAX);
	xfs_on(look, DISK1, "/b");
}

static const struct plan_row rows[] = {
	{ "an_unmounted_device_is_claimed_and_unbound", nothing, .steps = "claim pmem0, unbind pfn0.0" },
	{ "a_device_without_a_block_device_cannot_be_claimed", without_node, .steps = "unbind pfn0.0" },
	{ "an_idle_mount_refuses_without_evict", idle, .stands = "mount /mnt --evict=stop",
	  .says = "/mnt is mounted from pmem0 (xfs)" },
	{ "an_idle_mount_is_unmounted_at_stop", idle, EVICT_STOP, .steps = IDLE_STEPS,
	  .lifted = "mount /mnt --evict=stop" },
	{ "an_idle_mount_is_treated_alike_at_kill", idle, EVICT_KILL, .steps = IDLE_STEPS },

	{ "a_busy_mount_refuses_without_evict", busy,
	  .stands = "mount /mnt --evict=stop, process fio[812] --evict=term" },
	{ "a_busy_mount_refuses_at_stop", busy, EVICT_STOP, .stands = "process fio[812] --evict=term",
	  .lifted = "mount /mnt --evict=stop", .says = "fio[812] maps /mnt" },
	{ "a_busy_mount_is_asked_at_term_and_nobody_is_killed", busy, EVICT_TERM,
	  .steps = "terminate fio[812], grace, " IDLE_STEPS },
	{ "a_busy_mount_is_killed_while_it_is_frozen", busy, EVICT_KILL,
	  .steps = "terminate fio[812], grace, freeze /mnt, flush /mnt, kill /mnt, thaw /mnt, await-exit /mnt, "
		   "unmount /mnt, claim pmem0, unbind pfn0.0",
	  .lifted = "mount /mnt --evict=stop, process fio[812] --evict=term" },

	{ "after_asking_nobody_is_asked_again", busy, EVICT_KILL, .stage = PLAN_ASKED,
	  .steps = "freeze /mnt, flush /mnt, kill /mnt, thaw /mnt, await-exit /mnt, unmount /mnt, claim pmem0, "
		   "unbind pfn0.0",
	  .lifted = "mount /mnt --evict=stop, process fio[812] --evict=kill" },
	{ "who_stays_after_asking_needs_kill", busy, EVICT_TERM, .stage = PLAN_ASKED,
	  .stands = "process fio[812] --evict=kill", .says = "after SIGTERM" },
	{ "after_asking_an_idle_mount_goes_on", idle, EVICT_TERM, .stage = PLAN_ASKED, .steps = IDLE_STEPS },

	{ "an_opener_of_the_block_device_refuses_at_stop", raw_opener, EVICT_STOP,
	  .stands = "process dd[77] --evict=term", .says = "dd[77] has open pmem0" },
	{ "an_opener_of_the_block_device_is_only_asked_at_term", raw_opener, EVICT_TERM,
	  .steps = "terminate dd[77], grace, claim pmem0, unbind pfn0.0" },
	{ "an_opener_of_the_block_device_is_killed_at_kill", raw_opener, EVICT_KILL,
	  .steps = "terminate dd[77], grace, kill pmem0, await-exit pmem0, claim pmem0, unbind pfn0.0" },
	{ "a_partition_is_no_veto_and_the_whole_disk_is_claimed", partitioned, EVICT_KILL,
	  .steps = "terminate fio[812], terminate dd[77], grace, freeze /mnt, flush /mnt, kill /mnt, thaw /mnt, "
		   "await-exit /mnt, unmount /mnt, kill pmem0, await-exit pmem0, claim pmem0, unbind pfn0.0" },
	{ "a_process_in_two_places_is_asked_once", opener_of_both, EVICT_TERM,
	  .steps = "terminate fio[812], grace, " IDLE_STEPS },

	{ "inner_mounts_go_first", nested, EVICT_STOP,
	  .steps = "freeze /mnt, flush /mnt, thaw /mnt, unmount /mnt/bind/deep, unmount /mnt/bind, unmount /mnt, "
		   "unmount /srv, claim pmem0, unbind pfn0.0" },
	{ "inner_mounts_go_first_through_what_lies_between", bind_inside_foreign, EVICT_STOP,
	  .steps = "freeze /mnt, flush /mnt, thaw /mnt, unmount /mnt/t/bind, unmount /mnt/t, unmount /mnt, "
		   "claim pmem0, unbind pfn0.0" },
	{ "mounts_of_every_namespace_go", in_two_namespaces, EVICT_STOP,
	  .steps = "freeze /mnt, flush /mnt, thaw /mnt, unmount /mnt/bind, unmount /mnt, unmount /data/bind, "
		   "unmount /data, claim pmem0, unbind pfn0.0" },
	{ "a_tmpfs_inside_is_a_risk_of_its_own", tmpfs_inside, EVICT_KILL,
	  .stands = "volatile-mount /mnt/t --allow=volatile-mount", .says = "would lose its contents" },
	{ "what_is_mounted_inside_goes_first",
	  tmpfs_inside,
	  EVICT_STOP,
	  { "incomplete", "volatile-mount" },
	  .steps = "freeze /mnt, flush /mnt, thaw /mnt, unmount /mnt/t/other, unmount /mnt/t, unmount /mnt, "
		   "claim pmem0, unbind pfn0.0" },
	{ "an_idmapped_mount_is_a_risk", idmapped, EVICT_STOP,
	  .stands = "volatile-mount /mnt --allow=volatile-mount", .says = "its id mapping is not known" },
	{ "who_keeps_a_mount_namespace_is_said", in_kept_namespace, .stands = "mount /mnt --evict=stop",
	  .says = "/mnt is mounted from pmem0 (xfs) in a mount namespace that is kept by /run/x" },
	{ "a_log_elsewhere_is_said", log_elsewhere, .stands = "mount /mnt --evict=stop",
	  .says = "/mnt (xfs on source) has its log on pmem0" },
	{ "a_log_elsewhere_is_not_left_to_the_kernel", log_elsewhere, .allow = { "mounted-unbind" },
	  .stands = "mount /mnt --evict=stop, mounted-unbind /mnt critical",
	  .says = "only a part of it is there" },
	{ "what_is_mounted_inside_is_listed_too", tmpfs_inside,
	  .stands = "mount /mnt --evict=stop, mount /mnt/t --evict=stop, volatile-mount /mnt/t "
		    "--allow=volatile-mount, "
		    "mount /mnt/t/other --evict=stop" },
	{ "users_of_what_is_mounted_inside_are_ended_with_the_file_system", user_of_ext4_inside, EVICT_KILL,
	  .steps = "terminate cat[9], grace, freeze /mnt, flush /mnt, kill /mnt, thaw /mnt, await-exit /mnt, "
		   "unmount /mnt/other, unmount /mnt, claim pmem0, unbind pfn0.0" },

	{ "all_claims_come_before_any_unbind", two_devices, EVICT_KILL,
	  .steps = "terminate fio[812], grace, freeze /a, flush /a, thaw /a, unmount /a, "
		   "freeze /b, flush /b, kill /b, thaw /b, await-exit /b, unmount /b, "
		   "claim pmem0, claim pmem1, unbind pfn0.0, unbind pfn1.0" },
	{ "one_held_device_refuses_both", two_devices, EVICT_STOP, .stands = "process fio[812] --evict=term" },
	{ "an_upper_file_system_is_settled_before_the_lower_is_frozen", second_inside_first, EVICT_TERM,
	  .steps = "terminate fio[812], grace, freeze /a/b, flush /a/b, thaw /a/b, unmount /a/b, "
		   "freeze /a, flush /a, thaw /a, unmount /a, claim pmem0, claim pmem1, unbind pfn0.0, unbind "
		   "pfn1.0" },
	{ "killing_goes_from_the_upper_file_system_down", second_inside_first, EVICT_KILL,
	  .steps = "terminate fio[812], grace, "
		   "freeze /a/b, flush /a/b, kill /a/b, thaw /a/b, await-exit /a/b, unmount /a/b, "
		   "freeze /a, flush /a, kill /a, thaw /a, await-exit /a, unmount /a, "
		   "claim pmem0, claim pmem1, unbind pfn0.0, unbind pfn1.0" },
	{ "an_upper_file_system_in_a_foreign_mount_comes_first_too", first_inside_second, EVICT_STOP,
	  .steps = "freeze /b/t/a, flush /b/t/a, thaw /b/t/a, unmount /b/t/a, unmount /a, "
		   "freeze /b, flush /b, thaw /b, unmount /b/t, unmount /b, "
		   "claim pmem0, claim pmem1, unbind pfn0.0, unbind pfn1.0" },

	{ "what_is_disabled_already_needs_nothing", disabled, .steps = "" },
	{ "only_what_is_enabled_is_retired", enabled_and_disabled, EVICT_STOP,
	  .steps = "freeze /b, flush /b, thaw /b, unmount /b, claim pmem1, unbind pfn1.0" },
};

static void file_systems_inside_each_other_come_to_an_end(void **state)
{
	const struct request request = { .command = "retire-namespace", .evict = EVICT_STOP };
	struct look look = { 0 };
	struct plan plan;
	size_t unmounted = 0;

	(void)state;
	in_a_circle(&look);
	assert_int_equal(plan_make(&look, &request, &plan_kernels[LINUX_6_12], PLAN_WHOLE, &plan), 0);
	array_each(step, &plan.steps)
		unmounted += step->type == STEP_UNMOUNT;
	assert_int_equal(unmounted, 5);
	assert_false(plan.refused);
	plan_free(&plan);
	look_free(&look);
}

static void already_retired_is_no_refusal(void **state)
{
	const struct request request = { .command = "retire-namespace" };
	struct look look = { 0 };
	struct plan plan;

	(void)state;
	add_device(&look, MODE_FSDAX)->enabled = false;
	add_device(&look, MODE_FSDAX)->enabled = false;
	assert_int_equal(plan_make(&look, &request, &plan_kernels[LINUX_6_12], PLAN_WHOLE, &plan), 0);
	assert_true(plan.already_retired);
	assert_false(plan.refused);
	assert_int_equal(plan.steps.count + plan.vetoes.count, 0);
	plan_free(&plan);
	look_free(&look);
}

/* Something in the order of the cube of it would not end while anyone waits. */
static void plan_many(enum evict_level evict, const char *allow)
{
	const struct request request = { .command = "x", .evict = evict, .allow = &allow, .allow_count = 1 };
	struct look look = { 0 };
	struct plan plan;
	char point[32];
	int fs, mount = 0;

	add_device(&look, MODE_FSDAX);
	fs = add_fs(&look, DISK0, "xfs", FS_XFS_RMAPBT);
	for (int i = 0; i < 300; i++) {
		snprintf(point, sizeof(point), "/mnt/%d", i);
		mount = add_mount(&look, fs, point);
	}
	for (int i = 0; i < 3000; i++)
		add_process(&look, mount, "fio", 1000 + i, USE_FILES);
	assert_int_equal(plan_make(&look, &request, &plan_kernels[LINUX_6_12], PLAN_WHOLE, &plan), 0);
	assert_int_equal(plan.vetoes.count, 3300);
	assert_false(plan.refused);
	plan_free(&plan);
	look_free(&look);
}

static void three_thousand_processes_are_planned(void **state)
{
	(void)state;
	plan_many(EVICT_KILL, "incomplete");
	plan_many(EVICT_NONE, "mounted-unbind");
}

int main(void)
{
	const struct CMUnitTest others[] = {
		cmocka_unit_test(file_systems_inside_each_other_come_to_an_end),
		cmocka_unit_test(already_retired_is_no_refusal),
		cmocka_unit_test(three_thousand_processes_are_planned),
	};
	int failed = run_plan_rows("plan", rows, COUNT_OF(rows));

	return failed + cmocka_run_group_tests(others, NULL, NULL);
}
