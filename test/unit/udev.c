// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules of udev that blocks of memory pass by: in directories of this test's own. */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "retire/effects-udev.h"
#include "util/cleanup.h"
#include "util/root.h"

#define ONLINE	  "SUBSYSTEM==\"memory\", ACTION==\"add\", ATTR{state}=\"online\"\n"
#define RUN_RULES "/run/udev/rules.d/"
#define LIB_RULES "/usr/lib/udev/rules.d/"

static struct memory_block two_blocks[] = { { 33, MEMORY_ONLINE, ZONE_MOVABLE },
					    { 40, MEMORY_OFFLINE, ZONE_UNKNOWN } };
static const struct system_ram memory = { .block_size = 1 << 27, .blocks = { two_blocks, 2, 2 } };

static void put(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static bool has(const char *path, const char *text)
{
	struct root root = { .fd = AT_FDCWD };
	_cleanup_free_ char *found = NULL;

	return root_readf(&root, 1 << 20, &found, "%s", path) >= 0 && strstr(found, text);
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Nothing of this machine's own is seen or changed from here on. */
static bool hide(const char *path)
{
	return is_there(path) && mount("none", path, "tmpfs", 0, NULL) == 0;
}

static int fresh(void **state)
{
	static const char *const directories[] = { "/run/udev",	    "/run/udev/rules.d",
						   "/usr/lib/udev", "/usr/lib/udev/rules.d",
						   "/etc/udev",	    "/etc/udev/rules.d" };

	(void)state;
	if (!hide("/run") || !hide("/usr/lib/udev") || !hide("/etc/udev"))
		return -1;
	for (size_t i = 0; i < COUNT_OF(directories); i++)
		mkdir(directories[i], 0755);
	put(LIB_RULES "40-vm.rules", ONLINE);
	put(LIB_RULES "60-block.rules", "SUBSYSTEM==\"block\", OPTIONS+=\"watch\"");
	return 0;
}

static int drop(void **state)
{
	(void)state;
	return umount("/run") < 0 || umount("/usr/lib/udev") < 0 || umount("/etc/udev") < 0 ? -1 : 0;
}

static void rules_about_memory_get_a_copy_that_lets_blocks_pass(void **state)
{
	(void)state;
	/* there is no udevd to be told: 1 */
	assert_true(udev_keep_offline(&memory) >= 0);
	assert_true(has(RUN_RULES "40-vm.rules", ONLINE));
	assert_true(
		has(RUN_RULES "40-vm.rules",
		    "\nSUBSYSTEM==\"memory\", TEST==\"/run/dax-retire/offline/%k\", GOTO=\"dax_retire_end\"\n"));
	assert_true(has(RUN_RULES "40-vm.rules", "\nLABEL=\"dax_retire_end\"\n"));
	assert_false(is_there(RUN_RULES "60-block.rules"));
	assert_true(is_there("/run/dax-retire/offline/memory33"));
	assert_true(is_there("/run/dax-retire/offline/memory40"));
	/* a second device adds its own */
	assert_true(udev_keep_offline(&memory) >= 0);
	assert_int_equal(udev_let_online(), 0);
	assert_false(is_there(RUN_RULES "40-vm.rules"));
	assert_false(is_there("/run/dax-retire/offline"));
	assert_int_equal(udev_let_online(), 1);
}

static void what_people_have_put_there_stays(void **state)
{
	(void)state;
	put("/etc/udev/rules.d/40-vm.rules", ONLINE);
	put(RUN_RULES "50-theirs.rules", ONLINE);
	put(LIB_RULES "50-theirs.rules", ONLINE "# of the distribution\n");
	assert_true(udev_keep_offline(&memory) >= 0);
	assert_false(is_there(RUN_RULES "40-vm.rules"));
	assert_false(has(RUN_RULES "50-theirs.rules", "dax_retire"));
	assert_true(udev_let_online() >= 0);
	assert_true(is_there(RUN_RULES "50-theirs.rules"));
}

static void without_udev_there_is_nothing_to_keep_off(void **state)
{
	(void)state;
	rmdir("/run/udev/rules.d");
	rmdir("/run/udev");
	assert_int_equal(udev_keep_offline(&memory), 1);
	assert_false(is_there("/run/udev"));
	assert_true(udev_let_online() >= 0);
	assert_false(is_there("/run/dax-retire/offline"));
}

#define in_place(test) cmocka_unit_test_setup_teardown(test, fresh, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_place(rules_about_memory_get_a_copy_that_lets_blocks_pass),
		in_place(what_people_have_put_there_stays),
		in_place(without_udev_there_is_nothing_to_keep_off),
	};

	/* where that is not allowed, there is nothing to be tested */
	if (!is_there("/usr/lib/udev") || !is_there("/etc/udev") || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
