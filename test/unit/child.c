// SPDX-License-Identifier: GPL-2.0-or-later
/* Children that are not waited for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/unit/tree-root.h"
#include "util/array.h"
#include "util/child.h"
#include "util/cleanup.h"
#include "util/clock.h"

static int answer(void *argument, int *fd)
{
	(void)fd;
	return *(int *)argument;
}

static int sleep_long(void *argument, int *fd)
{
	(void)argument, (void)fd;
	sleep(1000);
	return 0;
}

static int die(void *argument, int *fd)
{
	(void)argument, (void)fd;
	_exit(0);
}

static int die_of_a_signal(void *argument, int *fd)
{
	(void)argument, (void)fd;
	return raise(SIGKILL);
}

static int hand_over_file(void *argument, int *fd)
{
	*fd = open(argument, O_RDONLY | O_CLOEXEC);
	return *fd < 0 ? -errno : 1;
}

static void nothing_is_left(const struct child *left)
{
	assert_int_equal(left->pid, -1);
	assert_int_equal(left->pidfd, -1);
	assert_int_equal(left->socket, -1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void a_child_answers_what_its_work_returned(void **state)
{
	int answers[] = { 0, 1, -EBUSY };
	struct child left;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		assert_int_equal(child_run(answer, &answers[i], -1, deadline_in(10000), NULL, &left), answers[i]);
		nothing_is_left(&left);
	}
}

static void a_child_that_takes_too_long_is_killed(void **state)
{
	struct child left;

	(void)state;
	assert_int_equal(child_run(sleep_long, NULL, -1, deadline_in(50), NULL, &left), -ETIMEDOUT);
	nothing_is_left(&left);
}

static int work_then_answer(void *argument, int *fd)
{
	struct deadline end = deadline_in(1500);

	(void)argument, (void)fd;
	while (!deadline_passed(end))
		;
	return 7;
}

static void a_child_is_waited_for_as_long_as_it_works(void **state)
{
	struct child child;

	(void)state;
	assert_int_equal(child_start(&child, work_then_answer, NULL), 0);
	assert_int_equal(child_wait_working(&child, 500, deadline_in(10000), NULL), 7);
	assert_int_equal(child_start(&child, work_then_answer, NULL), 0);
	assert_int_equal(child_wait_working(&child, 500, deadline_in(200), NULL), -ETIMEDOUT);
	child_give_up(&child);
	assert_int_equal(child_start(&child, sleep_long, NULL), 0);
	assert_int_equal(child_wait_working(&child, 500, deadline_in(10000), NULL), -ETIMEDOUT);
	child_give_up(&child);
}

static void an_interrupt_ends_the_wait(void **state)
{
	struct child left;
	int pipe_fds[2], fd;

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(write(pipe_fds[1], "x", 1), 1);
	assert_int_equal(child_run(sleep_long, NULL, pipe_fds[0], deadline_in(10000), &fd, &left), -EINTR);
	assert_int_equal(fd, -1);
	nothing_is_left(&left);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

/* SIGKILL cannot be held off here, so the parent's side is played by hand */
static void a_child_that_hangs_is_given_up_and_can_be_reaped_later(void **state)
{
	struct child child;

	(void)state;
	assert_int_equal(child_start(&child, sleep_long, NULL), 0);
	assert_int_equal(child_wait(&child, -1, deadline_in(20), NULL), -ETIMEDOUT);
	assert_true(child.pid > 0);
	assert_false(child_reap(&child));
	assert_int_equal(kill(child.pid, SIGKILL), 0);
	assert_int_equal(wait_readable(child.pidfd, -1, deadline_in(10000)), 1);
	assert_true(child_reap(&child));
	assert_true(child_reap(&child));
	nothing_is_left(&child);
}

static void a_child_that_dies_without_an_answer_is_an_error(void **state)
{
	struct child left;

	(void)state;
	assert_int_equal(child_run(die, NULL, -1, deadline_in(10000), NULL, &left), -EPROTO);
	nothing_is_left(&left);
	assert_int_equal(child_run(die_of_a_signal, NULL, -1, deadline_in(10000), NULL, &left), -EPROTO);
	nothing_is_left(&left);
}

static void a_child_hands_over_a_descriptor(void **state)
{
	struct place *place = *state;
	_cleanup_free_ char *name = tree_place(&place->tree, "/file"), *text = NULL;
	_cleanup_close_ int fd = -1;
	struct child left;

	tree_text(&place->tree, "/file", "handed over");
	assert_int_equal(child_run(hand_over_file, name, -1, deadline_in(10000), &fd, &left), 1);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(read_whole(fd, 100, &text), 11);
	assert_string_equal(text, "handed over");
	nothing_is_left(&left);
}

static void a_descriptor_nobody_wants_is_closed(void **state)
{
	struct place *place = *state;
	_cleanup_free_ char *name = tree_place(&place->tree, "/file");
	struct child left;
	int before, after;

	tree_text(&place->tree, "/file", "");
	before = dup(0);
	close(before);
	assert_int_equal(child_run(hand_over_file, name, -1, deadline_in(10000), NULL, &left), 1);
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
}

static int open_to_signals(void *argument, int *fd)
{
	struct sigaction action;
	sigset_t blocked;

	(void)argument, (void)fd;
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	sigaction(SIGPIPE, NULL, &action);
	return !sigismember(&blocked, SIGTERM) + (action.sa_handler != SIG_DFL);
}

static void a_signal_to_the_group_does_not_cut_a_child_off(void **state)
{
	struct child left;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(child_run(open_to_signals, NULL, -1, deadline_in(10000), NULL, &left), 0);
	signal(SIGPIPE, SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_answers_what_its_work_returned),
		cmocka_unit_test(a_child_that_takes_too_long_is_killed),
		cmocka_unit_test(a_child_is_waited_for_as_long_as_it_works),
		cmocka_unit_test(an_interrupt_ends_the_wait),
		cmocka_unit_test(a_child_that_hangs_is_given_up_and_can_be_reaped_later),
		cmocka_unit_test(a_child_that_dies_without_an_answer_is_an_error),
		in_tree(a_child_hands_over_a_descriptor),
		in_tree(a_descriptor_nobody_wants_is_closed),
		cmocka_unit_test(a_signal_to_the_group_does_not_cut_a_child_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
