// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The name by which something is put back: it stays where root alone decides
 * what it leads to, else what was looked at is taken by its real path, so that
 * nobody can put something else there in between.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "retire/steps/steps.h"
#include "test/unit/tree.h"
#include "util/cleanup.h"
#include "util/root.h"

enum { SOMEBODY = 4711 };

struct fixture {
	struct tree tree;
	struct root root;
	struct look look;
};

/* The whole tree is on the device; /dev is root's, /home/user is not. */
static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct device *device = array_add(&f->look.devices);
	struct stat st;
	char *home;

	tree_make(&f->tree);
	tree_text(&f->tree, "/dev/dm-0", "");
	tree_text(&f->tree, "/home/user/image", "");
	tree_link(&f->tree, "/dev/mapper/data", "../dm-0");
	tree_link(&f->tree, "/dev/mapper/far", "../../home/user/image");
	tree_link(&f->tree, "/dev/mapper/chain", "data");
	tree_link(&f->tree, "/home/user/link", "image");
	home = tree_place(&f->tree, "/home/user");
	if (stat(home, &st) < 0 || !device)
		abort();
	device->dev = st.st_dev;
	f->root.fd = open(f->tree.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	if (geteuid() == 0 && chown(home, SOMEBODY, SOMEBODY) < 0)
		abort();
	free(home);
	return f->root.fd < 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close(f->root.fd);
	free(f->look.devices.items);
	tree_remove(&f->tree);
	free(f);
	return 0;
}

/* Is `path` replaced by `expected`; NULL: refused? */
static void assert_becomes(struct fixture *f, const char *path, const char *expected)
{
	const struct execution execution = { .root = &f->root, .look = &f->look };
	const struct captured captured = { .device = 0 };
	_cleanup_free_ char *becomes = strdup(path);
	int rc = step_check_source(&execution, &captured, true, 0, &becomes, NULL);

	assert_int_equal(rc < 0, !expected);
	if (expected)
		assert_string_equal(becomes, expected);
}

/* … by where that place of the tree really is */
static void assert_becomes_real(struct fixture *f, const char *path, const char *place)
{
	_cleanup_free_ char *real = tree_place(&f->tree, place);

	assert_becomes(f, path, real);
}

static void need_root(void)
{
	if (geteuid() != 0)
		skip();
}

static void a_name_of_roots_stays(void **state)
{
	need_root();
	assert_becomes(*state, "/dev/dm-0", "/dev/dm-0");
}

static void a_link_as_udev_makes_it_stays(void **state)
{
	need_root();
	assert_becomes(*state, "/dev/mapper/data", "/dev/mapper/data");
}

static void what_lies_in_a_users_directory_is_taken_by_its_real_path(void **state)
{
	need_root();
	assert_becomes_real(*state, "/home/user/image", "/home/user/image");
	assert_becomes_real(*state, "/home/user/link", "/home/user/image");
}

static void a_link_of_roots_into_a_users_directory_is_taken_by_its_real_path(void **state)
{
	need_root();
	assert_becomes_real(*state, "/dev/mapper/far", "/home/user/image");
}

static void a_link_to_a_link_is_taken_by_its_real_path(void **state)
{
	need_root();
	assert_becomes_real(*state, "/dev/mapper/chain", "/dev/dm-0");
}

static void what_others_may_write_to_is_not_roots_alone(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *mapper = tree_place(&f->tree, "/dev/mapper");

	need_root();
	assert_int_equal(chmod(mapper, 0777), 0);
	assert_becomes_real(f, "/dev/mapper/data", "/dev/dm-0");
}

static void no_plain_path_is_refused(void **state)
{
	assert_becomes(*state, "/dev/../dev/dm-0", NULL);
	assert_becomes(*state, "dev/dm-0", NULL);
	assert_becomes(*state, "/dev//dm-0", NULL);
	assert_becomes(*state, "/dev/none", NULL);
}

#define in_tree(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_tree(a_name_of_roots_stays),
		in_tree(a_link_as_udev_makes_it_stays),
		in_tree(what_lies_in_a_users_directory_is_taken_by_its_real_path),
		in_tree(a_link_of_roots_into_a_users_directory_is_taken_by_its_real_path),
		in_tree(a_link_to_a_link_is_taken_by_its_real_path),
		in_tree(what_others_may_write_to_is_not_roots_alone),
		in_tree(no_plain_path_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
