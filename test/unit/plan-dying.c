// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is planned for devices that are gone or dying.
 */
#include "test/unit/plan-rows.h"

/* Whoever adds to the look afterwards asks for the file system anew: they move. */
static struct filesystem *filesystem(struct look *look, int id)
{
	return &look_holder(look, id)->filesystem;
}

static int busy_on(struct look *look, const char *fstype)
{
	int fs = add_fs(look, DISK0, fstype, FS_FEATURES_UNKNOWN);

	add_process(look, add_mount(look, fs, "/mnt"), "fio", 812, USE_FILES);
	return fs;
}

static void shut_down(struct look *look)
{
	add_device(look, MODE_FSDAX);
	filesystem(look, busy_on(look, "xfs"))->shut_down = true;
}

static void gone_device(struct look *look)
{
	struct device *device = add_device(look, MODE_FSDAX);

	device->enabled = false;
	device->gone = true;
	free(device->driver);
	free(device->driver_device);
	device->driver = device->driver_device = NULL;
}

static int gone(struct look *look, const char *fstype)
{
	int fs;

	gone_device(look);
	fs = busy_on(look, fstype);
	filesystem(look, fs)->shut_down = true;
	return fs;
}

static void gone_ext4(struct look *look)
{
	gone(look, "ext4");
}

static void gone_xfs(struct look *look)
{
	gone(look, "xfs");
}

static void gone_xfs_that_was_told(struct look *look)
{
	filesystem(look, gone(look, "xfs"))->told = true;
}

static void gone_ext4_without_dax(struct look *look)
{
	filesystem(look, gone(look, "ext4"))->no_dax = true;
}

static void gone_with_two_mounts(struct look *look)
{
	int fs, outer;

	gone_device(look);
	fs = add_fs(look, DISK0, "ext4", FS_FEATURES_UNKNOWN);
	outer = add_mount(look, fs, "/mnt");
	add_mount_inside(look, fs, outer, "/mnt/inner");
	filesystem(look, fs)->shut_down = filesystem(look, fs)->no_dax = true;
}

static int detached(struct look *look)
{
	int fs;

	gone_device(look);
	fs = add_detached_fs(look, DISK0, "xfs");
	filesystem(look, fs)->shut_down = filesystem(look, fs)->told = true;
	return fs;
}

static void gone_and_lazily_unmounted(struct look *look)
{
	add_process(look, detached(look), "bash", 77, USE_CWD);
}

static void gone_and_held_by_nobody(struct look *look)
{
	detached(look);
}

static void gone_beside_a_live_one(struct look *look)
{
	gone_ext4_without_dax(look);
	add_device(look, MODE_FSDAX);
}

static void half_removed(struct look *look)
{
	struct device *device = add_device(look, MODE_FSDAX);

	device->half_removed = true;
	free(device->driver);
	device->driver = NULL;
	device->remover = strdup("bash[5]");
	busy_on(look, "xfs");
}

#define HOLDERS_NONE "mount /mnt --evict=stop, process fio[812] --evict=term"
#define DEAD_STEPS   "terminate fio[812], grace, kill /mnt, await-exit /mnt, unmount /mnt"

static const struct plan_row rows[] = {
	{ "what is shut down is neither frozen nor flushed", shut_down, EVICT_KILL,
	  .steps = DEAD_STEPS ", claim pmem0, unbind pfn0.0" },
	{ "its holders refuse as those of any other", shut_down, EVICT_NONE, .stands = HOLDERS_NONE },
	{ "it is not left to a kernel that tells it nothing any more",
	  shut_down,
	  EVICT_NONE,
	  { "mounted-unbind" },
	  .stands = HOLDERS_NONE ", mounted-unbind /mnt critical",
	  .says = "shut down" },
	{ "a dead ext4 is left alone", gone_ext4, EVICT_KILL, .stands = "kernel-crash /mnt critical",
	  .says = "only a reboot" },
	{ "also on the newest", gone_ext4, EVICT_KILL, .kernel = LINUX_7_2,
	  .stands = "kernel-crash /mnt critical" },
	{ "a dead XFS that nobody told is left alone", gone_xfs, EVICT_KILL,
	  .stands = "kernel-crash /mnt critical", .says = "log does not show" },
	{ "what is seen with it refuses as well", gone_xfs, EVICT_NONE,
	  .stands = "kernel-crash /mnt critical, " HOLDERS_NONE },
	{ "a dead XFS that was told is taken down", gone_xfs_that_was_told, EVICT_KILL, .steps = DEAD_STEPS },
	{ "its holders refuse as ever", gone_xfs_that_was_told, EVICT_STOP,
	  .stands = "process fio[812] --evict=term" },
	{ "an old kernel tells nobody in time", gone_xfs_that_was_told, EVICT_KILL, .kernel = LINUX_6_1,
	  .stands = "kernel-crash /mnt critical", .says = "under direct mappings" },
	{ "no option lifts it",
	  gone_ext4,
	  EVICT_KILL,
	  { "incomplete" },
	  .kernel = LINUX_6_1,
	  .stands = "kernel-crash /mnt critical" },
	{ "without direct mappings it is safe on the oldest", gone_ext4_without_dax, EVICT_KILL,
	  .kernel = LINUX_6_1, .steps = DEAD_STEPS },
	{ "and on the newest", gone_ext4_without_dax, EVICT_KILL, .kernel = LINUX_7_2, .steps = DEAD_STEPS },
	{ "the inner mount goes first", gone_with_two_mounts, EVICT_STOP,
	  .steps = "unmount /mnt/inner, unmount /mnt" },
	{ "a mounted unbind has nothing to unbind",
	  gone_ext4_without_dax,
	  EVICT_NONE,
	  { "mounted-unbind" },
	  .stands = HOLDERS_NONE ", mounted-unbind /mnt critical" },
	{ "a lazily unmounted one ends with its process", gone_and_lazily_unmounted, EVICT_KILL,
	  .steps = "terminate bash[77], grace, kill pmem0, await-exit pmem0" },
	{ "one that nobody holds refuses", gone_and_held_by_nobody, EVICT_KILL,
	  .stands = "unknown-holder pmem0 critical" },
	{ "the live one beside it is claimed and unbound", gone_beside_a_live_one, EVICT_KILL,
	  .steps = DEAD_STEPS ", claim pmem1, unbind pfn1.0" },
	{ "a removal that does not end is left alone", half_removed, EVICT_KILL, .kernel = LINUX_7_2,
	  .stands = "half-removed namespace0.0 critical", .says = "bash[5]" },
};

int main(void)
{
	return run_plan_rows("plan-dying", rows, COUNT_OF(rows));
}
