// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ground everything stands on: strict text, a root that nothing leads out
 * of, children that are not waited for, time, errors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/unit/tree.h"
#include "util/array.h"
#include "util/child.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/root.h"
#include "util/socket.h"
#include "util/text.h"

/* ---- text */

static void a_number_is_decimal_or_hexadecimal(void **state)
{
	uint64_t number = 0;

	(void)state;
	assert_int_equal(parse_number("0", &number), 0);
	assert_int_equal(number, 0);
	assert_int_equal(parse_number("1073741824", &number), 0);
	assert_int_equal(number, 1073741824);
	assert_int_equal(parse_number("0x40000000", &number), 0);
	assert_int_equal(number, 0x40000000);
	assert_int_equal(parse_number("18446744073709551615", &number), 0);
	assert_true(number == UINT64_MAX);
}

static void what_is_not_wholly_a_number_is_none(void **state)
{
	static const char *const wrong[] = { "",   " 1",  "1 ", "-1",	"+1",  "0garbage", "0x", "0xg",
					     "1.", "1\n", "٣",	"0x 1", "1e3", "--0",	   "x1" };
	uint64_t number;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(parse_number(wrong[i], &number), -EINVAL);
	assert_int_equal(parse_number("18446744073709551616", &number), -ERANGE);
}

static void a_device_number_has_two_parts_within_the_kernels_bounds(void **state)
{
	dev_t dev = 0;

	(void)state;
	assert_int_equal(parse_dev("259:1048575", &dev), 0);
	assert_true(dev == makedev(259, 1048575));
	assert_int_equal(parse_dev("4096:0", &dev), -ERANGE);
	assert_int_equal(parse_dev("0:1048576", &dev), -ERANGE);
	assert_int_equal(parse_dev("259", &dev), -EINVAL);
	assert_int_equal(parse_dev(":1", &dev), -EINVAL);
	assert_int_equal(parse_dev("1:", &dev), -EINVAL);
	assert_int_equal(parse_dev("1:2:3", &dev), -EINVAL);
	assert_int_equal(parse_dev("11111111111111111111:0", &dev), -EINVAL);
}

static void octal_escapes_of_proc_are_undone(void **state)
{
	char text[] = "/mnt/a\\040b\\134040\\011\\", high[] = "\\400\\38\\377";

	(void)state;
	unescape_octal(text);
	assert_string_equal(text, "/mnt/a b\\040\t\\");
	unescape_octal(high);
	assert_string_equal(high, "\\400\\38\377");
}

static void empty_fields_are_fields(void **state)
{
	char text[] = "a::b", *cursor = text, *none = NULL;

	(void)state;
	assert_string_equal(next_field(&cursor, ":"), "a");
	assert_string_equal(next_field(&cursor, ":"), "");
	assert_string_equal(next_field(&cursor, ":"), "b");
	assert_null(next_field(&cursor, ":"));
	assert_null(next_field(&none, ":"));
}

static void a_prefix_is_matched_from_the_start(void **state)
{
	(void)state;
	assert_true(starts_with("namespace0.0", "namespace"));
	assert_true(starts_with("x", ""));
	assert_false(starts_with("name", "namespace"));
}

static void other_peoples_names_cannot_drive_a_terminal(void **state)
{
	char copy[64], tiny[6];

	(void)state;
	assert_string_equal(printable("fio\033[2J\n", copy, sizeof(copy)), "fio\\x1b[2J\\x0a");
	assert_string_equal(printable("\302\233m \303\244", copy, sizeof(copy)), "\\xc2\233m \303\244");
	assert_string_equal(printable("\177", copy, sizeof(copy)), "\\x7f");
	assert_true(strlen(printable("abcdefgh", tiny, sizeof(tiny))) < sizeof(tiny));
	assert_true(strlen(printable("\n\n\n\n", tiny, sizeof(tiny))) < sizeof(tiny));
}

static void sizes_read_as_ndctl_prints_them(void **state)
{
	char text[32];

	(void)state;
	assert_string_equal(human_size(0, text, sizeof(text)), "0 B");
	assert_string_equal(human_size(1023, text, sizeof(text)), "1023 B");
	assert_string_equal(human_size(1 << 30, text, sizeof(text)), "1.00 GiB");
	assert_string_equal(human_size(1536 << 10, text, sizeof(text)), "1.50 MiB");
	assert_string_equal(human_size(UINT64_MAX, text, sizeof(text)), "16384.00 PiB");
}

/* ---- root */

struct place {
	struct tree tree;
	struct root root;
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	tree_make(&place->tree);
	*state = place;
	return root_open(&place->root, place->tree.path);
}

static int tear_down(void **state)
{
	struct place *place = *state;

	root_close(&place->root);
	tree_remove(&place->tree);
	free(place);
	return 0;
}

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

/* ---- child */

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

/* ---- socket */

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

/* ---- clock */

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

#define in_tree(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_decimal_or_hexadecimal),
		cmocka_unit_test(what_is_not_wholly_a_number_is_none),
		cmocka_unit_test(a_device_number_has_two_parts_within_the_kernels_bounds),
		cmocka_unit_test(octal_escapes_of_proc_are_undone),
		cmocka_unit_test(empty_fields_are_fields),
		cmocka_unit_test(a_prefix_is_matched_from_the_start),
		cmocka_unit_test(other_peoples_names_cannot_drive_a_terminal),
		cmocka_unit_test(sizes_read_as_ndctl_prints_them),
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
		cmocka_unit_test(a_child_answers_what_its_work_returned),
		cmocka_unit_test(a_child_that_takes_too_long_is_killed),
		cmocka_unit_test(an_interrupt_ends_the_wait),
		cmocka_unit_test(a_child_that_hangs_is_given_up_and_can_be_reaped_later),
		cmocka_unit_test(a_child_that_dies_without_an_answer_is_an_error),
		in_tree(a_child_hands_over_a_descriptor),
		in_tree(a_descriptor_nobody_wants_is_closed),
		cmocka_unit_test(a_signal_to_the_group_does_not_cut_a_child_off),
		cmocka_unit_test(a_message_keeps_its_bounds),
		cmocka_unit_test(a_deadline_passes_and_never_moves),
		cmocka_unit_test(waiting_ends_with_data_a_deadline_or_an_interrupt),
		cmocka_unit_test(errors_are_wrapped_from_the_inside_out),
		cmocka_unit_test(a_message_stays_within_its_bounds),
		cmocka_unit_test(an_array_grows_with_zeroed_elements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
