// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages, time, errors, arrays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/array.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/socket.h"

static void a_message_keeps_its_bounds(void **state)
{
	int sockets[2], fd;
	char data[16];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
	assert_int_equal(socket_send(sockets[0], "one", 3, -1), 0);
	assert_int_equal(socket_send(sockets[0], "seven..", 7, -1), 0);
	assert_int_equal(socket_receive(sockets[1], data, sizeof(data), &fd), 3);
	assert_int_equal(fd, -1);
	assert_int_equal(socket_receive(sockets[1], data, sizeof(data), &fd), 7);
	close(sockets[0]);
	assert_int_equal(socket_receive(sockets[1], data, sizeof(data), &fd), 0);
	assert_int_equal(socket_send(sockets[1], "x", 1, -1), -EPIPE);
	close(sockets[1]);
}

static void a_deadline_passes_and_never_moves(void **state)
{
	struct deadline now = deadline_in(0), later = deadline_in(60000);

	(void)state;
	assert_true(deadline_passed(now));
	assert_int_equal(deadline_left_ms(now), 0);
	assert_false(deadline_passed(later));
	assert_in_range(deadline_left_ms(later), 50000, 60000);
	assert_true(deadline_sooner(now, later).at_us == now.at_us);
	assert_true(deadline_sooner(later, now).at_us == now.at_us);
	assert_int_equal(deadline_left_ms(deadline_in((uint64_t)INT_MAX * 4)), INT_MAX);
}

static void waiting_ends_with_data_a_deadline_or_an_interrupt(void **state)
{
	int data[2], interrupt[2];

	(void)state;
	assert_int_equal(pipe(data), 0);
	assert_int_equal(pipe(interrupt), 0);
	assert_int_equal(wait_readable(data[0], interrupt[0], deadline_in(10)), 0);
	assert_int_equal(write(interrupt[1], "x", 1), 1);
	assert_int_equal(wait_readable(data[0], interrupt[0], deadline_in(10000)), -EINTR);
	/* what is there wins over the interrupt */
	assert_int_equal(write(data[1], "x", 1), 1);
	assert_int_equal(wait_readable(data[0], interrupt[0], deadline_in(10000)), 1);
	assert_int_equal(wait_readable(-1, -1, deadline_in(1)), 0);
	for (int i = 0; i < 2; i++) {
		close(data[i]);
		close(interrupt[i]);
	}
}

/* ---- err, array */

static void errors_are_wrapped_from_the_inside_out(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(err_errno(&err, -EBUSY, "cannot freeze %s", "/mnt/data"), -EBUSY);
	assert_int_equal(err_wrap(&err, "cannot retire %s", "namespace0.0"), -EBUSY);
	assert_string_equal(err.message,
			    "cannot retire namespace0.0: cannot freeze /mnt/data: Device or resource busy");
	assert_int_equal(err.code, -EBUSY);
	assert_int_equal(err_set(NULL, -EIO, "dropped"), -EIO);
	assert_int_equal(err_errno(NULL, -EIO, "dropped"), -EIO);
	assert_int_equal(err_wrap(NULL, "dropped"), 0);
}

static void a_message_stays_within_its_bounds(void **state)
{
	struct err err = { 0 };
	char name[4000];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	err_errno(&err, -ENOSPC, "%s", name);
	assert_non_null(strstr(err.message, "No space left on device"));
	for (int i = 0; i < 3; i++)
		err_wrap(&err, "%s", name);
	assert_true(strlen(err.message) < sizeof(err.message));
	assert_int_equal(err.code, -ENOSPC);
}

static void an_array_grows_with_zeroed_elements(void **state)
{
	struct element {
		int number;
		char rest[60];
	};
	ARRAY_OF(struct element) array = { 0 };
	int expected = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		__typeof__(array.items) item = array_add(&array);

		assert_non_null(item);
		assert_int_equal(item->number, 0);
		item->number = i;
		memset(item->rest, 0xff, sizeof(item->rest));
	}
	assert_int_equal(array.count, 100);
	array_each(item, &array)
		assert_int_equal(item->number, expected++);
	free(array.items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_keeps_its_bounds),
		cmocka_unit_test(a_deadline_passes_and_never_moves),
		cmocka_unit_test(waiting_ends_with_data_a_deadline_or_an_interrupt),
		cmocka_unit_test(errors_are_wrapped_from_the_inside_out),
		cmocka_unit_test(a_message_stays_within_its_bounds),
		cmocka_unit_test(an_array_grows_with_zeroed_elements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
