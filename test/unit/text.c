// SPDX-License-Identifier: GPL-2.0-or-later
/* Text is taken strictly, and shown so that it cannot harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/sysmacros.h>

#include "util/array.h"
#include "util/text.h"

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
	assert_string_equal(printable("\302\233m \303\244", copy, sizeof(copy)), "\\xc2\\x9bm \303\244");
	/* alone it controls a terminal of eight bits */
	assert_string_equal(printable("\233m\377\303", copy, sizeof(copy)), "\\x9bm\\xff\\xc3");
	assert_string_equal(printable("\177", copy, sizeof(copy)), "\\x7f");
	assert_true(strlen(printable("abcdefgh", tiny, sizeof(tiny))) < sizeof(tiny));
	assert_string_equal(printable("abc\303\244\303\244", tiny, sizeof(tiny)), "abc\303\244");
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
