// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * --allow=mounted-unbind: what is left to the kernel, and what never.
 */
#include "test/unit/plan-rows.h"

static void busy_in_raw_mode(struct look *look)
{
	add_device(look, MODE_RAW);
	add_process(look, xfs_on(look, DISK0, "/mnt"), "fio", 812, USE_FILES);
}

static void busy_with_ext4_inside(struct look *look)
{
	int mount;

	add_device(look, MODE_FSDAX);
	mount = xfs_on(look, DISK0, "/mnt");
	add_foreign(look, mount, "ext4", "/mnt/other");
	add_process(look, mount, "fio", 812, USE_FILES);
}

static void ext4(struct look *look)
{
	add_device(look, MODE_FSDAX);
	add_mount(look, add_fs(look, DISK0, "ext4", 0), "/mnt");
}

static void busy_beside_partition(struct look *look)
{
	int part1, part2;

	add_device(look, MODE_FSDAX);
	part1 = add_stack(look, HOLDER_PARTITION, DISK0, "pmem0p1");
	part2 = add_stack(look, HOLDER_PARTITION, DISK0, "pmem0p2");
	add_process(look, xfs_on(look, part1, "/mnt"), "fio", 812, USE_FILES);
	add_mount(look, add_fs(look, part2, "ext4", 0), "/srv");
}

#define LEFT_STEPS "freeze /mnt, flush /mnt, thaw /mnt, unbind pfn0.0 while mounted"

static const struct plan_row rows[] = {
	{ "a_kernel_that_tells_unbinds_while_mounted", busy, .allow = { "mounted-unbind" }, .steps = LEFT_STEPS,
	  .lifted = "mount /mnt --evict=stop, process fio[812] --evict=term" },
	{ "a_kernel_that_tells_kills_nobody_before", busy, EVICT_STOP, { "mounted-unbind" }, .steps = LEFT_STEPS },
	{ "who_survives_being_asked_can_be_left_to_the_kernel",
	  busy,
	  EVICT_TERM,
	  { "mounted-unbind" },
	  .stage = PLAN_ASKED,
	  .steps = LEFT_STEPS },
	{ "an_eviction_that_does_needs_no_mounted_unbind",
	  busy,
	  EVICT_TERM,
	  { "mounted-unbind" },
	  .steps = "terminate fio[812], grace, " IDLE_STEPS },
	{ "an_eviction_that_does_is_used_on_a_kernel_that_hangs",
	  idle,
	  EVICT_STOP,
	  { "mounted-unbind" },
	  .kernel = LINUX_7_2,
	  .steps = IDLE_STEPS },
	{ "a_kernel_that_hangs_never_unbinds_while_mounted", busy, .allow = { "mounted-unbind" },
	  .kernel = LINUX_7_2,
	  .stands = "mount /mnt --evict=stop, process fio[812] --evict=term, mounted-unbind /mnt critical",
	  .says = "never comes back" },
	{ "a_kernel_that_corrupts_never_unbinds_while_mounted", idle, .allow = { "mounted-unbind" },
	  .kernel = LINUX_6_1, .stands = "mount /mnt --evict=stop, mounted-unbind /mnt critical",
	  .says = "corrupt" },
	{ "a_file_system_that_is_told_nothing_is_never_left", ext4, .allow = { "mounted-unbind" },
	  .stands = "mount /mnt --evict=stop, mounted-unbind /mnt critical", .says = "tells only XFS" },
	{ "a_file_system_on_dm_is_never_left",
	  on_dm,
	  EVICT_STOP,
	  { "mounted-unbind", "incomplete" },
	  .stands = "process fio[812] --evict=term, mounted-unbind /mnt critical",
	  .says = "not directly on the disk" },
	{ "only_an_fsdax_namespace_is_told",
	  busy_in_raw_mode,
	  EVICT_STOP,
	  { "mounted-unbind" },
	  .stands = "process fio[812] --evict=term, mounted-unbind /mnt critical",
	  .says = "fsdax" },
	{ "what_is_mounted_inside_is_not_left_dangling",
	  busy_with_ext4_inside,
	  EVICT_STOP,
	  { "mounted-unbind" },
	  .steps = "freeze /mnt, flush /mnt, thaw /mnt, unmount /mnt/other, unbind pfn0.0 while mounted" },
	{ "what_is_mounted_inside_still_needs_stop", busy_with_ext4_inside, .allow = { "mounted-unbind" },
	  .stands = "mount /mnt/other --evict=stop" },
	{ "users_of_what_is_mounted_inside_are_not_told",
	  user_of_ext4_inside,
	  EVICT_STOP,
	  { "mounted-unbind" },
	  .stands = "process cat[9] --evict=term" },
	{ "what_is_beside_it_on_the_disk_is_still_unmounted",
	  busy_beside_partition,
	  EVICT_STOP,
	  { "mounted-unbind" },
	  .steps = "freeze /mnt, flush /mnt, thaw /mnt, freeze /srv, flush /srv, thaw /srv, unmount /srv, "
		   "unbind pfn0.0 while mounted" },
	{ "a_file_system_inside_another_is_never_left",
	  second_inside_first,
	  EVICT_STOP,
	  { "mounted-unbind" },
	  .stands = "process fio[812] --evict=term, mounted-unbind /a/b critical",
	  .says = "inside another one" },
	{ "an_opener_of_the_block_device_is_not_left_to_the_kernel", raw_opener, .allow = { "mounted-unbind" },
	  .stands = "process dd[77] --evict=term" },
};

int main(void)
{
	return run_plan_rows("plan-mounted", rows, COUNT_OF(rows));
}
