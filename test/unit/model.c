// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The graph of what holds a device: who rests on whom.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "retire/model.h"
#include "util/array.h"

/*
 * pmem0 with a partition, XFS on it, mounted at /mnt/data; below that mount
 * another file system is mounted, and a process is in there.
 */
struct fixture {
	struct look look;
	int partition, filesystem, mount, foreign, process;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct device *device = array_add(&f->look.devices);
	struct holder *holder;

	*device = (struct device){ .name = strdup("namespace0.0"),
				   .blockdev = strdup("pmem0"),
				   .dev = makedev(259, 0) };
	holder = look_add_holder(&f->look, HOLDER_PARTITION, 0, 0, "pmem0p1");
	holder->dev = makedev(259, 1);
	f->partition = holder->id;
	holder = look_add_holder(&f->look, HOLDER_FILESYSTEM, 0, f->partition, "xfs on %s", "pmem0p1");
	holder->dev = makedev(259, 1);
	holder->filesystem.fstype = strdup("xfs");
	f->filesystem = holder->id;
	holder = look_add_holder(&f->look, HOLDER_MOUNT, 0, f->filesystem, "/mnt/data");
	holder->mount.point = strdup("/mnt/data");
	f->mount = holder->id;
	holder = look_add_holder(&f->look, HOLDER_MOUNT, 0, 0, "/mnt/data/tmp");
	holder->mount.foreign = true;
	holder->inside = f->mount;
	f->foreign = holder->id;
	holder = look_add_holder(&f->look, HOLDER_PROCESS, 0, f->foreign, "%s[%d]", "fio", 812);
	holder->process.path = strdup("/mnt/data/tmp/job.0");
	f->process = holder->id;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	look_free(&f->look);
	free(f);
	return 0;
}

static bool rests(const struct fixture *f, int holder, int on)
{
	return look_rests_on(&f->look, look_holder(&f->look, holder), on);
}

static void holders_are_numbered_in_the_order_found(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(f->partition, 1);
	assert_int_equal(f->process, 5);
	assert_string_equal(look_holder(&f->look, 5)->name, "fio[812]");
	assert_int_equal(look_holder(&f->look, 5)->process.pidfd, -1);
}

static void an_id_that_is_none_finds_nobody(void **state)
{
	struct fixture *f = *state;

	assert_null(look_holder(&f->look, 0));
	assert_null(look_holder(&f->look, -1));
	assert_null(look_holder(&f->look, 6));
}

static void a_place_is_found_by_its_device_number(void **state)
{
	struct fixture *f = *state;
	int device;

	assert_ptr_equal(look_place(&f->look, makedev(259, 1), &device), look_holder(&f->look, f->partition));
	assert_int_equal(device, -1);
	assert_null(look_place(&f->look, makedev(259, 0), &device));
	assert_int_equal(device, 0);
	assert_null(look_place(&f->look, makedev(8, 0), &device));
	assert_int_equal(device, -1);
}

static void nothing_has_device_number_zero(void **state)
{
	struct fixture *f = *state;
	int device;

	f->look.devices.items[0].dev = 0;
	assert_null(look_place(&f->look, 0, &device));
	assert_int_equal(device, -1);
	assert_null(look_filesystem(&f->look, 0));
}

static void a_file_system_is_told_from_the_place_it_is_on(void **state)
{
	struct fixture *f = *state;

	assert_ptr_equal(look_filesystem(&f->look, makedev(259, 1)), look_holder(&f->look, f->filesystem));
	assert_null(look_filesystem(&f->look, makedev(259, 0)));
}

static void everything_rests_on_what_is_below_it(void **state)
{
	struct fixture *f = *state;

	assert_true(rests(f, f->mount, f->partition));
	assert_true(rests(f, f->mount, f->filesystem));
	assert_true(rests(f, f->process, f->partition));
	assert_false(rests(f, f->partition, f->mount));
	assert_false(rests(f, f->filesystem, f->process));
}

static void a_mount_inside_another_rests_on_it(void **state)
{
	struct fixture *f = *state;

	assert_true(rests(f, f->foreign, f->mount));
	assert_true(rests(f, f->foreign, f->filesystem));
	assert_true(rests(f, f->process, f->mount));
}

static void nobody_rests_on_himself(void **state)
{
	struct fixture *f = *state;

	for (int id = f->partition; id <= f->process; id++)
		assert_false(rests(f, id, id));
}

static void a_circle_of_mounts_ends(void **state)
{
	struct fixture *f = *state;

	look_holder(&f->look, f->mount)->inside = f->foreign;
	assert_true(rests(f, f->mount, f->foreign));
	assert_false(rests(f, f->mount, 99));
}

static void people_are_told_the_block_device_below(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(look_on_name(&f->look, look_holder(&f->look, f->mount)), "pmem0p1");
	assert_string_equal(look_on_name(&f->look, look_holder(&f->look, f->filesystem)), "pmem0p1");
	assert_string_equal(look_on_name(&f->look, look_holder(&f->look, f->partition)), "pmem0");
}

static void a_device_without_a_node_is_called_by_its_name(void **state)
{
	struct fixture *f = *state;
	struct device *device = &f->look.devices.items[0];

	free(device->blockdev);
	device->blockdev = NULL;
	assert_string_equal(look_on_name(&f->look, look_holder(&f->look, f->partition)), "namespace0.0");
}

static void what_could_not_be_looked_at_is_kept(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(look_add_unknown(&f->look, "process 812", "%s", "Permission denied"), 0);
	assert_int_equal(f->look.unknowns.count, 1);
	assert_string_equal(f->look.unknowns.items[0].subject, "process 812");
	assert_string_equal(f->look.unknowns.items[0].reason, "Permission denied");
}

static void a_second_look_starts_with_the_devices_alone(void **state)
{
	struct fixture *f = *state;

	look_add_unknown(&f->look, "x", "y");
	look_forget_holders(&f->look);
	assert_int_equal(f->look.holders.count, 0);
	assert_int_equal(f->look.unknowns.count, 0);
	assert_int_equal(f->look.devices.count, 1);
	assert_int_equal(look_add_holder(&f->look, HOLDER_SWAP, 0, 0, "swap")->id, 1);
}

static void descriptors_go_with_the_look(void **state)
{
	struct fixture *f = *state;
	int pidfd = open("/dev/null", O_RDONLY), fd = open("/dev/null", O_RDONLY);

	look_holder(&f->look, f->process)->process.pidfd = pidfd;
	((struct mount_namespace *)array_add(&f->look.namespaces))->fd = fd;
	look_free(&f->look);
	assert_int_equal(fcntl(pidfd, F_GETFD), -1);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(f->look.devices.count, 0);
}

static void words_are_those_of_the_contract(void **state)
{
	(void)state;
	assert_string_equal(evict_level_name(EVICT_NONE), "none");
	assert_string_equal(evict_level_name(EVICT_KILL), "kill");
	assert_string_equal(device_type_name(DEVICE_PMEM_NAMESPACE), "pmem-namespace");
	assert_string_equal(device_mode_name(MODE_FSDAX), "fsdax");
	assert_string_equal(device_mode_name(MODE_DEVDAX), "devdax");
	assert_string_equal(device_mode_name(MODE_SECTOR), "sector");
	assert_string_equal(device_mode_name(MODE_RAW), "raw");
}

static void an_overlay_is_mounted_again_only_when_its_options_are_told(void **state)
{
	static const struct {
		const char *options;
		bool once;
	} rows[] = {
		{ "rw,lowerdir=/a,upperdir=/u,workdir=/w", false },
		{ "ro,lowerdir=/a:/b::/c,redirect_dir=on,index=off", false },
		{ "rw,lowerdir+=/a,datadir+=/b,upperdir=/u,workdir=/w", false },
		{ "rw,lowerdir=/a,upperdir=/u,workdir=/w,volatile", true },
		{ "rw,lowerdir=a,upperdir=/u,workdir=/w", true },
		{ "rw,lowerdir=/a:b", true },
		{ "rw,lowerdir+=a", true },
		{ "rw,lowerdir=/a,upperdir=u", true },
		{ "rw,lowerdir=/a\\054b", true },
	};
	struct mount mount = { .fstype = (char[]){ "overlay" }, .options = (char[]){ "rw" } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char options[64];

		snprintf(options, sizeof(options), "%s", rows[i].options);
		mount.super_options = options;
		assert_int_equal(mount_why_once(&mount) != NULL, rows[i].once);
	}
}

#define in_graph(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_graph(holders_are_numbered_in_the_order_found),
		in_graph(an_id_that_is_none_finds_nobody),
		in_graph(a_place_is_found_by_its_device_number),
		in_graph(nothing_has_device_number_zero),
		in_graph(a_file_system_is_told_from_the_place_it_is_on),
		in_graph(everything_rests_on_what_is_below_it),
		in_graph(a_mount_inside_another_rests_on_it),
		in_graph(nobody_rests_on_himself),
		in_graph(a_circle_of_mounts_ends),
		in_graph(people_are_told_the_block_device_below),
		in_graph(a_device_without_a_node_is_called_by_its_name),
		in_graph(what_could_not_be_looked_at_is_kept),
		in_graph(a_second_look_starts_with_the_devices_alone),
		in_graph(descriptors_go_with_the_look),
		cmocka_unit_test(an_overlay_is_mounted_again_only_when_its_options_are_told),
		cmocka_unit_test(words_are_those_of_the_contract),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
