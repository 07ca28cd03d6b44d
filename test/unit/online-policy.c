// SPDX-License-Identifier: GPL-2.0-or-later
/* The policy for new memory is back, whatever becomes of a bind. In a tree an attribute that hangs is a pipe. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "retire/targets/dax.h"
#include "retire/targets/online-policy.h"
#include "test/unit/tree-root.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/root.h"

#define POLICY "/sys/devices/system/memory/auto_online_blocks"
#define KMEM   "/sys/bus/dax/drivers/kmem"

struct fixture {
	struct place place;
};

/* A file is not cut when less is written, as an attribute is: so one as long as "offline" */
static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	place_open(&f->place);
	tree_text(&f->place.tree, POLICY, "movable");
	tree_text(&f->place.tree, "/sys/devices/platform/dax0.0/size", "4096\n");
	tree_link(&f->place.tree, "/sys/bus/dax/devices/dax0.0", "../../../devices/platform/dax0.0");
	tree_text(&f->place.tree, KMEM "/new_id", "");
	tree_text(&f->place.tree, KMEM "/bind", "");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	place_close(&f->place);
	free(f);
	return 0;
}

static bool policy_is(struct fixture *f, const char *wanted)
{
	_cleanup_free_ char *now = root_attributef(&f->place.root, POLICY);

	return now && strcmp(now, wanted) == 0;
}

static void await_policy(struct fixture *f, const char *wanted)
{
	struct deadline patience = deadline_in(20000);

	while (!policy_is(f, wanted)) {
		assert_false(deadline_passed(patience));
		wait_readable(-1, -1, deadline_in(5));
	}
}

/* Opening a pipe that nobody reads does not come back. */
static void make_bind_hang(struct fixture *f)
{
	char path[512];

	snprintf(path, sizeof(path), "%s" KMEM "/new_id", f->place.tree.path);
	assert_return_code(unlink(path), errno);
	assert_return_code(mkfifo(path, 0600), errno);
}

static pid_t start_bind(struct fixture *f)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(dax_switch_driver(&f->place.root, "dax0.0", "kmem") < 0);
	return pid;
}

static void it_is_offline_for_as_long_as_it_is_held(void **state)
{
	struct fixture *f = *state;
	struct online_policy policy;

	assert_int_equal(online_policy_set_offline(&f->place.root, &policy), 0);
	assert_true(policy_is(f, "offline"));
	online_policy_put_back(&policy);
	assert_true(policy_is(f, "movable"));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void it_is_back_after_a_bind_that_fails(void **state)
{
	struct fixture *f = *state;

	assert_true(dax_switch_driver(&f->place.root, "dax0.0", "kmem") < 0);
	assert_true(policy_is(f, "movable"));
}

static void it_is_back_after_a_bind_that_was_killed(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	make_bind_hang(f);
	pid = start_bind(f);
	await_policy(f, "offline");
	/* it hangs, and what it may add later is still to be offline */
	wait_readable(-1, -1, deadline_in(200));
	assert_true(policy_is(f, "offline"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	await_policy(f, "movable");
}

static void what_somebody_else_wants_meanwhile_stays(void **state)
{
	struct fixture *f = *state;
	struct online_policy policy;

	assert_int_equal(online_policy_set_offline(&f->place.root, &policy), 0);
	tree_text(&f->place.tree, POLICY, "online\n");
	online_policy_put_back(&policy);
	assert_true(policy_is(f, "online"));
}

static void where_memory_stays_offline_anyway_nothing_is_written(void **state)
{
	struct fixture *f = *state;
	struct online_policy policy;

	tree_text(&f->place.tree, POLICY, "offline\n");
	assert_int_equal(online_policy_set_offline(&f->place.root, &policy), 0);
	assert_int_equal(policy.keeper, -1);
	online_policy_put_back(&policy);
	assert_true(policy_is(f, "offline"));
}

/* Whoever waits for the end of what we started waits for its descriptors. */
static void nothing_else_is_kept_open(void **state)
{
	struct fixture *f = *state;
	struct online_policy policy;
	int ends[2];
	char byte;

	assert_return_code(pipe2(ends, O_CLOEXEC), errno);
	assert_int_equal(online_policy_set_offline(&f->place.root, &policy), 0);
	close(ends[1]);
	assert_int_equal(wait_readable(ends[0], -1, deadline_in(10000)), 1);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
	online_policy_put_back(&policy);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(it_is_offline_for_as_long_as_it_is_held),
		TEST(it_is_back_after_a_bind_that_fails),
		TEST(it_is_back_after_a_bind_that_was_killed),
		TEST(what_somebody_else_wants_meanwhile_stays),
		TEST(where_memory_stays_offline_anyway_nothing_is_written),
		TEST(nothing_else_is_kept_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
