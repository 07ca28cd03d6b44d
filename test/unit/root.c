// SPDX-License-Identifier: GPL-2.0-or-later
/* A root that nothing leads out of, and reads that have a bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/unit/tree-root.h"
#include "util/cleanup.h"

static void links_do_not_lead_out_of_a_recorded_tree(void **state)
{
	struct place *place = *state;
	_cleanup_free_ char *absolute = NULL, *upwards = NULL;

	tree_text(&place->tree, "/etc/passwd", "inside\n");
	tree_link(&place->tree, "/absolute", "/etc/passwd");
	tree_link(&place->tree, "/sys/upwards", "../../../../../../../../etc/passwd");
	tree_link(&place->tree, "/outside", "/etc/hostname");
	absolute = root_attributef(&place->root, "/absolute");
	upwards = root_attributef(&place->root, "/sys/upwards");
	assert_string_equal(absolute, "inside");
	assert_string_equal(upwards, "inside");
	assert_false(root_existsf(&place->root, "/outside"));
	assert_false(root_existsf(&place->root, "/../../../../../../etc/hostname"));
	assert_true(place->root.recorded);
}

static void a_recorded_tree_has_no_way_out_through_directories(void **state)
{
	struct place *place = *state;
	_cleanup_closedir_ DIR *dir = NULL;

	tree_link(&place->tree, "/sys/class", "/usr");
	dir = root_opendirf(&place->root, "/sys/class");
	assert_null(dir);
	assert_int_equal(errno, ENOENT);
}

static void a_link_is_read_as_it_stands(void **state)
{
	struct place *place = *state;
	_cleanup_free_ char *target = NULL;

	tree_link(&place->tree, "/sys/driver", "../../../bus/nd/drivers/nd_pmem");
	tree_text(&place->tree, "/sys/file", "");
	target = root_readlinkf(&place->root, "/sys/%s", "driver");
	assert_string_equal(target, "../../../bus/nd/drivers/nd_pmem");
	assert_null(root_readlinkf(&place->root, "/sys/file"));
	assert_null(root_readlinkf(&place->root, "/sys/nothing"));
	assert_int_equal(errno, ENOENT);
}

static void a_file_is_read_up_to_its_bound(void **state)
{
	struct place *place = *state;
	_cleanup_free_ char *text = NULL;
	char *unset = NULL;

	tree_text(&place->tree, "/proc/swaps", "0123456789");
	assert_int_equal(root_readf(&place->root, 10, &text, "/proc/swaps"), 10);
	assert_string_equal(text, "0123456789");
	assert_int_equal(root_readf(&place->root, 9, &unset, "/proc/swaps"), -E2BIG);
	assert_int_equal(root_readf(&place->root, 9, &unset, "/proc/none"), -ENOENT);
	assert_null(unset);
}

static void a_large_file_is_read_whole(void **state)
{
	struct place *place = *state;
	_cleanup_free_ char *data = malloc(100000), *text = NULL;

	memset(data, 'x', 100000);
	tree_write(&place->tree, "/large", data, 100000);
	assert_int_equal(root_readf(&place->root, 1 << 20, &text, "/large"), 100000);
	assert_memory_equal(text, data, 100000);
	assert_int_equal(text[100000], '\0');
}

static void an_attribute_is_its_first_line(void **state)
{
	struct place *place = *state;
	_cleanup_free_ char *line = NULL, *empty = NULL;
	char long_line[5000];

	tree_text(&place->tree, "/sys/holder", "pfn0.0\nmore\n");
	tree_text(&place->tree, "/sys/empty", "");
	memset(long_line, 'x', sizeof(long_line));
	tree_write(&place->tree, "/sys/long", long_line, sizeof(long_line));
	line = root_attributef(&place->root, "/sys/holder");
	empty = root_attributef(&place->root, "/sys/empty");
	assert_string_equal(line, "pfn0.0");
	assert_string_equal(empty, "");
	assert_null(root_attributef(&place->root, "/sys/long"));
	assert_int_equal(errno, E2BIG);
}

static void numbers_and_devices_are_read_strictly(void **state)
{
	struct place *place = *state;
	uint64_t number = 0;
	dev_t dev = 0;

	tree_text(&place->tree, "/size", "0x40000000\n");
	tree_text(&place->tree, "/dev", "259:3\n");
	tree_text(&place->tree, "/garbage", "0garbage\n");
	assert_int_equal(root_numberf(&place->root, &number, "/size"), 0);
	assert_int_equal(number, 1 << 30);
	assert_int_equal(root_devf(&place->root, &dev, "/dev"), 0);
	assert_true(dev == makedev(259, 3));
	assert_int_equal(root_numberf(&place->root, &number, "/garbage"), -EINVAL);
	assert_int_equal(root_devf(&place->root, &dev, "/garbage"), -EINVAL);
	assert_int_equal(root_numberf(&place->root, &number, "/none"), -ENOENT);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
	struct place *place = *state;
	char name[PATH_MAX + 1];

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(root_openf(&place->root, O_RDONLY, "/%s", name), -ENAMETOOLONG);
	assert_null(root_attributef(&place->root, "/%s", name));
	assert_int_equal(errno, ENAMETOOLONG);
}

static void the_running_machine_is_the_default_root(void **state)
{
	struct root root;

	(void)state;
	assert_int_equal(root_open(&root, NULL), 0);
	assert_false(root.recorded);
	assert_true(root_existsf(&root, "/proc/self"));
	root_close(&root);
	assert_int_equal(root_open(&root, "/"), 0);
	assert_false(root.recorded);
	root_close(&root);
	assert_int_equal(root_open(&root, "/no/such/directory"), -ENOENT);
}

static void descriptors_do_not_leak_into_programs(void **state)
{
	struct place *place = *state;
	_cleanup_close_ int fd = -1;

	tree_text(&place->tree, "/file", "");
	fd = root_openf(&place->root, O_RDONLY, "/file");
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

/* In a mount namespace of its own, until the parent ends. */
static void mount_all_the_time(const char *directory)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		_exit(1);
	while (mount(directory, directory, NULL, MS_BIND, NULL) == 0 && umount(directory) == 0)
		continue;
	_exit(1);
}

/* The kernel gives up at a ".." when anything is mounted anywhere meanwhile: that is not a file that is not there.
 */
static void mounts_elsewhere_hide_nothing(void **state)
{
	struct place *place = *state;
	pid_t pid;

	tree_text(&place->tree, "/devices/a/b/c/file", "inside\n");
	tree_link(&place->tree, "/class/link", "../devices/a/b/../b/../b/c/../c/../c");
	pid = fork();
	if (pid == 0)
		mount_all_the_time("/tmp");
	for (int i = 0; i < 20000; i++)
		assert_true(root_existsf(&place->root, "/class/link/file"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_tree(links_do_not_lead_out_of_a_recorded_tree),
		in_tree(a_recorded_tree_has_no_way_out_through_directories),
		in_tree(a_link_is_read_as_it_stands),
		in_tree(a_file_is_read_up_to_its_bound),
		in_tree(a_large_file_is_read_whole),
		in_tree(an_attribute_is_its_first_line),
		in_tree(numbers_and_devices_are_read_strictly),
		in_tree(a_path_that_is_too_long_is_refused),
		cmocka_unit_test(the_running_machine_is_the_default_root),
		in_tree(descriptors_do_not_leak_into_programs),
		in_tree(mounts_elsewhere_hide_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
