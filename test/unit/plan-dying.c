// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is planned for devices that are gone or dying: a table like that of
 * plan.c, over the same builders and rules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/plan-build.h"

#define USE_FILES (USE_MAP | USE_OPEN)

enum shape { LINUX_6_12, LINUX_6_1, LINUX_7_2 };

static const struct kernel kernels[] = {
	[LINUX_6_12] = { "6.12", { [KERNEL_PRE_REMOVE] = ANSWER_YES, [KERNEL_XFS_RANGED_FAILURE] = ANSWER_YES } },
	[LINUX_6_1] = { "6.1", { [KERNEL_PRE_REMOVE] = ANSWER_NO, [KERNEL_XFS_RANGED_FAILURE] = ANSWER_UNKNOWN } },
	[LINUX_7_2] = { "7.2", { [KERNEL_PRE_REMOVE] = ANSWER_YES, [KERNEL_XFS_RANGED_FAILURE] = ANSWER_NO } },
};

struct row {
	const char *name;
	void (*build)(struct look *look);
	enum evict_level evict;
	const char *allow;
	enum shape kernel;
	const char *steps;  /* NULL: of no interest, because it is refused */
	const char *stands; /* vetoes; NULL: none */
	const char *says;   /* in a message of those that stand */
};

/* Whoever adds to the look afterwards asks for the file system anew: they move. */
static struct filesystem *filesystem(struct look *look, int id)
{
	return &look_holder(look, id)->filesystem;
}

static int busy(struct look *look, const char *fstype)
{
	int fs = add_fs(look, DISK0, fstype, FS_FEATURES_UNKNOWN);

	add_process(look, add_mount(look, fs, "/mnt"), "fio", 812, USE_FILES);
	return fs;
}

static void shut_down(struct look *look)
{
	add_device(look, MODE_FSDAX);
	filesystem(look, busy(look, "xfs"))->shut_down = true;
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
	fs = busy(look, fstype);
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

static void nothing_left(struct look *look)
{
	struct device *device = add_device(look, MODE_FSDAX);

	device->enabled = false;
}

static void half_removed(struct look *look)
{
	struct device *device = add_device(look, MODE_FSDAX);

	device->half_removed = true;
	free(device->driver);
	device->driver = NULL;
	device->remover = strdup("bash[5]");
	busy(look, "xfs");
}

#define HOLDERS_NONE "mount /mnt --evict=stop, process fio[812] --evict=term"
#define DEAD_STEPS   "terminate fio[812], grace, kill /mnt, await-exit /mnt, unmount /mnt"

static const struct row rows[] = {
	{ "what is shut down is neither frozen nor flushed", shut_down, EVICT_KILL, NULL, LINUX_6_12,
	  DEAD_STEPS ", claim pmem0, unbind pfn0.0" },
	{ "its holders refuse as those of any other", shut_down, EVICT_NONE, NULL, LINUX_6_12, NULL,
	  HOLDERS_NONE },
	{ "it is not left to a kernel that tells it nothing any more", shut_down, EVICT_NONE, "mounted-unbind",
	  LINUX_6_12, NULL, HOLDERS_NONE ", mounted-unbind /mnt critical", "shut down" },
	{ "a dead ext4 is left alone", gone_ext4, EVICT_KILL, NULL, LINUX_6_12, NULL, "kernel-crash /mnt critical",
	  "only a reboot" },
	{ "also on the newest", gone_ext4, EVICT_KILL, NULL, LINUX_7_2, NULL, "kernel-crash /mnt critical" },
	{ "a dead XFS that nobody told is left alone", gone_xfs, EVICT_KILL, NULL, LINUX_6_12, NULL,
	  "kernel-crash /mnt critical", "log does not show" },
	{ "what is seen with it refuses as well", gone_xfs, EVICT_NONE, NULL, LINUX_6_12, NULL,
	  "kernel-crash /mnt critical, " HOLDERS_NONE },
	{ "a dead XFS that was told is taken down", gone_xfs_that_was_told, EVICT_KILL, NULL, LINUX_6_12,
	  DEAD_STEPS },
	{ "its holders refuse as ever", gone_xfs_that_was_told, EVICT_STOP, NULL, LINUX_6_12, NULL,
	  "process fio[812] --evict=term" },
	{ "an old kernel tells nobody in time", gone_xfs_that_was_told, EVICT_KILL, NULL, LINUX_6_1, NULL,
	  "kernel-crash /mnt critical", "under direct mappings" },
	{ "no option lifts it", gone_ext4, EVICT_KILL, "incomplete", LINUX_6_1, NULL,
	  "kernel-crash /mnt critical" },
	{ "without direct mappings it is safe on the oldest", gone_ext4_without_dax, EVICT_KILL, NULL, LINUX_6_1,
	  DEAD_STEPS },
	{ "and on the newest", gone_ext4_without_dax, EVICT_KILL, NULL, LINUX_7_2, DEAD_STEPS },
	{ "the inner mount goes first", gone_with_two_mounts, EVICT_STOP, NULL, LINUX_6_12,
	  "unmount /mnt/inner, unmount /mnt" },
	{ "a mounted unbind has nothing to unbind", gone_ext4_without_dax, EVICT_NONE, "mounted-unbind",
	  LINUX_6_12, NULL, HOLDERS_NONE ", mounted-unbind /mnt critical" },
	{ "a lazily unmounted one ends with its process", gone_and_lazily_unmounted, EVICT_KILL, NULL, LINUX_6_12,
	  "terminate bash[77], grace, kill pmem0, await-exit pmem0" },
	{ "one that nobody holds refuses", gone_and_held_by_nobody, EVICT_KILL, NULL, LINUX_6_12, NULL,
	  "unknown-holder pmem0 critical" },
	{ "the live one beside it is claimed and unbound", gone_beside_a_live_one, EVICT_KILL, NULL, LINUX_6_12,
	  DEAD_STEPS ", claim pmem1, unbind pfn1.0" },
	{ "a removal that does not end is left alone", half_removed, EVICT_KILL, NULL, LINUX_7_2, NULL,
	  "half-removed namespace0.0 critical", "bash[5]" },
};

static bool any_says(const struct plan *plan, const char *words)
{
	array_each(veto, &plan->vetoes)
		if (veto->stands && strstr(veto->message, words))
			return true;
	return false;
}

static void plans_as_its_row_says(void **state)
{
	const struct row *row = *state;
	const struct request request = { .command = "retire-namespace",
					 .evict = row->evict,
					 .allow = &row->allow,
					 .allow_count = !!row->allow };
	struct look look = { 0 };
	char *steps, *stands;
	struct plan plan;

	row->build(&look);
	assert_int_equal(plan_make(&look, &request, &kernels[row->kernel], PLAN_WHOLE, &plan), 0);
	assert_false(plan.already_retired);
	stands = tell_vetoes(&plan, true);
	assert_string_equal(stands, row->stands ? row->stands : "");
	steps = tell_steps(&look, &plan);
	if (row->steps)
		assert_string_equal(steps, row->steps);
	assert_true(!row->says || any_says(&plan, row->says));
	assert_null(broken_rule(&look, &request, &plan));
	free(stands);
	free(steps);
	plan_free(&plan);
	look_free(&look);
}

static void nothing_left_is_already_retired(void **state)
{
	const struct request request = { .command = "retire-namespace" };
	struct look look = { 0 };
	struct plan plan;

	(void)state;
	nothing_left(&look);
	assert_int_equal(plan_make(&look, &request, &kernels[LINUX_6_12], PLAN_WHOLE, &plan), 0);
	assert_true(plan.already_retired);
	plan_free(&plan);
	look_free(&look);
}

int main(void)
{
	struct CMUnitTest tests[COUNT_OF(rows) + 1] = { cmocka_unit_test(nothing_left_is_already_retired) };

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		tests[i + 1] = (struct CMUnitTest){ rows[i].name, plans_as_its_row_says, NULL, NULL,
						    (void *)(uintptr_t)&rows[i] };
	return cmocka_run_group_tests_name("plan-dying", tests, NULL, NULL);
}
