// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "retire/holders/mountinfo.h"
#include "retire/holders/overlay-layers.h"

static int parse(const char *line, struct mount *mount)
{
	static char copy[4096];

	snprintf(copy, sizeof(copy), "%s", line);
	return mountinfo_parse(copy, mount);
}

static void a_line_gives_all_its_fields(void **state)
{
	struct mount mount;

	(void)state;
	assert_int_equal(
		parse("36 35 259:1 /sub /mnt/data rw,noatime shared:13 master:2 - xfs /dev/pmem0 rw,dax=always",
		      &mount),
		0);
	assert_int_equal(mount.id, 36);
	assert_int_equal(mount.parent, 35);
	assert_true(mount.dev == makedev(259, 1));
	assert_string_equal(mount.root, "/sub");
	assert_string_equal(mount.point, "/mnt/data");
	assert_string_equal(mount.options, "rw,noatime");
	assert_string_equal(mount.propagation, "shared:13 master:2");
	assert_string_equal(mount.fstype, "xfs");
	assert_string_equal(mount.source, "/dev/pmem0");
	assert_string_equal(mount.super_options, "rw,dax=always");
}

static void a_private_mount_has_no_propagation(void **state)
{
	struct mount mount;

	(void)state;
	assert_int_equal(parse("36 35 259:1 / /mnt rw - xfs /dev/pmem0 rw", &mount), 0);
	assert_string_equal(mount.propagation, "");
}

static void a_slave_follows_its_master(void **state)
{
	struct mount mount;

	(void)state;
	assert_int_equal(parse("36 35 259:1 / /mnt rw master:13 - xfs /dev/pmem0 rw", &mount), 0);
	assert_string_equal(mount.propagation, "master:13");
	assert_int_equal(parse("36 35 259:1 / /mnt rw shared:13 - xfs /dev/pmem0 rw", &mount), 0);
	assert_string_equal(mount.propagation, "shared:13");
}

static void escapes_in_names_are_undone(void **state)
{
	struct mount mount;

	(void)state;
	assert_int_equal(parse("1 0 259:1 /a\\040b /mnt\\011\\012\\134x rw - ext4 /dev/x\\040y rw", &mount), 0);
	assert_string_equal(mount.root, "/a b");
	assert_string_equal(mount.point, "/mnt\t\n\\x");
	assert_string_equal(mount.source, "/dev/x y");
}

static void a_name_that_looks_like_the_separator_is_a_name(void **state)
{
	struct mount mount;

	(void)state;
	assert_int_equal(parse("1 0 259:1 / /mnt/\\040-\\040xfs rw - ext4 - rw", &mount), 0);
	assert_string_equal(mount.point, "/mnt/ - xfs");
	assert_string_equal(mount.fstype, "ext4");
	assert_string_equal(mount.source, "-");
}

static void an_empty_source_is_allowed(void **state)
{
	struct mount mount;

	(void)state;
	assert_int_equal(parse("1 0 0:44 / /mnt rw - tmpfs  rw", &mount), 0);
	assert_string_equal(mount.source, "");
	assert_string_equal(mount.super_options, "rw");
}

static void odd_lines_are_refused(void **state)
{
	static const char *const lines[] = {
		"",
		" ",
		"36",
		"36 35 259:1 / /mnt rw - xfs /dev/pmem0",
		"36 35 259:1 / /mnt rw xfs /dev/pmem0 rw",
		"36 35 259:1 / /mnt rw -",
		"36 35 259:1 / /mnt rw - ",
		"36 35 259 / /mnt rw - xfs /dev/pmem0 rw",
		"36 35 259:1x / /mnt rw - xfs /dev/pmem0 rw",
		"36 35 99999:1 / /mnt rw - xfs /dev/pmem0 rw",
		"-36 35 259:1 / /mnt rw - xfs /dev/pmem0 rw",
		"0x36 35 259:1 / /mnt rw - xfs /dev/pmem0 rw",
		"36garbage 35 259:1 / /mnt rw - xfs /dev/pmem0 rw",
		"99999999999999999999 35 259:1 / /mnt rw - xfs /dev/pmem0 rw",
		"36 35 259:1 / mnt rw - xfs /dev/pmem0 rw",
		"36 35 259:1  /mnt rw - xfs /dev/pmem0 rw",
	};
	struct mount mount;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(parse(lines[i], &mount), -EINVAL);
}

static void an_option_is_a_whole_word(void **state)
{
	(void)state;
	assert_true(has_option("ro", "ro"));
	assert_true(has_option("noatime,ro,x", "ro"));
	assert_false(has_option("rw,errors=remount-ro", "ro"));
	assert_false(has_option("norecovery", "ro"));
	assert_false(has_option("", "ro"));
}

static void a_namespace_is_told_by_its_inode_number(void **state)
{
	static const char *const others[] = { "net:[4026532210]",   "mnt:[4026532210",	 "mnt:[]",     "mnt:[-1]",
					      "mnt:[4026532210] x", "/mnt:[4026532210]", "mnt:[0x12]x" };
	uint64_t ino = 0;

	(void)state;
	assert_int_equal(namespace_parse("mnt:[4026532210]", &ino), 0);
	assert_int_equal(ino, 4026532210);
	for (size_t i = 0; i < COUNT_OF(others); i++)
		assert_int_equal(namespace_parse(others[i], &ino), -EINVAL);
}

static void an_overlay_tells_its_layers(void **state)
{
	static const struct {
		const char *path;
		int error;
	} wanted[] = {
		{ "/a", 0 },	{ "/b c", 0 }, { "/d:e", 0 }, { "f", -ENOENT },
		{ "/data", 0 }, { "/u,v", 0 }, { "/w", 0 },
	};
	char options[] = "rw,lowerdir=/a:/b\\040c:/d\\134:e:f::/data,upperdir=/u\\054v,workdir=/w,index=off";
	const struct mount mount = { .super_options = options, .ns = 3 };
	struct layers layers = { 0 };

	(void)state;
	assert_int_equal(layers_add(&layers, &mount, 7), 0);
	assert_int_equal(layers.list.count, COUNT_OF(wanted));
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		assert_string_equal(layers.list.items[i].path, wanted[i].path);
		assert_int_equal(layers.list.items[i].error, wanted[i].error);
		assert_int_equal(layers.list.items[i].ns, 3);
		assert_int_equal(layers.list.items[i].mount, 7);
	}
	layers_free(&layers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_gives_all_its_fields),
		cmocka_unit_test(a_private_mount_has_no_propagation),
		cmocka_unit_test(a_slave_follows_its_master),
		cmocka_unit_test(escapes_in_names_are_undone),
		cmocka_unit_test(a_name_that_looks_like_the_separator_is_a_name),
		cmocka_unit_test(an_empty_source_is_allowed),
		cmocka_unit_test(odd_lines_are_refused),
		cmocka_unit_test(an_option_is_a_whole_word),
		cmocka_unit_test(a_namespace_is_told_by_its_inode_number),
		cmocka_unit_test(an_overlay_tells_its_layers),
	};

	return cmocka_run_group_tests_name("holders-mountinfo", tests, NULL, NULL);
}
