// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What nothing lifts, what was not seen, and which modes of a device there are.
 */
#include "test/unit/plan-rows.h"

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

static void unseen_memory(struct look *look)
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

static const struct plan_row rows[] = {
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

	{ "memory_of_the_system_whose_blocks_were_not_seen_is_critical",
	  unseen_memory,
	  EVICT_KILL,
	  { "system-ram", "incomplete" },
	  .stands = "system-ram namespace0.0 critical",
	  .says = "offline it first" },
	{ "a_device_dax_is_looked_at_once_more_right_before_the_unbind", devdax,
	  .steps = "claim dax0.0, unbind dax0.0" },
	{ "a_user_of_a_device_dax_refuses", devdax_in_use, EVICT_STOP, .stands = "process qemu[42] --evict=term" },
	{ "a_user_of_a_device_dax_is_asked", devdax_in_use, EVICT_TERM,
	  .steps = "terminate qemu[42], grace, claim dax0.0, unbind dax0.0" },
	{ "who_uses_a_device_dax_after_the_grace_refuses", devdax_in_use, EVICT_TERM, .stage = PLAN_ASKED,
	  .stands = "process qemu[42] --evict=kill", .says = "after SIGTERM" },
	{ "who_uses_a_device_dax_after_the_grace_is_killed", devdax_in_use, EVICT_KILL, .stage = PLAN_ASKED,
	  .steps = "kill dax0.0, await-exit dax0.0, claim dax0.0, unbind dax0.0" },
};

int main(void)
{
	return run_plan_rows("plan-refusals", rows, COUNT_OF(rows));
}
