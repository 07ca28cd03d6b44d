// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is planned, and what stands against it: a table of machines, requests
 * and the plan told in one line. Every row is a test of its own name, and
 * every plan has to keep the rules of plan-build.c.
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

#define ALLOW_MAX 3
#define USE_FILES (USE_MAP | USE_OPEN)

enum shape { LINUX_6_12, LINUX_6_1, LINUX_7_2 };

/* Facts as probed on these three; only the two below decide a plan. */
static const struct kernel kernels[] = {
	[LINUX_6_12] = { "6.12", { [KERNEL_PRE_REMOVE] = ANSWER_YES, [KERNEL_XFS_RANGED_FAILURE] = ANSWER_YES } },
	[LINUX_6_1] = { "6.1", { [KERNEL_PRE_REMOVE] = ANSWER_NO, [KERNEL_XFS_RANGED_FAILURE] = ANSWER_YES } },
	[LINUX_7_2] = { "7.2", { [KERNEL_PRE_REMOVE] = ANSWER_YES, [KERNEL_XFS_RANGED_FAILURE] = ANSWER_NO } },
};

struct row {
	const char *name;
	void (*build)(struct look *look);
	enum evict_level evict;
	const char *allow[ALLOW_MAX];
	enum plan_stage stage;
	enum shape kernel;
	const char *steps;  /* NULL: of no interest, because it is refused */
	const char *stands; /* vetoes; NULL: none */
	const char *lifted; /* vetoes; NULL: of no interest */
	const char *says;   /* in a message of those that stand */
};

static void nothing(struct look *look)
{
	add_device(look, MODE_FSDAX);
}

static void without_node(struct look *look)
{
	add_device(look, MODE_FSDAX)->dev = 0;
}

static int xfs_on(struct look *look, int on, const char *point)
{
	return add_mount(look, add_fs(look, on, "xfs", FS_XFS_RMAPBT), point);
}

static void idle(struct look *look)
{
	add_device(look, MODE_FSDAX);
	xfs_on(look, DISK0, "/mnt");
}

static void busy(struct look *look)
{
	add_device(look, MODE_FSDAX);
	add_process(look, xfs_on(look, DISK0, "/mnt"), "fio", 812, USE_FILES);
}

static void busy_in_raw_mode(struct look *look)
{
	add_device(look, MODE_RAW);
	add_process(look, xfs_on(look, DISK0, "/mnt"), "fio", 812, USE_FILES);
}

static void raw_opener(struct look *look)
{
	add_device(look, MODE_FSDAX);
	add_process(look, DISK0, "dd", 77, USE_OPEN);
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

static void busy_with_ext4_inside(struct look *look)
{
	int mount;

	add_device(look, MODE_FSDAX);
	mount = xfs_on(look, DISK0, "/mnt");
	add_foreign(look, mount, "ext4", "/mnt/other");
	add_process(look, mount, "fio", 812, USE_FILES);
}

static void user_of_ext4_inside(struct look *look)
{
	add_device(look, MODE_FSDAX);
	add_process(look, add_foreign(look, xfs_on(look, DISK0, "/mnt"), "ext4", "/mnt/other"), "cat", 9,
		    USE_OPEN);
}

static void two_devices(struct look *look)
{
	add_device(look, MODE_FSDAX);
	add_device(look, MODE_FSDAX);
	xfs_on(look, DISK0, "/a");
	add_process(look, xfs_on(look, DISK1, "/b"), "fio", 812, USE_FILES);
}

/* The second disk's file system is mounted inside the first one's. */
static void second_inside_first(struct look *look)
{
	int lower, upper;

	add_device(look, MODE_FSDAX);
	add_device(look, MODE_FSDAX);
	lower = xfs_on(look, DISK0, "/a");
	upper = add_fs(look, DISK1, "xfs", FS_XFS_RMAPBT);
	add_process(look, add_mount_inside(look, upper, lower, "/a/b"), "fio", 812, USE_FILES);
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

static void on_stack(struct look *look, enum holder_type type, const char *name)
{
	int stack;

	add_device(look, MODE_FSDAX);
	stack = add_stack(look, type, DISK0, name);
	add_process(look, xfs_on(look, stack, "/mnt"), "fio", 812, USE_FILES);
	add_swap(look, add_stack(look, HOLDER_PARTITION, DISK0, "pmem0p2"), "/dev/pmem0p2", false);
	look_add_unknown(look, "process 5", "gone mad");
}

static void on_dm(struct look *look)
{
	on_stack(look, HOLDER_DM, "dm-0 (vg-data)");
}

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

static void own_shell(struct look *look)
{
	int id;

	add_device(look, MODE_FSDAX);
	id = add_process(look, xfs_on(look, DISK0, "/mnt"), "bash", 300, USE_CWD);
	look_holder(look, id)->process.own = true;
}

static void init_inside(struct look *look)
{
	add_device(look, MODE_FSDAX);
	add_process(look, xfs_on(look, DISK0, "/mnt"), "systemd", 1, USE_OPEN);
}

static void system_disk(struct look *look)
{
	int fs, root;

	add_device(look, MODE_FSDAX);
	fs = add_fs(look, DISK0, "xfs", FS_XFS_RMAPBT);
	root = add_mount(look, fs, "/");
	add_mount_inside(look, fs, root, "/usr");
	add_mount_inside(look, fs, root, "/boot");
	add_mount_inside(look, fs, root, "/home");
}

static void root_of_container(struct look *look)
{
	int fs, ns, root;

	add_device(look, MODE_FSDAX);
	ns = add_namespace(look);
	fs = add_fs(look, DISK0, "xfs", FS_XFS_RMAPBT);
	root = add_mount_in(look, fs, 0, ns, "/");
	add_mount_in(look, fs, root, ns, "/usr");
}

static void half_seen(struct look *look)
{
	add_device(look, MODE_FSDAX);
	look_add_unknown(look, "process 5", "no permission");
	look_add_unknown(look, "mount namespace 7", "no permission");
}

static void in_container(struct look *look)
{
	add_device(look, MODE_FSDAX);
	look->initial_namespaces = false;
}

static void system_ram(struct look *look)
{
	add_device(look, MODE_DEVDAX)->system_ram = true;
}

static void devdax(struct look *look)
{
	add_device(look, MODE_DEVDAX);
}

static void devdax_in_use(struct look *look)
{
	add_device(look, MODE_DEVDAX);
	add_process(look, DISK0, "qemu", 42, USE_MAP);
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

#define IDLE_STEPS "freeze /mnt, flush /mnt, thaw /mnt, unmount /mnt, claim pmem0, unbind pfn0.0"
#define LEFT_STEPS "freeze /mnt, flush /mnt, thaw /mnt, unbind pfn0.0 while mounted"

static const struct row rows[] = {
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

	{ "our_own_shell_is_critical", own_shell, EVICT_KILL, .stands = "self bash[300] critical",
	  .says = "run it from elsewhere" },
	{ "our_own_shell_is_not_left_to_the_kernel", own_shell, .allow = { "mounted-unbind" },
	  .stands = "self bash[300] critical", .lifted = "mount /mnt --evict=stop" },
	{ "pid_1_is_critical", init_inside, EVICT_KILL, .stands = "init systemd[1] critical" },
	{ "the_running_system_is_critical", system_disk, EVICT_KILL,
	  .stands = "system / critical, system /usr critical, system /boot critical",
	  .lifted = "mount /home --evict=stop", .says = "the running system lives there" },
	{ "the_running_system_is_not_left_to_the_kernel", system_disk, .allow = { "mounted-unbind" },
	  .stands = "system / critical, system /usr critical, system /boot critical" },
	{ "the_root_of_a_container_is_a_mount_like_any", root_of_container, EVICT_STOP,
	  .steps = "freeze /, flush /, thaw /, unmount /usr, unmount /, claim pmem0, unbind pfn0.0" },

	{ "what_was_not_seen_refuses",
	  half_seen,
	  EVICT_KILL,
	  { "volatile-mount" },
	  .stands = "incomplete process 5 --allow=incomplete, incomplete mount namespace 7 --allow=incomplete",
	  .says = "no permission" },
	{ "what_was_not_seen_can_be_allowed", half_seen, .allow = { "incomplete" },
	  .steps = "claim pmem0, unbind pfn0.0",
	  .lifted = "incomplete process 5 --allow=incomplete, incomplete mount namespace 7 --allow=incomplete" },
	{ "outside_the_initial_namespaces_nothing_goes",
	  in_container,
	  EVICT_KILL,
	  { "incomplete", "namespaces" },
	  .stands = "namespaces retire-namespace critical" },

	{ "memory_of_the_system_is_critical",
	  system_ram,
	  EVICT_KILL,
	  { "system-ram" },
	  .stands = "system-ram namespace0.0 critical",
	  .says = "offline it first" },
	{ "a_device_dax_is_looked_at_once_more_right_before_the_unbind", devdax,
	  .steps = "claim dax0.0, unbind dax0.0" },
	{ "a_device_dax_in_use_is_critical", devdax_in_use, EVICT_KILL, .stands = "process qemu[42] critical" },

	{ "what_is_disabled_already_needs_nothing", disabled, .steps = "" },
	{ "only_what_is_enabled_is_retired", enabled_and_disabled, EVICT_STOP,
	  .steps = "freeze /b, flush /b, thaw /b, unmount /b, claim pmem1, unbind pfn1.0" },

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
	  .stands = "dm dm-0 (vg-data) critical, process fio[812] --evict=term, mounted-unbind /mnt critical",
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

static struct request request_of(const struct row *row)
{
	struct request request = { .command = "retire-namespace", .evict = row->evict, .allow = row->allow };

	while (request.allow_count < ALLOW_MAX && row->allow[request.allow_count])
		request.allow_count++;
	return request;
}

static void assert_says(const struct plan *plan, const char *phrase)
{
	bool said = false;

	array_each(veto, &plan->vetoes)
		said |= veto->stands && strstr(veto->message, phrase);
	if (!said)
		fail_msg("no veto says \"%s\"", phrase);
}

static void assert_told(char *told, const char *expected)
{
	assert_string_equal(told, expected);
	free(told);
}

static void check_plan(const struct row *row, const struct look *look, const struct plan *plan)
{
	const struct request request = request_of(row);
	const char *rule = broken_rule(look, &request, plan);

	assert_told(tell_vetoes(plan, true), row->stands ? row->stands : "");
	if (row->lifted)
		assert_told(tell_vetoes(plan, false), row->lifted);
	if (row->steps)
		assert_told(tell_steps(look, plan), row->steps);
	if (row->says)
		assert_says(plan, row->says);
	if (rule)
		fail_msg("a rule is broken: %s", rule);
	/* a plan that goes on has to say how */
	assert_true(plan->refused || row->steps);
	assert_int_equal(plan->refused, row->stands != NULL);
}

static void plans_as_its_row_says(void **state)
{
	const struct row *row = *state;
	const struct request request = request_of(row);
	struct look look = { 0 };
	struct plan plan;

	row->build(&look);
	assert_int_equal(plan_make(&look, &request, &kernels[row->kernel], row->stage, &plan), 0);
	check_plan(row, &look, &plan);
	plan_free(&plan);
	look_free(&look);
}

/* At every level, with every risk taken and none, on every kernel, in both stages. */
static void keeps_the_rules_whatever_is_asked(void **state)
{
	const char *const allow[] = { "mounted-unbind", "incomplete", "volatile-mount" };
	const struct row *row = *state;
	struct look look = { 0 };

	row->build(&look);
	for (unsigned i = 0; i < 4 * 4 * 3 * 2; i++) {
		const struct request request = {
			.command = "retire-namespace", .evict = i % 4, .allow = allow, .allow_count = i / 4 % 4
		};
		const char *rule;
		struct plan plan;

		assert_int_equal(plan_make(&look, &request, &kernels[i / 16 % 3], i / 48, &plan), 0);
		rule = broken_rule(&look, &request, &plan);
		if (rule)
			fail_msg("asked the way %u a rule is broken: %s", i, rule);
		plan_free(&plan);
	}
	look_free(&look);
}

static void file_systems_inside_each_other_come_to_an_end(void **state)
{
	const struct request request = { .command = "retire-namespace", .evict = EVICT_STOP };
	struct look look = { 0 };
	struct plan plan;
	size_t unmounted = 0;

	(void)state;
	in_a_circle(&look);
	assert_int_equal(plan_make(&look, &request, &kernels[LINUX_6_12], PLAN_WHOLE, &plan), 0);
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
	disabled(&look);
	disabled(&look);
	assert_int_equal(plan_make(&look, &request, &kernels[LINUX_6_12], PLAN_WHOLE, &plan), 0);
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
	assert_int_equal(plan_make(&look, &request, &kernels[LINUX_6_12], PLAN_WHOLE, &plan), 0);
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

enum { OTHER_TESTS = 3 };

int main(void)
{
	struct CMUnitTest tests[COUNT_OF(rows) * 2 + OTHER_TESTS] = {
		cmocka_unit_test(file_systems_inside_each_other_come_to_an_end),
		cmocka_unit_test(already_retired_is_no_refusal),
		cmocka_unit_test(three_thousand_processes_are_planned),
	};
	char names[COUNT_OF(rows)][128];

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct CMUnitTest *test = &tests[OTHER_TESTS + 2 * i];
		void *row = (void *)(uintptr_t)&rows[i];

		snprintf(names[i], sizeof(names[i]), "%s (whatever is asked)", rows[i].name);
		test[0] = (struct CMUnitTest){ rows[i].name, plans_as_its_row_says, NULL, NULL, row };
		test[1] = (struct CMUnitTest){ names[i], keeps_the_rules_whatever_is_asked, NULL, NULL, row };
	}
	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
