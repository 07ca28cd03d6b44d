// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose a journal must be, and how it is named: the last rule at the top of journal.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <unistd.h>

#include "test/unit/journal-write.h"
#include "util/cleanup.h"

/* ---- whose it is */

static void files_and_directories_are_private(void **state)
{
	struct journal_tree *place = *state;
	static const struct {
		const char *name;
		mode_t mode;
	} expected[] = { { "run/dax-retire", 0700 },
			 { "run/dax-retire/journal", 0700 },
			 { "var/lib/dax-retire", 0700 },
			 { &RUN_FILE[1], 0600 },
			 { &STATE_FILE[1], 0600 } };
	mode_t before = umask(0);
	struct stat found;

	write_three(place);
	umask(before);
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		assert_int_equal(fstatat(place->root.fd, expected[i].name, &found, 0), 0);
		assert_int_equal(found.st_mode & 07777, expected[i].mode);
	}
}

/* Neither read nor written nor listed. */
static void assert_refused(const struct journal_tree *place, int expected)
{
	struct journal_records records = { 0 };
	struct journal journal;
	struct err err = { 0 };

	assert_int_equal(journal_read(&place->root, JOURNAL_RUN, ID, &records, &err), expected);
	assert_non_null(strstr(err.message, "/run/dax-retire/journal/" ID));
	journal_free(&records);
	assert_int_equal(journal_append(&place->root, ID, &journal, &err), expected);
	assert_int_equal(journal.fds[JOURNAL_RUN], -1);
}

static void files_that_others_may_read_or_write_are_refused(void **state)
{
	static const mode_t modes[] = { 0640, 0620, 0610, 0604, 0602, 0601, 0666, 0777 };
	struct journal_tree *place = *state;

	write_three(place);
	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		assert_int_equal(fchmodat(place->root.fd, &RUN_FILE[1], modes[i], 0), 0);
		assert_refused(place, -EPERM);
	}
}

static void somebody_elses_file_is_refused(void **state)
{
	struct journal_tree *place = *state;

	if (geteuid() != 0)
		skip();
	write_three(place);
	assert_int_equal(fchownat(place->root.fd, &RUN_FILE[1], 1000, 0, 0), 0);
	assert_refused(place, -EPERM);
}

static void directories_that_others_may_write_are_refused(void **state)
{
	static const char *const names[] = { "run/dax-retire/journal", "run/dax-retire" };
	static const mode_t modes[] = { 0770, 0702, 0720, 0777, 01777 };
	struct journal_tree *place = *state;
	struct journal_names found = { 0 };
	struct err err = { 0 };

	write_three(place);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		for (size_t j = 0; j < COUNT_OF(modes); j++) {
			assert_int_equal(fchmodat(place->root.fd, names[i], modes[j], 0), 0);
			assert_refused(place, -EPERM);
			assert_int_equal(journal_list(&place->root, &found, &err), -EPERM);
			assert_int_equal(journal_remove(&place->root, JOURNAL_RUN, ID), -EPERM);
		}
		assert_int_equal(fchmodat(place->root.fd, names[i], 0700, 0), 0);
	}
	free(found.list.items);
}

static void somebody_elses_directory_is_refused(void **state)
{
	struct journal_tree *place = *state;

	if (geteuid() != 0)
		skip();
	write_three(place);
	assert_int_equal(fchownat(place->root.fd, "run/dax-retire/journal", 1000, 0, 0), 0);
	assert_refused(place, -EPERM);
}

static void links_are_not_followed(void **state)
{
	struct journal_tree *place = *state;
	int fd = place->root.fd;

	write_three(place);
	assert_int_equal(renameat(fd, &RUN_FILE[1], fd, "elsewhere"), 0);
	assert_int_equal(symlinkat("../../../elsewhere", fd, &RUN_FILE[1]), 0);
	assert_refused(place, -ELOOP);
	assert_int_equal(unlinkat(fd, &RUN_FILE[1], 0), 0);
	assert_int_equal(renameat(fd, "elsewhere", fd, &RUN_FILE[1]), 0);
	assert_int_equal(renameat(fd, "run/dax-retire/journal", fd, "moved"), 0);
	assert_int_equal(symlinkat("../../moved", fd, "run/dax-retire/journal"), 0);
	assert_refused(place, -ENOTDIR);
}

static void a_second_name_is_refused(void **state)
{
	struct journal_tree *place = *state;

	write_three(place);
	assert_int_equal(linkat(place->root.fd, &RUN_FILE[1], place->root.fd, "second", 0), 0);
	assert_refused(place, -EPERM);
}

static void what_is_no_file_is_refused_at_once(void **state)
{
	struct journal_tree *place = *state;
	struct journal_records records = { 0 };
	struct err err = { 0 };

	write_three(place);
	assert_int_equal(unlinkat(place->root.fd, &RUN_FILE[1], 0), 0);
	assert_int_equal(mkfifoat(place->root.fd, &RUN_FILE[1], 0600), 0);
	assert_int_equal(journal_read(&place->root, JOURNAL_RUN, ID, &records, &err), -EPERM);
	assert_int_equal(unlinkat(place->root.fd, &RUN_FILE[1], 0), 0);
	assert_int_equal(mkdirat(place->root.fd, &RUN_FILE[1], 0700), 0);
	assert_int_equal(journal_read(&place->root, JOURNAL_RUN, ID, &records, &err), -EPERM);
}

static void nothing_is_made_through_a_link_that_was_there_before(void **state)
{
	struct journal_tree *place = *state;
	struct journal journal;
	struct err err = { 0 };

	assert_int_equal(mkdirat(place->root.fd, "away", 0700), 0);
	assert_int_equal(symlinkat("../away", place->root.fd, "run/dax-retire"), 0);
	assert_true(journal_create(&place->root, ID, &journal, &err) < 0);
	assert_int_equal(journal.fds[JOURNAL_RUN], -1);
	assert_int_equal(unlinkat(place->root.fd, "away", AT_REMOVEDIR), 0);
}

/* ---- names */

static void an_id_has_one_form(void **state)
{
	static const char *const wrong[] = { "",
					     "20261121T101502-7f3",
					     "20261121T101502-7f3aa",
					     "20261121T101502-7F3A",
					     "20261121t101502-7f3a",
					     "2026112 T101502-7f3a",
					     "../../../../etc/pass",
					     "20261121T101502-7f3/",
					     "20261121T101502-7f3a/..",
					     "20261121T101502_7f3a",
					     ".",
					     ".." };

	(void)state;
	assert_true(journal_is_id(ID));
	assert_true(journal_is_id("00000000T000000-0000"));
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_false(journal_is_id(wrong[i]));
}

static void what_has_no_id_is_not_opened(void **state)
{
	struct journal_tree *place = *state;
	struct journal_records records = { 0 };
	struct err err = { 0 };

	write_three(place);
	tree_text(&place->tree, "/run/dax-retire/other", "");
	assert_int_equal(journal_read(&place->root, JOURNAL_RUN, "../other", &records, &err), -EINVAL);
}

static void the_list_has_what_there_is_by_time(void **state)
{
	struct journal_tree *place = *state;
	struct journal_names names = { 0 };
	struct journal journal;
	struct err err = { 0 };

	assert_int_equal(journal_list(&place->root, &names, &err), 0);
	assert_int_equal(names.list.count, 0);
	write_three(place);
	assert_int_equal(journal_create(&place->root, "20251121T101502-ffff", &journal, &err), 0);
	journal_close(&journal);
	assert_int_equal(journal_remove(&place->root, JOURNAL_RUN, "20251121T101502-ffff"), 0);
	assert_int_equal(journal_remove(&place->root, JOURNAL_RUN, "20251121T101502-ffff"), 0);
	tree_text(&place->tree, "/run/dax-retire/journal/.hidden", "");
	tree_text(&place->tree, "/run/dax-retire/journal/" ID "~", "");
	assert_int_equal(journal_list(&place->root, &names, &err), 0);
	assert_int_equal(names.list.count, 2);
	assert_string_equal(names.list.items[0].id, "20251121T101502-ffff");
	assert_false(names.list.items[0].in[JOURNAL_RUN]);
	assert_true(names.list.items[0].in[JOURNAL_STATE]);
	assert_string_equal(names.list.items[1].id, ID);
	assert_true(names.list.items[1].in[JOURNAL_RUN] && names.list.items[1].in[JOURNAL_STATE]);
	free(names.list.items);
}

static void the_place_of_a_journal_has_a_device_number(void **state)
{
	struct journal_tree *place = *state;
	struct stat found;

	assert_int_equal(stat(place->tree.path, &found), 0);
	assert_true(journal_dev(&place->root, JOURNAL_STATE) == found.st_dev);
	write_three(place);
	assert_true(journal_dev(&place->root, JOURNAL_STATE) == found.st_dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_journal_tree(files_and_directories_are_private),
		in_journal_tree(files_that_others_may_read_or_write_are_refused),
		in_journal_tree(somebody_elses_file_is_refused),
		in_journal_tree(directories_that_others_may_write_are_refused),
		in_journal_tree(somebody_elses_directory_is_refused),
		in_journal_tree(links_are_not_followed),
		in_journal_tree(a_second_name_is_refused),
		in_journal_tree(what_is_no_file_is_refused_at_once),
		in_journal_tree(nothing_is_made_through_a_link_that_was_there_before),
		cmocka_unit_test(an_id_has_one_form),
		in_journal_tree(what_has_no_id_is_not_opened),
		in_journal_tree(the_list_has_what_there_is_by_time),
		in_journal_tree(the_place_of_a_journal_has_a_device_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
