// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "retire/holders/procfs.h"

#define TAIL " S 1 812 812 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 5123 4096"

static void a_stat_line_gives_parent_and_start_time(void **state)
{
	struct proc_stat stat;

	(void)state;
	assert_int_equal(stat_parse("812 (fio)" TAIL, &stat), 0);
	assert_int_equal(stat.pid, 812);
	assert_string_equal(stat.comm, "fio");
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.parent, 1);
	assert_int_equal(stat.starttime, 5123);
	assert_false(stat.kernel_thread);
}

static void a_comm_cannot_forge_the_fields_behind_it(void **state)
{
	struct proc_stat stat;

	(void)state;
	assert_int_equal(stat_parse("812 (x) Z 7 (\n) ()" TAIL, &stat), 0);
	assert_string_equal(stat.comm, "x) Z 7 (\n) (");
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.parent, 1);
	assert_int_equal(stat.starttime, 5123);
}

static void a_kernel_thread_is_known_by_its_flag(void **state)
{
	struct proc_stat stat;

	(void)state;
	assert_int_equal(stat_parse("2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 1 0", &stat), 0);
	assert_true(stat.kernel_thread);
	assert_int_equal(stat.parent, 0);
}

static void a_long_comm_is_cut(void **state)
{
	struct proc_stat stat;
	char text[512];

	(void)state;
	snprintf(text, sizeof(text), "9 (%0200d)" TAIL, 0);
	assert_int_equal(stat_parse(text, &stat), 0);
	assert_int_equal(strlen(stat.comm), 63);
}

static void broken_stat_lines_are_refused(void **state)
{
	static const char *const lines[] = { "",
					     "812",
					     "812 (fio",
					     "812 fio)",
					     ")(",
					     "812 (fio)",
					     "812 (fio) S",
					     "812 (fio) S 1 812",
					     "x (fio)" TAIL,
					     "-1 (fio)" TAIL,
					     "99999999999 (fio)" TAIL,
					     "812 (fio) S -1 1 1 1 1 1 1" };
	struct proc_stat stat;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(stat_parse(lines[i], &stat), -EINVAL);
}

static void the_real_uid_is_the_first(void **state)
{
	uid_t uid;

	(void)state;
	assert_int_equal(status_parse_uid("Name:\tUid:\\n\nUmask:\t0022\nUid:\t1000\t0\t0\t0\n", &uid), 0);
	assert_int_equal(uid, 1000);
	assert_int_equal(status_parse_uid("Name:\tx\n", &uid), -EINVAL);
	assert_int_equal(status_parse_uid("Name:\tx\nUid:\t-1\n", &uid), -EINVAL);
}

static void expect_unit(const char *cgroup, const char *wanted)
{
	char *unit = cgroup_parse_unit(cgroup);

	if (wanted)
		assert_string_equal(unit, wanted);
	else
		assert_null(unit);
	free(unit);
}

static void a_service_is_the_unit_of_its_processes(void **state)
{
	(void)state;
	expect_unit("0::/system.slice/bench.service\n", "bench.service");
	expect_unit("0::/system.slice/system-getty.slice/getty@tty1.service\n", "getty@tty1.service");
	expect_unit("0::/system.slice/bench.service/workers/3\n", "bench.service");
	expect_unit("0::/init.scope\n", "init.scope");
}

static void a_user_session_is_the_unit_of_its_processes(void **state)
{
	(void)state;
	expect_unit("0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope");
	expect_unit("0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service\n", "user@1000.service");
}

static void a_container_is_its_scope(void **state)
{
	(void)state;
	expect_unit("0::/system.slice/docker-0123abcd.scope\n", "docker-0123abcd.scope");
	expect_unit("0::/machine.slice/machine-a\\x2db.scope/payload\n", "machine-a\\x2db.scope");
}

static void systemd_escapes_are_undone(void **state)
{
	(void)state;
	expect_unit("0::/system.slice/_cpu.service\n", "cpu.service");
}

static void the_named_hierarchy_serves_where_version_two_tells_nothing(void **state)
{
	(void)state;
	expect_unit("12:name=systemd:/system.slice/a.service\n3:cpu:/x\n0::/\n", "a.service");
	expect_unit("1:name=systemd:/system.slice/a.service\n", "a.service");
}

static void what_is_no_unit_is_none(void **state)
{
	(void)state;
	expect_unit("", NULL);
	expect_unit("0::/\n", NULL);
	expect_unit("0::/docker/0123abcd\n", NULL);
	expect_unit("0::/../other.service\n", NULL);
	expect_unit("0::/system.slice\n", NULL);
	expect_unit("0::/system.slice/.service\n", NULL);
	expect_unit("0::/system.slice/@.service\n", NULL);
	expect_unit("0::/system.slice/a b.service\n", NULL);
	expect_unit("0::/system.slice/gone.service (deleted)\n", NULL);
	expect_unit("garbage", NULL);
}

static void a_mapping_gives_its_inode(void **state)
{
	struct maps_line maps;

	(void)state;
	assert_int_equal(maps_parse("7f0000000000-7f0000001000 rw-s 00000000 103:00001 131 /mnt/a b\n", &maps), 0);
	assert_true(maps.start == 0x7f0000000000 && maps.end == 0x7f0000001000);
	assert_true(maps.dev == makedev(0x103, 1));
	assert_int_equal(maps.ino, 131);
	assert_int_equal(maps_parse("7f00-7f01 rw-p 00000000 00:00 0\n", &maps), 0);
	assert_int_equal(maps.ino, 0);
}

static void broken_mappings_are_refused(void **state)
{
	static const char *const lines[] = { "",
					     "7f00",
					     "7f00-",
					     "7f00-7f01",
					     "7f00-7f01 rw-s",
					     "7f00-7f01 rw-s 0",
					     "7f00-7f01 rw-s 0 8",
					     "7f00-7f01 rw-s 0 8:1",
					     "7f00-7f01 rw-s 0 8:1 x",
					     "-7f00-7f01 rw-s 0 8:1 5",
					     "7f00-7f01 rw-s 0 1000:1 5",
					     "11111111111111111-2 rw-s 0 8:1 5" };
	struct maps_line maps;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(maps_parse(lines[i], &maps), -EINVAL);
}

static void a_swap_line_gives_size_and_priority(void **state)
{
	char line[] = "/dev/pmem0p2                            partition\t1048572\t\t512\t\t-2";
	struct swap_line swap;

	(void)state;
	assert_int_equal(swap_parse(line, &swap), 0);
	assert_string_equal(swap.path, "/dev/pmem0p2");
	assert_false(swap.file || swap.deleted);
	assert_int_equal(swap.size, 1048572UL * 1024);
	assert_int_equal(swap.used, 512 * 1024);
	assert_int_equal(swap.priority, -2);
}

static void a_deleted_swap_file_is_known_as_such(void **state)
{
	char line[] = "/mnt/s\\040w\\040(deleted)\tfile\t4\t0\t5";
	struct swap_line swap;

	(void)state;
	assert_int_equal(swap_parse(line, &swap), 0);
	assert_string_equal(swap.path, "/mnt/s w");
	assert_true(swap.file && swap.deleted);
}

static void broken_swap_lines_are_refused(void **state)
{
	static const char *const lines[] = { "",
					     "/dev/x",
					     "/dev/x partition",
					     "/dev/x partition 1 2",
					     "x file 1 2 3",
					     "/dev/x other 1 2 3",
					     "/dev/x file -1 2 3",
					     "/dev/x file 1 2 99999",
					     "/dev/x file 18446744073709551615 0 0" };
	struct swap_line swap;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char copy[128];

		snprintf(copy, sizeof(copy), "%s", lines[i]);
		assert_int_equal(swap_parse(copy, &swap), -EINVAL);
	}
}

static void a_socket_with_a_name_gives_its_inode(void **state)
{
	uint64_t ino = 0;

	(void)state;
	assert_int_equal(unix_parse("ffff9a: 00000002 00000000 00010000 0001 01 12345 /run/a socket\n", &ino), 0);
	assert_int_equal(ino, 12345);
	/* short numbers are padded */
	assert_int_equal(unix_parse("ffff9a: 00000002 00000000 00010000 0001 01    77 @abstract\n", &ino), 0);
	assert_int_equal(ino, 77);
}

static void sockets_without_a_name_and_broken_lines_are_refused(void **state)
{
	static const char *const lines[] = {
		"",
		"Num       RefCount Protocol Flags    Type St Inode Path\n",
		"ffff9a: 00000003 00000000 00000000 0001 03 12345\n",
		"ffff9a: 00000003 00000000 00000000 0001 03 0 /run/x\n",
		"ffff9a: 00000003 00000000 00000000 0001 03 -5 /run/x\n",
		"of a name\n",
	};
	uint64_t ino;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(unix_parse(lines[i], &ino), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stat_line_gives_parent_and_start_time),
		cmocka_unit_test(a_comm_cannot_forge_the_fields_behind_it),
		cmocka_unit_test(a_kernel_thread_is_known_by_its_flag),
		cmocka_unit_test(a_long_comm_is_cut),
		cmocka_unit_test(broken_stat_lines_are_refused),
		cmocka_unit_test(the_real_uid_is_the_first),
		cmocka_unit_test(a_service_is_the_unit_of_its_processes),
		cmocka_unit_test(a_user_session_is_the_unit_of_its_processes),
		cmocka_unit_test(a_container_is_its_scope),
		cmocka_unit_test(systemd_escapes_are_undone),
		cmocka_unit_test(the_named_hierarchy_serves_where_version_two_tells_nothing),
		cmocka_unit_test(what_is_no_unit_is_none),
		cmocka_unit_test(a_mapping_gives_its_inode),
		cmocka_unit_test(broken_mappings_are_refused),
		cmocka_unit_test(a_swap_line_gives_size_and_priority),
		cmocka_unit_test(a_deleted_swap_file_is_known_as_such),
		cmocka_unit_test(broken_swap_lines_are_refused),
		cmocka_unit_test(a_socket_with_a_name_gives_its_inode),
		cmocka_unit_test(sockets_without_a_name_and_broken_lines_are_refused),
	};

	return cmocka_run_group_tests_name("holders-procfs", tests, NULL, NULL);
}
