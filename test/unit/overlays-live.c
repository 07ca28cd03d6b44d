// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Overlays of this machine, on a tmpfs of ours in a mount namespace of ours:
 * found by their layers, taken away and put back. Needs root; else skipped.
 */
#include <errno.h>
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "retire/effects-mount.h"
#include "retire/holders/holders.h"
#include "util/root.h"

enum { SKIPPED = 77 };

static const char *const directories[] = { "/mnt/lower", "/mnt/upper", "/mnt/work", "/mnt/merged", "/mnt/other" };

static int set_up(void **state)
{
	(void)state;
	if (mount("none", "/mnt", "tmpfs", 0, NULL) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(directories); i++)
		if (mkdir(directories[i], 0700) < 0)
			return -1;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	umount("/mnt/merged");
	return umount("/mnt");
}

static void mount_overlay(const char *options)
{
	assert_return_code(mount("overlay", "/mnt/merged", "overlay", MS_NOSUID, options), errno);
}

/* What the probe finds of a file system that is ours, the tmpfs. */
static void find_overlays(struct look *look)
{
	struct device *device = array_add(&look->devices);
	struct holder *filesystem;
	struct root root;
	struct stat st;

	*device = (struct device){ .name = strdup("namespace0.0"), .mode = MODE_FSDAX };
	filesystem = look_add_holder(look, HOLDER_FILESYSTEM, 0, 0, "live");
	assert_return_code(stat("/mnt", &st), errno);
	filesystem->dev = st.st_dev;
	filesystem->filesystem.dev = st.st_dev;
	assert_return_code(root_open(&root, NULL), 0);
	assert_true(holder_kinds[HOLDER_OVERLAY]->probe(&root, look, NULL) >= 0);
	root_close(&root);
}

static const struct holder *first_of(const struct look *look, enum holder_type type)
{
	array_each(holder, &look->holders)
		if (holder->type == type)
			return holder;
	return NULL;
}

static size_t unknowns_of(const struct look *look, const char *subject)
{
	size_t count = 0;

	array_each(unknown, &look->unknowns)
		count += strcmp(unknown->subject, subject) == 0;
	return count;
}

static void an_overlay_is_found_by_any_layer(void **state)
{
	static const char *const rows[] = {
		"lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work",
		"lowerdir=/usr:/mnt/lower",
		"lowerdir=/mnt/lower:/usr",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct look look = { .initial_namespaces = true };
		struct stat st;

		mount_overlay(rows[i]);
		find_overlays(&look);
		assert_non_null(first_of(&look, HOLDER_OVERLAY));
		assert_int_equal(first_of(&look, HOLDER_OVERLAY)->on, 1);
		assert_string_equal(first_of(&look, HOLDER_MOUNT)->mount.point, "/mnt/merged");
		assert_return_code(stat("/mnt/merged", &st), errno);
		assert_true(first_of(&look, HOLDER_MOUNT)->mount.dev == st.st_dev);
		assert_int_equal(unknowns_of(&look, "/mnt/merged"), 0);
		look_free(&look);
		assert_return_code(umount("/mnt/merged"), errno);
	}
}

static void an_overlay_elsewhere_is_none(void **state)
{
	struct look look = { .initial_namespaces = true };

	(void)state;
	mount_overlay("lowerdir=/usr:/var");
	find_overlays(&look);
	assert_null(first_of(&look, HOLDER_OVERLAY));
	assert_int_equal(unknowns_of(&look, "/mnt/merged"), 0);
	look_free(&look);
}

static void an_overlay_whose_layers_have_gone_is_unknown(void **state)
{
	struct look look = { .initial_namespaces = true };

	(void)state;
	mount_overlay("lowerdir=/mnt/lower:/mnt/other");
	assert_return_code(rename("/mnt/lower", "/mnt/moved"), errno);
	assert_return_code(rename("/mnt/other", "/mnt/moved too"), errno);
	find_overlays(&look);
	assert_null(first_of(&look, HOLDER_OVERLAY));
	assert_int_equal(unknowns_of(&look, "/mnt/merged"), 1);
	look_free(&look);
}

/* In a child, as effects do it: it changes its mount namespace. */
static int in_child(int (*call)(void *, int *), struct mount_work *work)
{
	int status, fd = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(-call(work, &fd));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

static void it_is_put_back_as_it_was(void **state)
{
	struct look look = { .initial_namespaces = true }, again = { .initial_namespaces = true };
	const struct mount *was, *now;
	struct mount_work work = { .kept = -1 };

	(void)state;
	mount_overlay("lowerdir=/mnt/lower:/mnt/other,upperdir=/mnt/upper,workdir=/mnt/work,redirect_dir=on");
	find_overlays(&look);
	was = &first_of(&look, HOLDER_MOUNT)->mount;
	assert_null(mount_why_once(was));
	work.mount = was;
	work.ns = look.namespaces.items[was->ns].fd;
	assert_int_equal(in_child(mount_detach, &work), 0);
	assert_int_equal(umount("/mnt/merged"), -1);
	assert_int_equal(in_child(mount_attach, &work), 0);
	find_overlays(&again);
	now = &first_of(&again, HOLDER_MOUNT)->mount;
	assert_string_equal(now->point, was->point);
	assert_string_equal(now->source, was->source);
	assert_string_equal(now->options, was->options);
	assert_string_equal(now->super_options, was->super_options);
	look_free(&look);
	look_free(&again);
}

/* Is there overlayfs, and may we mount it? */
static bool make_place(void)
{
	bool there;

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	there = mount("overlay", "/mnt", "overlay", 0, "lowerdir=/usr:/var") == 0;
	return there && umount("/mnt") == 0;
}

#define LIVE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(an_overlay_is_found_by_any_layer),
		LIVE_TEST(an_overlay_elsewhere_is_none),
		LIVE_TEST(an_overlay_whose_layers_have_gone_is_unknown),
		LIVE_TEST(it_is_put_back_as_it_was),
	};

	return make_place() ? cmocka_run_group_tests(tests, NULL, NULL) : SKIPPED;
}
