// SPDX-License-Identifier: GPL-2.0-or-later
/* The probes together, over small recorded trees. */
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "retire/holders/holders.h"
#include "util/root.h"

#define STAT(pid, comm) pid " (" comm ") S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 5123 4096"

struct tree {
	char path[64];
	struct look look;
};

static void make_directories(const struct tree *tree, const char *path)
{
	char all[512];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(all, sizeof(all), "%s%.*s", tree->path, (int)(slash - path), path);
		if (mkdir(all, 0700) < 0)
			assert_int_equal(errno, EEXIST);
	}
}

static void add_file(const struct tree *tree, const char *path, const char *text)
{
	char all[512];
	FILE *file;

	make_directories(tree, path);
	snprintf(all, sizeof(all), "%s%s", tree->path, path);
	file = fopen(all, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void add_link(const struct tree *tree, const char *path, const char *target)
{
	char all[512];

	make_directories(tree, path);
	snprintf(all, sizeof(all), "%s%s", tree->path, path);
	assert_return_code(symlink(target, all), errno);
}

static int set_up(void **state)
{
	struct tree *tree = calloc(1, sizeof(*tree));
	struct device *device = array_add(&tree->look.devices);

	strcpy(tree->path, "/tmp/holders-tree-XXXXXX");
	*device = (struct device){ .name = strdup("namespace0.0"),
				   .blockdev = strdup("pmem0"),
				   .dev = makedev(259, 0) };
	*state = tree;
	assert_non_null(mkdtemp(tree->path));
	add_file(tree, "/sys/class/block/pmem0/dev", "259:0\n");
	add_file(tree, "/proc/filesystems", "nodev\ttmpfs\nnodev\tproc\n\txfs\n\tbtrfs\n");
	add_file(tree, "/proc/self/mountinfo", "1 0 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n");
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int tear_down(void **state)
{
	struct tree *tree = *state;

	nftw(tree->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	look_free(&tree->look);
	free(tree);
	return 0;
}

static void find(struct tree *tree)
{
	struct root root;

	assert_int_equal(root_open(&root, tree->path), 0);
	assert_int_equal(holders_find(&root, &tree->look, NULL), 0);
	root_close(&root);
}

static const struct holder *holder_named(const struct tree *tree, enum holder_type type, const char *name)
{
	const struct holder *found = NULL;

	array_each(holder, &tree->look.holders)
		if (holder->type == type && strcmp(holder->name, name) == 0) {
			assert_null(found);
			found = holder;
		}
	assert_non_null(found);
	assert_ptr_equal(found->kind, holder_kinds[type]);
	return found;
}

static void an_unused_device_has_no_holders(void **state)
{
	struct tree *tree = *state;

	find(tree);
	assert_int_equal(tree->look.holders.count, 0);
	assert_int_equal(tree->look.unknowns.count, 0);
}

static void a_mount_is_on_its_file_system(void **state)
{
	struct tree *tree = *state;
	const struct holder *filesystem, *mount;

	add_file(tree, "/proc/self/mountinfo",
		 "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n30 1 259:0 / /mnt rw - xfs /dev/pmem0 ro\n");
	find(tree);
	filesystem = holder_named(tree, HOLDER_FILESYSTEM, "/mnt");
	mount = holder_named(tree, HOLDER_MOUNT, "/mnt");
	assert_int_equal(filesystem->on, 0);
	assert_true(filesystem->filesystem.read_only);
	assert_false(filesystem->filesystem.detached);
	assert_int_equal(filesystem->filesystem.features, FS_FEATURES_UNKNOWN);
	assert_int_equal(mount->on, filesystem->id);
	assert_int_equal(mount->inside, 0);
}

static void binds_inside_rest_on_the_outer_mount(void **state)
{
	struct tree *tree = *state;
	const struct holder *outer, *inner;

	/* the child comes first in the table */
	add_file(tree, "/proc/self/mountinfo",
		 "20 30 259:0 /d /mnt/d rw - xfs /dev/pmem0 rw\n30 1 259:0 / /mnt rw - xfs /dev/pmem0 rw\n"
		 "40 1 259:0 / /bind rw - xfs /dev/pmem0 rw\n");
	find(tree);
	outer = holder_named(tree, HOLDER_MOUNT, "/mnt");
	inner = holder_named(tree, HOLDER_MOUNT, "/mnt/d");
	assert_int_equal(inner->on, outer->id);
	assert_int_equal(inner->inside, outer->id);
	assert_int_equal(holder_named(tree, HOLDER_MOUNT, "/bind")->inside, 0);
}

static void mounts_stacked_on_one_point_are_both_found(void **state)
{
	struct tree *tree = *state;

	add_file(tree, "/proc/self/mountinfo",
		 "30 1 259:0 / /mnt rw - xfs /dev/pmem0 rw\n31 30 259:0 / /mnt rw - xfs /dev/pmem0 rw\n");
	find(tree);
	assert_int_equal(tree->look.holders.count, 3);
	assert_int_equal(look_holder(&tree->look, 3)->inside, 2);
}

static void foreign_mounts_inside_are_found_at_any_depth(void **state)
{
	struct tree *tree = *state;
	const struct holder *outer, *tmpfs, *deep, *own;

	add_file(tree, "/proc/self/mountinfo",
		 "30 1 259:0 / /mnt rw - xfs /dev/pmem0 rw\n31 30 0:40 / /mnt/t rw - tmpfs tmpfs rw\n"
		 "32 31 0:41 / /mnt/t/p rw - proc proc rw\n33 31 259:0 /b /mnt/t/b rw - xfs /dev/pmem0 rw\n"
		 "34 1 0:42 / /other rw - tmpfs tmpfs rw\n");
	find(tree);
	outer = holder_named(tree, HOLDER_MOUNT, "/mnt");
	tmpfs = holder_named(tree, HOLDER_MOUNT, "/mnt/t");
	deep = holder_named(tree, HOLDER_MOUNT, "/mnt/t/p");
	own = holder_named(tree, HOLDER_MOUNT, "/mnt/t/b");
	assert_true(tmpfs->mount.foreign && deep->mount.foreign);
	assert_false(own->mount.foreign);
	assert_int_equal(tmpfs->inside, outer->id);
	assert_int_equal(deep->inside, tmpfs->id);
	assert_int_equal(own->inside, tmpfs->id);
	assert_int_equal(tree->look.holders.count, 5);
}

static void a_circle_of_mounts_ends(void **state)
{
	struct tree *tree = *state;

	add_file(tree, "/proc/self/mountinfo",
		 "30 31 259:0 / /a rw - xfs /dev/pmem0 rw\n31 30 259:0 / /b rw - xfs /dev/pmem0 rw\n"
		 "40 41 0:40 / /c rw - tmpfs t rw\n41 40 0:40 / /d rw - tmpfs t rw\n");
	find(tree);
	assert_int_equal(tree->look.holders.count, 3);
}

static void an_odd_line_is_unknown_and_the_others_count(void **state)
{
	struct tree *tree = *state;

	add_file(tree, "/proc/self/mountinfo", "garbage\n30 1 259:0 / /mnt rw - xfs /dev/pmem0 rw\n");
	find(tree);
	holder_named(tree, HOLDER_MOUNT, "/mnt");
	assert_int_equal(tree->look.unknowns.count, 1);
}

static void an_anonymous_device_is_known_by_its_source(void **state)
{
	struct tree *tree = *state;

	add_file(tree, "/proc/self/mountinfo",
		 "30 1 0:50 / /mnt rw - btrfs /dev/pmem0 rw\n31 1 0:51 / /x rw - tmpfs /dev/pmem0 rw\n");
	find(tree);
	assert_true(holder_named(tree, HOLDER_FILESYSTEM, "/mnt")->dev == makedev(0, 50));
	assert_int_equal(tree->look.holders.count, 2);
}

static void every_member_of_a_btrfs_holds_it(void **state)
{
	struct tree *tree = *state;

	add_file(tree, "/sys/fs/btrfs/1234/devices/sdb", "");
	add_file(tree, "/sys/fs/btrfs/1234/devices/pmem0", "");
	add_file(tree, "/proc/self/mountinfo", "30 1 0:50 / /mnt rw - btrfs /dev/sdb rw\n");
	find(tree);
	holder_named(tree, HOLDER_FILESYSTEM, "/mnt");
}

static void the_log_of_an_xfs_elsewhere_holds_it(void **state)
{
	struct tree *tree = *state;

	add_file(tree, "/proc/self/mountinfo",
		 "30 1 8:2 / /mnt rw - xfs /dev/sda2 rw,logdev=/dev/pmem0,noquota\n");
	find(tree);
	assert_int_equal(holder_named(tree, HOLDER_FILESYSTEM, "/mnt")->device, 0);
}

static void a_log_that_cannot_be_found_is_unknown(void **state)
{
	struct tree *tree = *state;

	add_file(tree, "/sys/class/block/sda3/dev", "8:3\n");
	add_file(tree, "/proc/self/mountinfo",
		 "30 1 8:2 / /relative rw - xfs /dev/sda2 rw,logdev=pmem0\n"
		 "31 1 8:4 / /gone rw - xfs /dev/sda4 rw,logdev=/dev/by\\054id,rtdev=/dev/sda3\n"
		 "32 1 8:5 / /known rw - xfs /dev/sda5 rw,logdev=/dev/sda3,noquota\n");
	find(tree);
	assert_int_equal(tree->look.holders.count, 0);
	assert_int_equal(tree->look.unknowns.count, 2);
	assert_string_equal(tree->look.unknowns.items[0].subject, "/relative");
	assert_string_equal(tree->look.unknowns.items[1].subject, "/gone");
	assert_string_equal(tree->look.unknowns.items[1].reason, "logdev=/dev/by,id leads to no block device");
}

static void add_ext4_with_journal(const struct tree *tree)
{
	add_file(tree, "/proc/fs/jbd2/pmem0/info", "");
	add_file(tree, "/proc/fs/jbd2/sda3-8/info", "");
	add_file(tree, "/sys/fs/ext4/features/x", "");
	add_file(tree, "/sys/fs/ext4/sda2/journal_task", "77\n");
	add_file(tree, "/sys/fs/ext4/sda3/journal_task", "78\n");
	add_file(tree, "/proc/77/comm", "jbd2/pmem0\n");
	add_file(tree, "/proc/78/comm", "jbd2/sda3-8\n");
	add_file(tree, "/sys/class/block/sda2/dev", "8:2\n");
	add_file(tree, "/sys/class/block/sda3/dev", "8:3\n");
	add_link(tree, "/sys/dev/block/8:2", "../../devices/x/block/sda/sda2");
	add_link(tree, "/sys/dev/block/8:3", "../../devices/x/block/sda/sda3");
}

static void the_journal_of_an_ext4_elsewhere_holds_it(void **state)
{
	struct tree *tree = *state;
	const struct holder *filesystem;

	add_ext4_with_journal(tree);
	add_file(tree, "/proc/self/mountinfo",
		 "30 1 8:2 / /mnt rw - ext4 /dev/sda2 rw\n31 1 8:3 / /other rw - ext4 /dev/sda3 rw\n");
	find(tree);
	filesystem = holder_named(tree, HOLDER_FILESYSTEM, "/mnt");
	assert_string_equal(filesystem->filesystem.part, "journal");
	assert_true(filesystem->dev == makedev(8, 2));
	/* the device may come back with another number than ext4 has noted down */
	assert_string_equal(holder_named(tree, HOLDER_MOUNT, "/mnt")->mount.super_options,
			    "rw,journal_path=/dev/pmem0");
	assert_int_equal(tree->look.holders.count, 2);
	assert_int_equal(tree->look.unknowns.count, 0);
}

static void an_unmounted_ext4_elsewhere_still_has_its_journal(void **state)
{
	struct tree *tree = *state;
	const struct holder *filesystem;

	add_ext4_with_journal(tree);
	find(tree);
	filesystem = holder_named(tree, HOLDER_FILESYSTEM, "sda2");
	assert_true(filesystem->filesystem.detached);
	assert_true(filesystem->dev == makedev(8, 2));
	assert_int_equal(tree->look.holders.count, 1);
}

static void a_journal_of_nobody_is_unknown(void **state)
{
	struct tree *tree = *state;

	add_file(tree, "/proc/fs/jbd2/pmem0/info", "");
	find(tree);
	assert_int_equal(tree->look.unknowns.count, 1);
}

static void a_btrfs_without_mounts_is_detached(void **state)
{
	struct tree *tree = *state;

	add_file(tree, "/sys/fs/btrfs/features/x", "");
	add_file(tree, "/sys/fs/btrfs/1234/devices/pmem0/x", "");
	find(tree);
	assert_true(holder_named(tree, HOLDER_FILESYSTEM, "pmem0")->filesystem.detached);
	assert_int_equal(tree->look.holders.count, 1);
}

static void a_file_system_without_mounts_is_detached(void **state)
{
	struct tree *tree = *state;
	const struct holder *filesystem;

	add_file(tree, "/sys/fs/xfs/pmem0/log/x", "");
	find(tree);
	filesystem = holder_named(tree, HOLDER_FILESYSTEM, "pmem0");
	assert_true(filesystem->filesystem.detached);
	assert_string_equal(filesystem->filesystem.fstype, "xfs");
	assert_int_equal(tree->look.holders.count, 1);
}

static void what_is_stacked_is_found_up_to_the_mount(void **state)
{
	struct tree *tree = *state;
	const struct holder *partition, *dm, *filesystem, *loop, *upper;

	add_file(tree, "/sys/class/block/pmem0/pmem0p1/partition", "1\n");
	add_file(tree, "/sys/class/block/pmem0/pmem0p1/dev", "259:1\n");
	add_file(tree, "/sys/class/block/pmem0p1/holders/dm-0", "");
	add_file(tree, "/sys/class/block/dm-0/dev", "253:0\n");
	add_file(tree, "/sys/class/block/dm-0/dm/name", "vg-data\n");
	add_file(tree, "/sys/block/loop0/dev", "7:0\n");
	add_file(tree, "/sys/block/loop0/loop/backing_file", "/mnt/image\n");
	add_file(tree, "/sys/block/loop1/dev", "7:1\n");
	add_file(tree, "/proc/self/mountinfo",
		 "30 1 253:0 / /mnt rw - ext4 /dev/dm-0 rw\n31 1 7:0 / /up rw - ext4 /dev/loop0 rw\n");
	find(tree);
	partition = holder_named(tree, HOLDER_PARTITION, "pmem0p1");
	dm = holder_named(tree, HOLDER_DM, "dm-0 (vg-data)");
	filesystem = holder_named(tree, HOLDER_FILESYSTEM, "/mnt");
	loop = holder_named(tree, HOLDER_LOOP, "loop0");
	upper = holder_named(tree, HOLDER_FILESYSTEM, "/up");
	assert_int_equal(dm->on, partition->id);
	assert_int_equal(filesystem->on, dm->id);
	assert_true(look_rests_on(&tree->look, loop, filesystem->id));
	assert_int_equal(upper->on, loop->id);
	assert_int_equal(tree->look.holders.count, 7);
}

static void a_holder_of_no_known_kind_is_unknown(void **state)
{
	struct tree *tree = *state;

	add_file(tree, "/sys/class/block/pmem0/holders/bcache0", "");
	find(tree);
	assert_int_equal(tree->look.unknowns.count, 1);
	assert_string_equal(tree->look.unknowns.items[0].subject, "bcache0");
}

static void an_array_is_found(void **state)
{
	struct tree *tree = *state;

	add_file(tree, "/sys/class/block/pmem0/holders/md127", "");
	add_file(tree, "/sys/class/block/md127/dev", "9:127\n");
	find(tree);
	/* what is recorded of it does not tell how to put it back */
	assert_non_null(holder_named(tree, HOLDER_MD, "md127")->refusal);
}

static void swap_is_found_on_the_device_and_in_its_files(void **state)
{
	struct tree *tree = *state;

	add_file(tree, "/proc/self/mountinfo", "30 1 259:0 / /mnt rw - xfs /dev/pmem0 rw\n");
	add_file(tree, "/proc/swaps",
		 "Filename Type Size Used Priority\n/dev/pmem0 partition 1024 0 -2\n/mnt/s\\040w file 8 4 7\n"
		 "/dev/sda3 partition 8 0 -3\n/mntx/swap file 8 0 1\n");
	find(tree);
	assert_int_equal(holder_named(tree, HOLDER_SWAP, "/dev/pmem0")->on, 0);
	assert_int_equal(holder_named(tree, HOLDER_SWAP, "/mnt/s w")->on,
			 holder_named(tree, HOLDER_MOUNT, "/mnt")->id);
	assert_int_equal(tree->look.holders.count, 4);
}

static void add_process(struct tree *tree, const char *stat)
{
	add_file(tree, "/proc/812/stat", stat);
	add_file(tree, "/proc/812/status", "Name:\tfio\nUid:\t1000\t1000\t1000\t1000\n");
	add_file(tree, "/proc/812/cgroup", "0::/system.slice/bench.service\n");
	add_file(tree, "/proc/812/maps", "7f00-7f01 rw-s 00000000 103:00000 131 /mnt/job\n");
	add_link(tree, "/proc/812/fd/0", "/dev/null");
	add_link(tree, "/proc/812/fd/5", "/mnt/job (deleted)");
	add_link(tree, "/proc/812/cwd", "/");
}

static void a_process_is_found_with_all_its_uses(void **state)
{
	struct tree *tree = *state;
	const struct holder *process;

	add_file(tree, "/proc/self/mountinfo", "30 1 259:0 / /mnt rw - xfs /dev/pmem0 rw\n");
	add_process(tree, STAT("812", "fio"));
	add_link(tree, "/proc/812/exe", "/usr/bin/fio");
	find(tree);
	process = holder_named(tree, HOLDER_PROCESS, "fio[812]");
	assert_int_equal(process->process.uses, USE_OPEN | USE_MAP);
	assert_int_equal(process->process.uid, 1000);
	assert_int_equal(process->process.starttime, 5123);
	assert_string_equal(process->process.unit, "bench.service");
	assert_string_equal(process->process.path, "/mnt/job (deleted)");
	assert_int_equal(process->process.pidfd, -1);
	assert_int_equal(process->on, holder_named(tree, HOLDER_MOUNT, "/mnt")->id);
}

static void zombies_and_kernel_threads_hold_nothing(void **state)
{
	struct tree *tree = *state;

	add_file(tree, "/proc/self/mountinfo", "30 1 259:0 / /mnt rw - xfs /dev/pmem0 rw\n");
	add_process(tree, "812 (fio) Z 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 5123 4096");
	find(tree);
	assert_int_equal(tree->look.holders.count, 2);
}

static void a_process_on_device_dax_is_found(void **state)
{
	struct tree *tree = *state;
	struct device *device = &tree->look.devices.items[0];

	device->mode = MODE_DEVDAX;
	strcpy(device->blockdev, "dax0");
	add_process(tree, STAT("812", "vm"));
	add_link(tree, "/proc/812/fd/7", "/dev/dax0");
	find(tree);
	assert_int_equal(holder_named(tree, HOLDER_PROCESS, "vm[812]")->on, 0);
}

/* Not by its device number, which is the kernel's own */
static void overlays_are_found_by_their_layers(void **state)
{
	struct tree *tree = *state;
	const struct holder *overlay;

	add_file(tree, "/proc/filesystems", "nodev\toverlay\n\txfs\n");
	add_file(tree, "/proc/self/mountinfo",
		 "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
		 "30 1 259:0 / /mnt rw - xfs /dev/pmem0 rw\n"
		 "31 1 0:40 / /one rw - overlay overlay rw,lowerdir=/usr:/mnt/l\n"
		 "32 1 0:41 / /two rw - overlay overlay rw,lowerdir=/one,upperdir=/u,workdir=/w\n"
		 "33 1 0:42 / /other rw - overlay overlay rw,lowerdir=/usr:/var\n"
		 "34 31 0:43 / /one/t rw - tmpfs none rw\n");
	find(tree);
	overlay = holder_named(tree, HOLDER_OVERLAY, "/one");
	assert_int_equal(overlay->on, holder_named(tree, HOLDER_FILESYSTEM, "/mnt")->id);
	assert_int_equal(holder_named(tree, HOLDER_MOUNT, "/one")->on, overlay->id);
	assert_int_equal(holder_named(tree, HOLDER_OVERLAY, "/two")->on, overlay->id);
	assert_true(holder_named(tree, HOLDER_MOUNT, "/one/t")->mount.foreign);
	assert_int_equal(tree->look.holders.count, 7);
	assert_int_equal(tree->look.unknowns.count, 0);
}

static void an_overlay_whose_layers_are_not_known_is_unknown(void **state)
{
	struct tree *tree = *state;

	add_file(tree, "/proc/filesystems", "nodev\toverlay\n\txfs\n");
	add_file(tree, "/proc/self/mountinfo",
		 "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
		 "30 1 259:0 / /mnt rw - xfs /dev/pmem0 rw\n"
		 "31 1 0:40 / /one rw - overlay overlay rw,lowerdir=l\n"
		 "32 1 0:41 / / rw - overlay overlay rw,lowerdir=l\n"
		 "33 1 0:41 /usr /kept rw - overlay overlay rw,lowerdir=l\n");
	find(tree);
	/* of the root of a namespace nobody can tell from inside */
	assert_int_equal(tree->look.unknowns.count, 1);
	assert_string_equal(tree->look.unknowns.items[0].subject, "/one");
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(an_unused_device_has_no_holders),
		TREE_TEST(a_mount_is_on_its_file_system),
		TREE_TEST(binds_inside_rest_on_the_outer_mount),
		TREE_TEST(mounts_stacked_on_one_point_are_both_found),
		TREE_TEST(foreign_mounts_inside_are_found_at_any_depth),
		TREE_TEST(a_circle_of_mounts_ends),
		TREE_TEST(an_odd_line_is_unknown_and_the_others_count),
		TREE_TEST(an_anonymous_device_is_known_by_its_source),
		TREE_TEST(every_member_of_a_btrfs_holds_it),
		TREE_TEST(the_log_of_an_xfs_elsewhere_holds_it),
		TREE_TEST(a_file_system_without_mounts_is_detached),
		TREE_TEST(a_log_that_cannot_be_found_is_unknown),
		TREE_TEST(the_journal_of_an_ext4_elsewhere_holds_it),
		TREE_TEST(an_unmounted_ext4_elsewhere_still_has_its_journal),
		TREE_TEST(a_journal_of_nobody_is_unknown),
		TREE_TEST(a_btrfs_without_mounts_is_detached),
		TREE_TEST(overlays_are_found_by_their_layers),
		TREE_TEST(an_overlay_whose_layers_are_not_known_is_unknown),
		TREE_TEST(what_is_stacked_is_found_up_to_the_mount),
		TREE_TEST(a_holder_of_no_known_kind_is_unknown),
		TREE_TEST(an_array_is_found),
		TREE_TEST(swap_is_found_on_the_device_and_in_its_files),
		TREE_TEST(a_process_is_found_with_all_its_uses),
		TREE_TEST(zombies_and_kernel_threads_hold_nothing),
		TREE_TEST(a_process_on_device_dax_is_found),
	};

	return cmocka_run_group_tests_name("holders-tree", tests, NULL, NULL);
}
