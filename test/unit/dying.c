// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How devices that are gone are told: the verdict on what they leave, the log
 * of the kernel, names of disks, and the look at a recorded tree.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "retire/holders/gone.h"
#include "retire/holders/holders.h"
#include "retire/kernel-log.h"
#include "retire/kernel.h"
#include "test/unit/tree.h"
#include "util/root.h"

static enum dead_filesystem verdict(enum answer pre_remove, const char *fstype, bool no_dax, bool told)
{
	const struct kernel kernel = { "", { [KERNEL_PRE_REMOVE] = pre_remove } };
	struct filesystem filesystem = { .no_dax = no_dax, .told = told };
	enum dead_filesystem found;
	const char *why = NULL;

	filesystem.fstype = strdup(fstype);
	found = kernel_dead_filesystem(&kernel, &filesystem, &why);
	free(filesystem.fstype);
	assert_non_null(why);
	return found;
}

static void without_direct_mappings_it_ends_everywhere(void **state)
{
	(void)state;
	for (int answer = ANSWER_NO; answer <= ANSWER_UNKNOWN; answer++) {
		assert_int_equal(verdict((enum answer)answer, "ext4", true, false), DEAD_ENDS);
		assert_int_equal(verdict((enum answer)answer, "xfs", true, false), DEAD_ENDS);
	}
}

static void only_xfs_that_was_told_by_a_kernel_that_tells_ends(void **state)
{
	size_t ends = 0;

	(void)state;
	for (int answer = ANSWER_NO; answer <= ANSWER_UNKNOWN; answer++)
		for (int told = 0; told <= 1; told++)
			for (int xfs = 0; xfs <= 1; xfs++)
				ends += verdict((enum answer)answer, xfs ? "xfs" : "ext4", false, told) ==
					DEAD_ENDS;
	assert_int_equal(ends, 1);
	assert_int_equal(verdict(ANSWER_YES, "xfs", false, true), DEAD_ENDS);
	assert_int_equal(verdict(ANSWER_YES, "", false, true), DEAD_CRASHES);
}

static bool tells(const char *const *messages)
{
	size_t seen = 0;

	for (; *messages; messages++)
		seen = kernel_log_follow_removal(*messages, "pmem0", seen);
	return seen == 2;
}

#define REMOVED "XFS (pmem0): Device is about to be removed!"
#define DOWN	"XFS (pmem0): User initiated shutdown received."
#define MOUNTED "XFS (pmem0): Mounting V5 Filesystem 0123"
#define LATER	"XFS (pmem0): Please unmount the filesystem and rectify the problem(s)"

static void the_log_tells_of_a_removal_that_came_to_its_end(void **state)
{
	static const char *const whole[] = { MOUNTED, REMOVED, "Memory failure: 0x1", DOWN, LATER, NULL };
	static const char *const half[] = { MOUNTED, REMOVED, NULL };
	static const char *const remounted[] = { REMOVED, DOWN, MOUNTED, NULL };
	static const char *const down_first[] = { MOUNTED, DOWN, REMOVED,
						  "XFS (pmem0): already frozen by kernel, err=-5", NULL };
	static const char *const given_up[] = { REMOVED, "XFS (pmem0): already frozen by kernel, err=-5", DOWN,
						NULL };
	static const char *const another[] = { "XFS (pmem0s): Device is about to be removed!",
					       "XFS (pmem0s): User initiated shutdown received.", NULL };

	(void)state;
	assert_true(tells(whole));
	assert_false(tells(half));
	assert_false(tells(remounted));
	assert_false(tells(down_first));
	assert_false(tells(given_up));
	assert_false(tells(another));
}

static void names_of_disks(void **state)
{
	static const struct {
		const char *name, *disk;
		enum disk_name is;
	} cases[] = {
		{ "pmem0", "pmem0", DISK_WHOLE },   { "pmem0s", "pmem0", DISK_WHOLE },
		{ "pmem0p1", "pmem0", DISK_PART },  { "pmem0s1", "pmem0", DISK_PART },
		{ "pmem0.1", "pmem0", DISK_OTHER }, { "pmem01", "pmem0", DISK_OTHER },
		{ "pmem10", "pmem1", DISK_OTHER },  { "pmem0p", "pmem0", DISK_OTHER },
		{ "pmem0px", "pmem0", DISK_OTHER }, { "pmem0.1", "pmem0.1", DISK_WHOLE },
		{ "pmem", "pmem0", DISK_OTHER },    { "", "pmem0", DISK_OTHER },
		{ "pmem0ss", "pmem0", DISK_OTHER }, { "pmem0s1p", "pmem0", DISK_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(disk_name_is(cases[i].name, cases[i].disk), cases[i].is);
}

struct fixture {
	struct tree tree;
	struct look look;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct device *device = array_add(&fixture->look.devices);

	tree_make(&fixture->tree);
	*device = (struct device){ .name = strdup("namespace0.0"), .disk = strdup("pmem0") };
	/* a live disk has a device of that number */
	tree_text(&fixture->tree, "/sys/dev/block/259:7/dev", "259:7\n");
	tree_text(&fixture->tree, "/proc/filesystems", "nodev\ttmpfs\n\txfs\n");
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	tree_remove(&fixture->tree);
	look_free(&fixture->look);
	free(fixture);
	return 0;
}

static const struct device *find(struct fixture *fixture, const char *mounts)
{
	struct root root;

	tree_text(&fixture->tree, "/proc/self/mountinfo", mounts);
	assert_int_equal(root_open(&root, fixture->tree.path), 0);
	look_forget_holders(&fixture->look);
	assert_int_equal(holders_find(&root, &fixture->look, NULL), 0);
	root_close(&root);
	return &fixture->look.devices.items[0];
}

#define ROOT_MOUNT "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"

static void a_mount_on_a_dead_disk_is_found(void **state)
{
	struct fixture *fixture = *state;
	const struct device *device =
		find(fixture, ROOT_MOUNT "2 1 259:0 / /mnt rw - xfs /dev/pmem0 rw,dax=never\n");
	const struct holder *filesystem = look_filesystem(&fixture->look, makedev(259, 0));

	assert_true(device->gone);
	assert_false(device->enabled);
	assert_string_equal(device->blockdev, "pmem0");
	assert_int_equal(device->dev, makedev(259, 0));
	assert_non_null(filesystem);
	assert_true(filesystem->filesystem.shut_down);
	assert_true(filesystem->filesystem.no_dax);
	assert_false(filesystem->filesystem.told);
	/* and when it has gone, so has the rest */
	device = find(fixture, ROOT_MOUNT);
	assert_false(device->gone);
	assert_null(device->blockdev);
	assert_int_equal(device->dev, 0);
	assert_int_equal(fixture->look.holders.count, 0);
}

static void a_live_disk_of_that_name_is_none_of_ours(void **state)
{
	struct fixture *fixture = *state;
	const struct device *device = find(fixture, ROOT_MOUNT "2 1 259:7 / /mnt rw - xfs /dev/pmem0 rw\n");

	assert_false(device->gone);
	assert_int_equal(fixture->look.holders.count, 0);
}

static void another_dead_disk_is_none_of_ours(void **state)
{
	struct fixture *fixture = *state;
	const struct device *device = find(fixture, ROOT_MOUNT "2 1 259:1 / /mnt rw - xfs /dev/pmem1 rw\n"
							       "3 1 0:40 / /tmp rw - tmpfs /dev/pmem0 rw\n");

	assert_false(device->gone);
	assert_int_equal(fixture->look.holders.count, 0);
}

static void a_partition_and_an_earlier_disk_are_places_of_their_own(void **state)
{
	struct fixture *fixture = *state;
	const struct device *device = find(fixture, ROOT_MOUNT "2 1 259:0 / /a rw - ext4 /dev/pmem0 rw\n"
							       "3 1 259:1 / /b rw - ext4 /dev/pmem0p1 rw\n"
							       "4 1 259:2 / /c rw - xfs /dev/pmem0 rw\n");
	size_t mounts = 0;

	assert_true(device->gone);
	assert_int_equal(device->dev, makedev(259, 0));
	array_each(holder, &fixture->look.holders)
		mounts += holder->type == HOLDER_MOUNT;
	assert_int_equal(mounts, 3);
	for (unsigned number = 0; number < 3; number++)
		assert_true(look_filesystem(&fixture->look, makedev(259, number))->filesystem.shut_down);
}

static void a_dead_superblock_without_a_number_is_held_by_nobody(void **state)
{
	struct fixture *fixture = *state;
	const struct device *device;

	tree_text(&fixture->tree, "/sys/fs/xfs/pmem0/log/head", "0\n");
	tree_text(&fixture->tree, "/sys/fs/xfs/stats/stats", "0\n");
	device = find(fixture, ROOT_MOUNT);
	assert_true(device->gone);
	assert_int_equal(fixture->look.holders.count, 1);
	assert_true(fixture->look.holders.items[0].filesystem.detached);
	assert_string_equal(fixture->look.holders.items[0].filesystem.fstype, "xfs");
}

static void a_device_with_a_driver_is_not_looked_at(void **state)
{
	struct fixture *fixture = *state;

	fixture->look.devices.items[0].enabled = true;
	assert_false(find(fixture, ROOT_MOUNT "2 1 259:0 / /mnt rw - xfs /dev/pmem0 rw\n")->gone);
}

#define in_tree(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_direct_mappings_it_ends_everywhere),
		cmocka_unit_test(only_xfs_that_was_told_by_a_kernel_that_tells_ends),
		cmocka_unit_test(the_log_tells_of_a_removal_that_came_to_its_end),
		cmocka_unit_test(names_of_disks),
		in_tree(a_mount_on_a_dead_disk_is_found),
		in_tree(a_live_disk_of_that_name_is_none_of_ours),
		in_tree(another_dead_disk_is_none_of_ours),
		in_tree(a_partition_and_an_earlier_disk_are_places_of_their_own),
		in_tree(a_dead_superblock_without_a_number_is_held_by_nobody),
		in_tree(a_device_with_a_driver_is_not_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
