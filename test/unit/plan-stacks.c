// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Plans of what stands on a device: dm, md, loop, swap, and file systems that no mount shows.
 */
#include "test/unit/plan-rows.h"

#include <sys/sysmacros.h>

static int add_dm(struct look *look, int on, const char *name, unsigned number)
{
	int id = add_stack(look, HOLDER_DM, on, name);

	look_holder(look, id)->dev = makedev(253, number);
	return id;
}

static void add_lower(struct look *look, int id, dev_t dev)
{
	struct holder *holder = look_holder(look, id);
	struct lower *lower = array_add(holder->type == HOLDER_MD ? &holder->md.lower : &holder->dm.lower);

	assert_non_null(lower);
	lower->dev = dev;
}

static void on_crypt(struct look *look)
{
	add_device(look, MODE_FSDAX);
	look_holder(look, add_dm(look, DISK0, "dm-0 (secret)", 0))->refusal = "close it by hand: cryptsetup close";
}

static void on_two_disks(struct look *look)
{
	int dm;

	add_device(look, MODE_FSDAX);
	dm = add_dm(look, DISK0, "dm-0 (wide)", 0);
	add_lower(look, dm, look->devices.items[0].dev);
	add_lower(look, dm, makedev(8, 1));
}

/* Found on the second of them. */
static void pool_on_two(struct look *look)
{
	int data, pool;

	add_device(look, MODE_FSDAX);
	add_dm(look, DISK0, "dm-0 (meta)", 0);
	data = add_dm(look, DISK0, "dm-1 (data)", 1);
	pool = add_dm(look, data, "dm-2 (pool)", 2);
	add_lower(look, pool, makedev(253, 0));
	add_lower(look, pool, makedev(253, 1));
}

static void on_md(struct look *look)
{
	on_stack(look, HOLDER_MD, "md0");
}

static void on_md_in_pieces(struct look *look)
{
	on_md(look);
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_MD)
			holder->refusal = "stop it by hand: mdadm --stop";
}

/* Of two partitions, found on the second of them. */
static void on_two_partitions(struct look *look)
{
	int first, second, md;

	add_device(look, MODE_FSDAX);
	first = add_stack(look, HOLDER_PARTITION, DISK0, "pmem0p1");
	second = add_stack(look, HOLDER_PARTITION, DISK0, "pmem0p2");
	md = add_stack(look, HOLDER_MD, second, "md0");
	add_lower(look, md, look_holder(look, first)->dev);
	add_lower(look, md, look_holder(look, second)->dev);
	xfs_on(look, md, "/mnt");
}

static void mirror(struct look *look, int level)
{
	int md;

	add_device(look, MODE_FSDAX);
	md = add_stack(look, HOLDER_MD, DISK0, "md0");
	look_holder(look, md)->md.level = level;
	add_lower(look, md, look->devices.items[0].dev);
	add_lower(look, md, makedev(8, 1));
}

static void on_mirror(struct look *look)
{
	mirror(look, 1);
}

static void on_stripes(struct look *look)
{
	mirror(look, 0);
}

static void on_cache(struct look *look)
{
	struct dm_target *target;

	on_two_disks(look);
	target = array_add(&look->holders.items[0].dm.targets);
	assert_non_null(target);
	target->type = strdup("writecache");
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

static void on_loop_on_lost_file(struct look *look)
{
	on_loop_on_file(look);
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_LOOP)
			holder->refusal = "detach it by hand: losetup -d";
}

static void loop_opener(struct look *look)
{
	int fs;

	add_device(look, MODE_FSDAX);
	fs = add_fs(look, DISK0, "xfs", FS_XFS_RMAPBT);
	add_mount(look, fs, "/mnt");
	add_process(look, add_stack(look, HOLDER_LOOP, fs, "loop0"), "losetup", 77, USE_OPEN);
}

static void partition_of_loop(struct look *look)
{
	int loop;

	add_device(look, MODE_FSDAX);
	loop = add_stack(look, HOLDER_LOOP, DISK0, "loop0");
	add_process(look, add_stack(look, HOLDER_PARTITION, loop, "loop0p1"), "dd", 77, USE_OPEN);
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
	{ "dm_refuses_without_evict", on_dm, .allow = { "incomplete" },
	  .stands = "dm dm-0 (vg-data) --evict=stop, mount /mnt --evict=stop, process fio[812] --evict=term, "
		    "swap /dev/pmem0p2 --evict=stop",
	  .says = "dm-0 (vg-data) stands on pmem0" },
	{ "dm_goes_after_what_is_on_it",
	  on_dm,
	  EVICT_KILL,
	  { "incomplete" },
	  PLAN_ASKED,
	  .steps = "freeze /mnt, flush /mnt, kill /mnt, thaw /mnt, await-exit /mnt, unmount /mnt, "
		   "kill dm-0 (vg-data), await-exit dm-0 (vg-data), dm-remove dm-0 (vg-data), "
		   "swap-off /dev/pmem0p2, claim pmem0, unbind pfn0.0" },
	{ "a_table_that_cannot_be_made_again_is_critical", on_crypt, EVICT_KILL,
	  .stands = "dm dm-0 (secret) critical", .says = "cryptsetup close" },
	{ "a_table_that_also_stands_elsewhere_is_critical", on_two_disks, EVICT_KILL,
	  .stands = "dm dm-0 (wide) critical", .says = "other devices" },
	{ "a_table_on_several_places_goes_before_each_of_them", pool_on_two, EVICT_STOP,
	  .steps = "dm-remove dm-2 (pool), dm-remove dm-0 (meta), dm-remove dm-1 (data), claim pmem0, "
		   "unbind pfn0.0" },
	{ "a_cache_of_another_device_is_critical", on_cache, EVICT_KILL, .stands = "dm dm-0 (wide) critical",
	  .says = "--splitcache" },
	{ "an_array_refuses_without_evict", on_two_partitions,
	  .stands = "md md0 --evict=stop, mount /mnt --evict=stop" },
	{ "an_array_goes_after_what_is_on_it", on_two_partitions, EVICT_STOP,
	  .steps = "freeze /mnt, flush /mnt, thaw /mnt, unmount /mnt, md-stop md0, claim pmem0, unbind pfn0.0" },
	{ "a_mirror_with_a_leg_elsewhere_is_critical", on_mirror, EVICT_KILL, .stands = "md md0 critical",
	  .says = "mdadm --fail" },
	{ "stripes_that_are_elsewhere_too_are_critical", on_stripes, EVICT_KILL, .stands = "md md0 critical",
	  .says = "stop the array by hand: mdadm --stop" },
	{ "md_is_critical_and_all_else_is_listed", on_md_in_pieces,
	  .stands = "md md0 critical, mount /mnt --evict=stop, process fio[812] --evict=term, "
		    "swap /dev/pmem0p2 --evict=stop, incomplete process 5 --allow=incomplete",
	  .says = "mdadm --stop" },
	{ "loop_refuses_without_evict", on_loop, .allow = { "incomplete" },
	  .stands = "loop loop0 --evict=stop, mount /mnt --evict=stop, process fio[812] --evict=term, "
		    "swap /dev/pmem0p2 --evict=stop",
	  .says = "loop0 stands on pmem0" },
	{ "loop_with_processes_is_not_stopped",
	  on_loop,
	  EVICT_STOP,
	  { "incomplete" },
	  .stands = "process fio[812] --evict=term",
	  .lifted = "loop loop0 --evict=stop, mount /mnt --evict=stop, swap /dev/pmem0p2 --evict=stop, "
		    "incomplete process 5 --allow=incomplete" },
	{ "loop_that_could_not_be_put_back_is_critical", on_loop_on_lost_file, EVICT_KILL,
	  .stands = "loop loop0 critical", .says = "losetup -d" },
	{ "a_file_system_in_an_image_goes_before_the_one_that_holds_it_is_frozen", on_loop_on_file, EVICT_STOP,
	  .steps = "freeze /mnt/image, flush /mnt/image, thaw /mnt/image, unmount /mnt/image, loop-detach loop0, "
		   "freeze /mnt, flush /mnt, thaw /mnt, unmount /mnt, claim pmem0, unbind pfn0.0",
	  .lifted = "mount /mnt --evict=stop, loop loop0 --evict=stop, mount /mnt/image --evict=stop" },
	{ "who_has_a_loop_device_open_ends_before_it_goes", loop_opener, EVICT_KILL, .stage = PLAN_ASKED,
	  .steps = "kill loop0, await-exit loop0, loop-detach loop0, freeze /mnt, flush /mnt, kill /mnt, thaw "
		   "/mnt, "
		   "await-exit /mnt, unmount /mnt, claim pmem0, unbind pfn0.0" },
	{ "a_partition_of_a_loop_device_goes_with_it", partition_of_loop, EVICT_KILL, .stage = PLAN_ASKED,
	  .steps = "kill loop0, await-exit loop0, loop-detach loop0, claim pmem0, unbind pfn0.0" },
	{ "who_has_a_loop_device_open_is_not_left_to_the_kernel",
	  loop_opener,
	  EVICT_STOP,
	  { "mounted-unbind" },
	  .stands = "process losetup[77] --evict=term" },

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
