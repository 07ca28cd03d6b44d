// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a kernel does when memory is taken from under a mounted file system,
 * and how its facts are found out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "retire/kernel.h"
#include "test/unit/tree-root.h"
#include "util/array.h"

/* The kernels of Debian 12, its backports and beyond, as they were measured */
static const struct kernel linux_6_1 = {
	.facts = { [KERNEL_PRE_REMOVE] = ANSWER_NO, [KERNEL_XFS_RANGED_FAILURE] = ANSWER_UNKNOWN },
};
static const struct kernel linux_6_12 = {
	.facts = { [KERNEL_PRE_REMOVE] = ANSWER_YES, [KERNEL_XFS_RANGED_FAILURE] = ANSWER_YES },
};
static const struct kernel linux_7_2 = {
	.facts = { [KERNEL_PRE_REMOVE] = ANSWER_YES, [KERNEL_XFS_RANGED_FAILURE] = ANSWER_NO },
};
static const struct kernel unknown_kernel = {
	.facts = { [KERNEL_PRE_REMOVE] = ANSWER_UNKNOWN, [KERNEL_XFS_RANGED_FAILURE] = ANSWER_UNKNOWN },
};

static enum mounted_unbind verdict(const struct kernel *kernel, const char *fstype, unsigned features)
{
	struct filesystem filesystem = { .features = features };
	enum mounted_unbind verdict;
	const char *why = NULL;
	char type[16];

	if (fstype) {
		snprintf(type, sizeof(type), "%s", fstype);
		filesystem.fstype = type;
	}
	verdict = kernel_mounted_unbind(kernel, &filesystem, &why);
	assert_non_null(why);
	assert_int_equal(verdict, kernel_mounted_unbind(kernel, &filesystem, NULL));
	return verdict;
}

static void xfs_with_rmapbt_is_corrupted_told_or_hangs_by_kernel(void **state)
{
	(void)state;
	assert_int_equal(verdict(&linux_6_1, "xfs", FS_XFS_RMAPBT), UNBIND_CORRUPTS);
	assert_int_equal(verdict(&linux_6_12, "xfs", FS_XFS_RMAPBT), UNBIND_TELLS);
	assert_int_equal(verdict(&linux_7_2, "xfs", FS_XFS_RMAPBT), UNBIND_HANGS);
}

static void a_kernel_with_both_names_of_6_1_still_corrupts(void **state)
{
	struct kernel kernel = linux_6_1;

	(void)state;
	kernel.facts[KERNEL_XFS_RANGED_FAILURE] = ANSWER_YES;
	assert_int_equal(verdict(&kernel, "xfs", FS_XFS_RMAPBT), UNBIND_CORRUPTS);
}

static void xfs_without_rmapbt_is_told_nothing_by_any_kernel(void **state)
{
	(void)state;
	assert_int_equal(verdict(&linux_6_1, "xfs", 0), UNBIND_SILENT);
	assert_int_equal(verdict(&linux_6_12, "xfs", 0), UNBIND_SILENT);
	assert_int_equal(verdict(&linux_7_2, "xfs", 0), UNBIND_SILENT);
	assert_int_equal(verdict(&unknown_kernel, "xfs", 0), UNBIND_SILENT);
}

static void other_file_systems_are_told_nothing(void **state)
{
	static const char *const types[] = { "ext4", "ext2", "erofs", "btrfs", "xfsx", "xf" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		assert_int_equal(verdict(&linux_6_1, types[i], 0), UNBIND_SILENT);
		assert_int_equal(verdict(&linux_6_12, types[i], FS_FEATURES_UNKNOWN), UNBIND_SILENT);
		assert_int_equal(verdict(&linux_7_2, types[i], 0), UNBIND_SILENT);
	}
}

static void what_is_not_known_stays_unknown(void **state)
{
	struct kernel half = linux_6_12;

	(void)state;
	half.facts[KERNEL_XFS_RANGED_FAILURE] = ANSWER_UNKNOWN;
	assert_int_equal(verdict(&half, "xfs", FS_XFS_RMAPBT), UNBIND_UNKNOWN);
	assert_int_equal(verdict(&unknown_kernel, "xfs", FS_XFS_RMAPBT), UNBIND_UNKNOWN);
	assert_int_equal(verdict(&linux_6_12, "xfs", FS_FEATURES_UNKNOWN), UNBIND_UNKNOWN);
	assert_int_equal(verdict(&linux_6_12, "xfs", FS_XFS_RMAPBT | FS_FEATURES_UNKNOWN), UNBIND_UNKNOWN);
	assert_int_equal(verdict(&linux_6_1, "xfs", FS_FEATURES_UNKNOWN), UNBIND_UNKNOWN);
	assert_int_equal(verdict(&linux_6_12, NULL, 0), UNBIND_UNKNOWN);
	assert_int_equal(verdict(&linux_6_12, "", 0), UNBIND_UNKNOWN);
}

static void no_case_but_6_12_is_ever_called_safe(void **state)
{
	struct kernel kernel = { 0 };

	(void)state;
	for (int pre = 0; pre <= ANSWER_UNKNOWN; pre++) {
		for (int ranged = 0; ranged <= ANSWER_UNKNOWN; ranged++) {
			bool told = pre == ANSWER_YES && ranged == ANSWER_YES;

			kernel.facts[KERNEL_PRE_REMOVE] = (enum answer)pre;
			kernel.facts[KERNEL_XFS_RANGED_FAILURE] = (enum answer)ranged;
			assert_int_equal(verdict(&kernel, "xfs", FS_XFS_RMAPBT) == UNBIND_TELLS, told);
		}
	}
}

/* ---- probing, in trees with the names that kernels have */

#define BTF(names) "\x9f\xeb\x01" names
#define OLD_NAMES  "\0MF_ACTION_REQUIRED\0freeze_super\0dax_layout_busy_page"

struct fixture {
	struct place place;
	struct kernel kernel;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	place_open(&fixture->place);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	place_close(&fixture->place);
	free(fixture);
	return 0;
}

#define vmlinux_is(fixture, names)                                                                                \
	tree_write(&(fixture)->place.tree, "/sys/kernel/btf/vmlinux", BTF(names), sizeof(BTF(names)))
#define xfs_is(fixture, names)                                                                                    \
	tree_write(&(fixture)->place.tree, "/sys/kernel/btf/xfs", BTF(names), sizeof(BTF(names)))

static enum answer probed(struct fixture *fixture, enum kernel_fact fact)
{
	kernel_probe(&fixture->place.root, &fixture->kernel);
	return fixture->kernel.facts[fact];
}

static void a_tree_without_names_tells_nothing(void **state)
{
	struct fixture *fixture = *state;

	kernel_probe(&fixture->place.root, &fixture->kernel);
	for (int fact = 0; fact < KERNEL_FACTS; fact++)
		assert_int_equal(fixture->kernel.facts[fact], ANSWER_UNKNOWN);
	assert_string_equal(fixture->kernel.release, "");
}

static void names_of_6_1_mean_no_notification(void **state)
{
	struct fixture *fixture = *state;

	vmlinux_is(fixture, OLD_NAMES);
	xfs_is(fixture, "\0xfs_dax_notify_failure");
	tree_text(&fixture->place.tree, "/proc/kallsyms", "0000000000000000 t xfs_dax_notify_failure\t[xfs]\n");
	tree_text(&fixture->place.tree, "/proc/sys/kernel/osrelease", "6.1.0-50-amd64\n");
	assert_int_equal(probed(fixture, KERNEL_PRE_REMOVE), ANSWER_NO);
	assert_int_equal(fixture->kernel.facts[KERNEL_XFS_RANGED_FAILURE], ANSWER_UNKNOWN);
	assert_int_equal(fixture->kernel.facts[KERNEL_MARK_DEAD], ANSWER_NO);
	assert_int_equal(fixture->kernel.facts[KERNEL_UMOUNT_WAITS_PINS], ANSWER_NO);
	assert_string_equal(fixture->kernel.release, "6.1.0-50-amd64");
	assert_int_equal(verdict(&fixture->kernel, "xfs", FS_XFS_RMAPBT), UNBIND_CORRUPTS);
}

static void names_of_6_12_mean_that_xfs_is_told(void **state)
{
	struct fixture *fixture = *state;

	vmlinux_is(fixture, OLD_NAMES "\0MF_MEM_PRE_REMOVE\0fs_bdev_mark_dead");
	xfs_is(fixture, "\0xfs_dax_notify_failure\0xfs_dax_notify_ddev_failure");
	assert_int_equal(probed(fixture, KERNEL_PRE_REMOVE), ANSWER_YES);
	assert_int_equal(fixture->kernel.facts[KERNEL_XFS_RANGED_FAILURE], ANSWER_YES);
	assert_int_equal(fixture->kernel.facts[KERNEL_MARK_DEAD], ANSWER_YES);
	assert_int_equal(fixture->kernel.facts[KERNEL_UMOUNT_WAITS_PINS], ANSWER_NO);
	assert_int_equal(verdict(&fixture->kernel, "xfs", FS_XFS_RMAPBT), UNBIND_TELLS);
}

static void names_of_7_2_mean_that_it_hangs(void **state)
{
	struct fixture *fixture = *state;

	vmlinux_is(fixture, OLD_NAMES "\0MF_MEM_PRE_REMOVE\0fs_bdev_mark_dead\0dax_break_layout_final");
	xfs_is(fixture, "\0xfs_dax_notify_dev_failure\0xfs_dax_notify_failure");
	assert_int_equal(probed(fixture, KERNEL_XFS_RANGED_FAILURE), ANSWER_NO);
	assert_int_equal(fixture->kernel.facts[KERNEL_UMOUNT_WAITS_PINS], ANSWER_YES);
	assert_int_equal(verdict(&fixture->kernel, "xfs", FS_XFS_RMAPBT), UNBIND_HANGS);
}

static void xfs_may_be_built_in(void **state)
{
	struct fixture *fixture = *state;

	vmlinux_is(fixture, OLD_NAMES "\0xfs_dax_notify_dev_failure");
	assert_int_equal(probed(fixture, KERNEL_XFS_RANGED_FAILURE), ANSWER_NO);
}

static void a_name_is_matched_whole(void **state)
{
	struct fixture *fixture = *state;

	vmlinux_is(fixture, OLD_NAMES "\0MF_MEM_PRE_REMOVED\0XMF_MEM_PRE_REMOVE");
	xfs_is(fixture, "\0xfs_dax_notify_dev_failures");
	tree_text(&fixture->place.tree, "/proc/kallsyms", "0 t xfs_dax_notify_dev_failure.cold\t[xfs]\n");
	assert_int_equal(probed(fixture, KERNEL_PRE_REMOVE), ANSWER_NO);
	assert_int_equal(fixture->kernel.facts[KERNEL_XFS_RANGED_FAILURE], ANSWER_UNKNOWN);
}

static void kallsyms_stands_in_for_btf(void **state)
{
	struct fixture *fixture = *state;

	tree_text(&fixture->place.tree, "/proc/kallsyms",
		  "0000000000000000 T fs_bdev_mark_dead\n"
		  "0000000000000000 t xfs_dax_notify_ddev_failure\t[xfs]\n");
	assert_int_equal(probed(fixture, KERNEL_MARK_DEAD), ANSWER_YES);
	assert_int_equal(fixture->kernel.facts[KERNEL_UMOUNT_WAITS_PINS], ANSWER_NO);
	assert_int_equal(fixture->kernel.facts[KERNEL_XFS_RANGED_FAILURE], ANSWER_YES);
	/* an enumerator is in no symbol table */
	assert_int_equal(fixture->kernel.facts[KERNEL_PRE_REMOVE], ANSWER_UNKNOWN);
}

static void the_running_kernel_answers_to_calls(void **state)
{
	struct kernel kernel;
	struct root root;

	(void)state;
	assert_int_equal(root_open(&root, NULL), 0);
	kernel_probe(&root, &kernel);
	assert_true(kernel.release[0] != '\0');
	/* 5.3; a sandbox may forbid it, but then it is not known to be missing */
	assert_int_not_equal(kernel.facts[KERNEL_PIDFD], ANSWER_NO);
	root_close(&root);
}

static void every_fact_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int one = 0; one < KERNEL_FACTS; one++) {
		assert_non_null(kernel_fact_name((enum kernel_fact)one));
		for (int two = 0; two < one; two++)
			assert_string_not_equal(kernel_fact_name((enum kernel_fact)one),
						kernel_fact_name((enum kernel_fact)two));
	}
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xfs_with_rmapbt_is_corrupted_told_or_hangs_by_kernel),
		cmocka_unit_test(a_kernel_with_both_names_of_6_1_still_corrupts),
		cmocka_unit_test(xfs_without_rmapbt_is_told_nothing_by_any_kernel),
		cmocka_unit_test(other_file_systems_are_told_nothing),
		cmocka_unit_test(what_is_not_known_stays_unknown),
		cmocka_unit_test(no_case_but_6_12_is_ever_called_safe),
		TEST(a_tree_without_names_tells_nothing),
		TEST(names_of_6_1_mean_no_notification),
		TEST(names_of_6_12_mean_that_xfs_is_told),
		TEST(names_of_7_2_mean_that_it_hangs),
		TEST(xfs_may_be_built_in),
		TEST(a_name_is_matched_whole),
		TEST(kallsyms_stands_in_for_btf),
		cmocka_unit_test(the_running_kernel_answers_to_calls),
		cmocka_unit_test(every_fact_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
