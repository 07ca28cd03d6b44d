// SPDX-License-Identifier: GPL-2.0-or-later
/* A look that does not come back is given up, and one that does is had. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "retire/targets/finding.h"
#include "test/unit/tree-root.h"
#include "util/cleanup.h"

/* Nobody ever writes into it: as an attribute behind a lock that is held for ever. */
static int wait_for_ever(const char *fifo)
{
	int fd = open(fifo, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : close(fd);
}

static int hanging(const struct root *root, const struct request *request, struct look *look, struct err *err)
{
	(void)root, (void)look, (void)err;
	return wait_for_ever(request->names[0]);
}

static int hanging_again(const struct root *root, const struct look *was, struct look *look, struct err *err)
{
	(void)root, (void)look, (void)err;
	return wait_for_ever(was->devices.items[0].path);
}

static int quick_again(const struct root *root, const struct look *was, struct look *look, struct err *err)
{
	(void)root, (void)was, (void)look;
	return err_set(err, -ENODEV, "gone");
}

static int set_up(void **state)
{
	_cleanup_free_ char *fifo = NULL;
	struct place *place;

	place_make(state);
	place = *state;
	fifo = tree_place(&place->tree, "/fifo");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	/* what hangs is tried on the running machine only */
	root_close(&place->root);
	return root_open(&place->root, NULL);
}

static void a_look_that_hangs_is_given_up(void **state)
{
	struct place *place = *state;
	_cleanup_free_ char *fifo = tree_place(&place->tree, "/fifo");
	const struct request request = { .names = (const char *[]){ fifo }, .name_count = 1, .dry_run = true };

	assert_int_equal(finding_returns(hanging, &place->root, &request, NULL), 0);
}

static void a_second_look_that_hangs_is_given_up_alike(void **state)
{
	struct place *place = *state;
	struct look was = { 0 };
	struct device *device = array_add(&was.devices);

	assert_non_null(device);
	device->path = tree_place(&place->tree, "/fifo");
	assert_int_equal(finding_again_returns(hanging_again, &place->root, &was, NULL), 0);
	look_free(&was);
}

static void hang(const struct root *root, const void *what)
{
	(void)root;
	wait_for_ever(what);
}

static void whatever_only_reads_can_be_tried(void **state)
{
	struct place *place = *state;
	_cleanup_free_ char *fifo = tree_place(&place->tree, "/fifo");

	assert_false(finding_comes_back(hang, &place->root, fifo));
	assert_true(finding_comes_back(hang, &place->root, "/nowhere"));
}

/* How it ends is a matter of the look itself. */
static void one_that_comes_back_is_had_whatever_it_says(void **state)
{
	struct place *place = *state;
	struct look was = { 0 };

	assert_int_equal(finding_again_returns(quick_again, &place->root, &was, NULL), 1);
}

static void what_was_given_up_is_named(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(finding_gave_up("mem\n0", "a dax device", &err), -ETIMEDOUT);
	assert_non_null(strstr(err.message, "it is removing a dax device"));
	assert_null(strchr(err.message, '\n'));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, place_remove)
	const struct CMUnitTest tests[] = {
		TEST(a_look_that_hangs_is_given_up),	TEST(a_second_look_that_hangs_is_given_up_alike),
		TEST(whatever_only_reads_can_be_tried), TEST(one_that_comes_back_is_had_whatever_it_says),
		TEST(what_was_given_up_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
