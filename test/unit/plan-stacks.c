// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Plans of what stands on a device: dm, md, loop, swap, and file systems that no mount shows.
 */
#include "test/unit/plan-rows.h"

static void on_md(struct look *look)
{
	on_stack(look, HOLDER_MD, "md0");
}

static void on_loop(struct look *look)
{
	on_stack(look, HOLDER_LOOP, "loop0");
}

/* A loop device on a file, and a file system on that. */
static void on_loop_on_file(struct look *look)
{
	int fs, mount;

	add_device(look, MODE_FSDAX);
	fs = add_fs(look, DISK0, "xfs", FS_XFS_RMAPBT);
	mount = add_mount(look, fs, "/mnt");
	add_mount_inside(look, add_fs(look, add_stack(look, HOLDER_LOOP, fs, "loop0"), "ext4", 0), mount,
			 "/mnt/image");
}

static void swapping(struct look *look)
{
	int mount;

	add_device(look, MODE_FSDAX);
	mount = xfs_on(look, add_stack(look, HOLDER_PARTITION, DISK0, "pmem0p1"), "/mnt");
	add_swap(look, add_stack(look, HOLDER_PARTITION, DISK0, "pmem0p2"), "/dev/pmem0p2", false);
	add_swap(look, mount, "/mnt/swap", true);
}

static void detached(struct look *look)
{
	add_device(look, MODE_FSDAX);
	add_detached_fs(look, DISK0, "xfs");
}

static void detached_with_process(struct look *look)
{
	add_device(look, MODE_FSDAX);
	add_process(look, add_detached_fs(look, DISK0, "xfs"), "fio", 812, USE_FILES);
}

static const struct plan_row rows[] = {
	{ "dm_is_critical_and_all_else_is_listed", on_dm, EVICT_KILL,
	  .stands = "dm dm-0 (vg-data) critical, incomplete process 5 --allow=incomplete",
	  .lifted = "mount /mnt --evict=stop, process fio[812] --evict=term, swap /dev/pmem0p2 --evict=stop",
	  .says = "lvchange -an" },
	{ "md_is_critical_and_all_else_is_listed", on_md,
	  .stands = "md md0 critical, mount /mnt --evict=stop, process fio[812] --evict=term, "
		    "swap /dev/pmem0p2 --evict=stop, incomplete process 5 --allow=incomplete",
	  .says = "mdadm --stop" },
	{ "loop_is_critical_and_all_else_is_listed",
	  on_loop,
	  EVICT_STOP,
	  { "incomplete" },
	  .stands = "loop loop0 critical, process fio[812] --evict=term",
	  .says = "losetup -d" },
	{ "a_file_system_in_an_image_is_above_the_one_that_holds_it", on_loop_on_file, EVICT_KILL,
	  .steps = "freeze /mnt/image, flush /mnt/image, thaw /mnt/image, unmount /mnt/image, "
		   "freeze /mnt, flush /mnt, thaw /mnt, unmount /mnt, claim pmem0, unbind pfn0.0",
	  .stands = "loop loop0 critical" },

	{ "swap_refuses_without_evict", swapping,
	  .stands = "mount /mnt --evict=stop, swap /dev/pmem0p2 --evict=stop, swap /mnt/swap --evict=stop" },
	{ "a_swap_file_goes_before_its_mount", swapping, EVICT_STOP,
	  .steps = "freeze /mnt, flush /mnt, thaw /mnt, swap-off /mnt/swap, unmount /mnt, swap-off /dev/pmem0p2, "
		   "claim pmem0, unbind pfn0.0" },

	{ "a_superblock_without_mount_or_process_is_critical", detached, EVICT_KILL,
	  .stands = "unknown-holder pmem0 critical", .says = "no mount and no process shows it" },
	{ "a_lazily_unmounted_file_system_needs_term", detached_with_process, EVICT_STOP,
	  .stands = "superblock pmem0 --evict=term, process fio[812] --evict=term",
	  .says = "lives on in its processes" },
	{ "a_lazily_unmounted_file_system_is_frozen_through_its_user", detached_with_process, EVICT_KILL,
	  .steps = "terminate fio[812], grace, freeze pmem0, flush pmem0, kill pmem0, thaw pmem0, await-exit "
		   "pmem0, "
		   "claim pmem0, unbind pfn0.0" },
	{ "a_lazily_unmounted_file_system_cannot_be_left", detached_with_process, .allow = { "mounted-unbind" },
	  .stands =
		  "superblock pmem0 --evict=term, process fio[812] --evict=term, mounted-unbind pmem0 critical" },
};

int main(void)
{
	return run_plan_rows("plan-stacks", rows, COUNT_OF(rows));
}
