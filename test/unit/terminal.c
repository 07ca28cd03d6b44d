// SPDX-License-Identifier: GPL-2.0-or-later
/* What fits on a page, by columns and not by bytes. */
#include <fcntl.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/array.h"
#include "util/terminal.h"

static int in_utf8(void **state)
{
	(void)state;
	return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

static int in_ascii(void **state)
{
	(void)state;
	return setlocale(LC_CTYPE, "C") ? 0 : -1;
}

static void assert_told(char *told, const char *expected)
{
	assert_string_equal(told, expected);
	free(told);
}

static void width_is_in_columns(void **state)
{
	(void)state;
	assert_int_equal(display_width(""), 0);
	assert_int_equal(display_width("plain"), 5);
	assert_int_equal(display_width("gr\u00fc\u00df"), 4);
	assert_int_equal(display_width("\u6f22\u5b57"), 4);
	assert_int_equal(display_width("e\u0301"), 1);
}

static void the_middle_gives_way(void **state)
{
	static const struct {
		const char *text;
		size_t room;
		const char *shortened;
	} cases[] = {
		{ "/mnt/data", 9, "/mnt/data" },
		{ "/mnt/data", 8, "/mn…data" },
		{ "/mnt/data", 7, "/mn…ata" },
		{ "/mnt/data", 2, "…a" },
		{ "/mnt/data", 1, "…" },
		{ "/mnt/data", 0, "" },
		{ "\u6f22\u5b57\u6f22\u5b57", 6, "\u6f22…\u5b57" },
		{ "abcde\u0301fgh", 5, "ab…gh" },
		{ "abcdefg\u0301h", 3, "a…h" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_told(display_shortened(cases[i].text, cases[i].room), cases[i].shortened);
}

static void without_an_ellipsis_there_are_dots(void **state)
{
	(void)state;
	assert_told(display_shortened("/mnt/data", 8), "/m...ata");
	assert_told(display_shortened("/mnt/data", 2), "..");
}

static void what_steers_a_terminal_is_escaped(void **state)
{
	(void)state;
	assert_told(displayable("a\n\t\033[2J\x7f"), "a\\x0a\\x09\\x1b[2J\\x7f");
	assert_told(displayable("\xff\xc3"), "\\xff\\xc3");
	assert_told(displayable("\xc2\x9b"
				"31m"),
		    "\\xc2\\x9b31m");
	assert_told(displayable("\u202e\u2066\u200f\u2028"),
		    "\\xe2\\x80\\xae\\xe2\\x81\\xa6\\xe2\\x80\\x8f\\xe2\\x80\\xa8");
	assert_told(displayable("gr\u00fc\u00df \u6f22"), "gr\u00fc\u00df \u6f22");
}

static void beyond_ascii_is_escaped_where_there_is_none(void **state)
{
	(void)state;
	assert_told(displayable("gr\u00fc"), "gr\\xc3\\xbc");
}

static void a_line_ends_at_a_space(void **state)
{
	(void)state;
	assert_int_equal(display_line("take it down", 20), 12);
	assert_int_equal(display_line("take it down", 9), 7);
	assert_int_equal(display_line("take it down", 4), 4);
	assert_int_equal(display_line("take it down", 3), 3);
	assert_int_equal(display_line("\u6f22\u5b57", 1), 3);
	assert_int_equal(display_line("", 5), 0);
}

static void a_live_line_is_cut(void **state)
{
	char text[] = "ab\xff\u6f22\u5b57";

	(void)state;
	display_cut(text, 6);
	assert_string_equal(text, "ab?\u6f22");
}

static void columns_are_asked_of_the_user_then_of_the_terminal(void **state)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	const struct winsize size = { .ws_row = 25, .ws_col = 132 };

	(void)state;
	if (terminal < 0 || ioctl(terminal, TIOCSWINSZ, &size) < 0)
		skip();
	unsetenv("COLUMNS");
	assert_int_equal(output_columns(terminal), 132);
	setenv("COLUMNS", "40", 1);
	assert_int_equal(output_columns(terminal), 40);
	setenv("COLUMNS", "0", 1);
	assert_int_equal(output_columns(terminal), 132);
	setenv("COLUMNS", "40garbage", 1);
	assert_int_equal(output_columns(terminal), 132);
	assert_int_equal(output_columns(-1), 0);
	unsetenv("COLUMNS");
	close(terminal);
}

static void colour_is_for_terminals_whose_user_wants_it(void **state)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	(void)state;
	if (terminal < 0)
		skip();
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	assert_true(output_has_colour(terminal));
	assert_false(output_has_colour(-1));
	setenv("TERM", "dumb", 1);
	assert_false(output_has_colour(terminal));
	setenv("TERM", "xterm", 1);
	setenv("NO_COLOR", "1", 1);
	assert_false(output_has_colour(terminal));
	unsetenv("NO_COLOR");
	unsetenv("TERM");
	assert_false(output_has_colour(terminal));
	close(terminal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(width_is_in_columns, in_utf8),
		cmocka_unit_test_setup(the_middle_gives_way, in_utf8),
		cmocka_unit_test_setup(without_an_ellipsis_there_are_dots, in_ascii),
		cmocka_unit_test_setup(what_steers_a_terminal_is_escaped, in_utf8),
		cmocka_unit_test_setup(beyond_ascii_is_escaped_where_there_is_none, in_ascii),
		cmocka_unit_test_setup(a_line_ends_at_a_space, in_utf8),
		cmocka_unit_test_setup(a_live_line_is_cut, in_utf8),
		cmocka_unit_test(columns_are_asked_of_the_user_then_of_the_terminal),
		cmocka_unit_test(colour_is_for_terminals_whose_user_wants_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
