// SPDX-License-Identifier: GPL-2.0-or-later
/* The rules at the top of journal.h, one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "test/unit/journal-write.h"
#include "util/cleanup.h"

static size_t count_records(const struct journal_tree *place, enum journal_place where)
{
	struct journal_records records = { 0 };
	struct err err = { 0 };
	size_t count;

	assert_int_equal(journal_read(&place->root, where, ID, &records, &err), 0);
	count = records.list.count;
	journal_free(&records);
	return count;
}

static int parse(const char *text, size_t length, size_t *count, struct err *err)
{
	_cleanup_free_ char *copy = malloc(length + 1);
	struct journal_records records = { 0 };
	uint32_t sum;
	size_t whole;
	int rc;

	memcpy(copy, text, length);
	copy[length] = '\0';
	rc = journal_parse(copy, length, &records, &whole, &sum, err);
	*count = records.list.count;
	journal_free(&records);
	return rc;
}

static void assert_corrupt(const char *text, const char *naming)
{
	struct err err = { 0 };
	size_t count;

	assert_int_equal(parse(text, strlen(text), &count, &err), -EBADMSG);
	assert_non_null(strstr(err.message, naming));
}

/* ---- the file */

static void a_record_is_its_checksum_and_its_json(void **state)
{
	struct journal_tree *place = *state;
	static const char *const names[] = { RUN_FILE, STATE_FILE };
	static const char *const records[] = { "{\"journal\":1,\"id\":\"" ID "\"}",
					       "{\"at\":0,\"state\":\"begun\"}",
					       "{\"end\":\"retired\",\"time\":1}" };
	_cleanup_free_ char *expected = fitting_journal(records, 3);

	assert_int_equal(fitting_sum(0, "123456789", 9), 0xcbf43926);
	write_three(place);
	for (size_t i = 0; i < 2; i++) {
		size_t length;
		_cleanup_free_ char *text = read_text(place, names[i], &length);

		assert_string_equal(text, expected);
	}
}

static void only_durable_records_are_kept_beyond_the_boot(void **state)
{
	struct journal_tree *place = *state;
	struct journal journal;
	struct err err = { 0 };

	assert_int_equal(journal_create(&place->root, ID, &journal, &err), 0);
	write_record(&journal, "{\"journal\":1}", true);
	write_record(&journal, "{\"at\":0,\"state\":\"begun\"}", false);
	write_record(&journal, "{\"commit\":true}", true);
	journal_close(&journal);
	assert_int_equal(count_records(place, JOURNAL_RUN), 3);
	assert_int_equal(count_records(place, JOURNAL_STATE), 2);
}

static void writing_to_no_journal_does_no_harm(void **state)
{
	struct journal journal = JOURNAL_NONE;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(journal_write(&journal, record("{}"), true, &err), 0);
	assert_int_equal(journal_write(&journal, NULL, true, &err), -ENOMEM);
	journal_close(&journal);
}

static void an_id_is_used_once(void **state)
{
	struct journal_tree *place = *state;
	struct journal journal;
	struct err err = { 0 };

	write_three(place);
	assert_int_equal(journal_create(&place->root, ID, &journal, &err), -EEXIST);
	assert_int_equal(count_records(place, JOURNAL_STATE), 3);
	/* one that is in the lasting place only is not begun anew, either */
	assert_int_equal(journal_remove(&place->root, JOURNAL_RUN, ID), 0);
	assert_int_equal(journal_create(&place->root, ID, &journal, &err), -EEXIST);
	assert_false(root_existsf(&place->root, RUN_FILE));
}

/* ---- what does not fit */

static void any_byte_that_was_changed_is_noticed(void **state)
{
	struct journal_tree *place = *state;
	_cleanup_free_ char *text = NULL;
	size_t length, last, count;

	write_three(place);
	text = read_text(place, RUN_FILE, &length);
	last = (size_t)((char *)memrchr(text, '\n', length - 1) - text) + 1;
	for (size_t i = 0; i < length; i++)
		for (int bit = 0; bit < 8; bit++) {
			struct err err = { 0 };
			int rc;

			text[i] = (char)(text[i] ^ 1 << bit);
			rc = parse(text, length, &count, &err);
			/* the last one counts as torn: it was never written */
			if (i >= last)
				assert_true(rc == 0 && count == 2);
			else
				assert_true(rc == -EBADMSG || (i == last - 1 && rc == 0 && count == 1));
			text[i] = (char)(text[i] ^ 1 << bit);
		}
}

static void a_record_that_was_taken_out_moved_or_doubled_is_named(void **state)
{
	static const char *const records[] = { "{\"journal\":1}", "{\"n\":2}", "{\"n\":3}", "{\"n\":4}",
					       "{\"n\":5}" };
	_cleanup_free_ char *text = fitting_journal(records, 5);
	char *lines[5], *cursor = text, wrong[512];

	(void)state;
	for (size_t i = 0; i < 5; i++)
		lines[i] = strsep(&cursor, "\n");
	snprintf(wrong, sizeof(wrong), "%s\n%s\n%s\n%s\n", lines[0], lines[2], lines[3], lines[4]);
	assert_corrupt(wrong, "record 2 ");
	snprintf(wrong, sizeof(wrong), "%s\n%s\n%s\n", lines[1], lines[2], lines[3]);
	assert_corrupt(wrong, "record 1 ");
	snprintf(wrong, sizeof(wrong), "%s\n%s\n%s\n%s\n%s\n", lines[0], lines[1], lines[3], lines[2], lines[4]);
	assert_corrupt(wrong, "record 3 ");
	snprintf(wrong, sizeof(wrong), "%s\n%s\n%s\n%s\n", lines[0], lines[1], lines[1], lines[2]);
	assert_corrupt(wrong, "record 3 ");
	snprintf(wrong, sizeof(wrong), "%s\n%s\n%s\n", lines[0], lines[0], lines[1]);
	assert_corrupt(wrong, "record 2 ");
	/* swapped at the very end */
	snprintf(wrong, sizeof(wrong), "%s\n%s\n%s\n%s\n%s\n", lines[0], lines[1], lines[2], lines[4], lines[3]);
	assert_corrupt(wrong, "record 4 ");
}

static void what_is_no_record_is_corrupt(void **state)
{
	static const char *const wrong[] = { "[]",  "1",     "\"text\"", "null", "{",
					     "{}}", "{} {}", "{\"a\":}", "",	 " " };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		const char *const records[] = { "{\"journal\":1}", wrong[i], "{\"n\":3}" };
		_cleanup_free_ char *text = fitting_journal(records, 3);

		assert_corrupt(text, "record 2 ");
	}
	assert_corrupt("\n\n", "record 1 ");
	assert_corrupt("DEADBEEF {}\nx\n", "record 1 ");
}

static void deep_nesting_is_corrupt(void **state)
{
	char deep[4096] = "{\"a\":";
	const char *const records[] = { "{\"journal\":1}", deep, "{\"n\":3}" };
	char *text;

	(void)state;
	memset(deep + 5, '[', 2000);
	memset(deep + 2005, ']', 2000);
	deep[4005] = '}';
	text = fitting_journal(records, 3);
	assert_corrupt(text, "record 2 ");
	free(text);
}

static void a_nul_within_is_corrupt(void **state)
{
	static const char *const records[] = { "{\"journal\":1}", "{\"n\":\"x\"}", "{\"n\":3}" };
	_cleanup_free_ char *text = fitting_journal(records, 3);
	size_t length = strlen(text), count;
	struct err err = { 0 };

	(void)state;
	*strchr(text, 'x') = '\0';
	assert_int_equal(parse(text, length, &count, &err), -EBADMSG);
}

static void a_version_that_is_not_known_is_left_alone(void **state)
{
	static const char *const heads[] = { "{\"journal\":2}",		"{\"journal\":0}",
					     "{\"journal\":\"1\"}",	"{}",
					     "{\"journal\":-1}",	"{\"journal\":1.0}",
					     "{\"journal\":4294967297}" };
	struct journal_tree *place = *state;
	struct journal journal;

	for (size_t i = 0; i < COUNT_OF(heads); i++) {
		const char *const records[] = { heads[i], "{\"n\":2}" };
		struct err err = { 0 };
		size_t before, after;
		_cleanup_free_ char *was = NULL, *is = NULL;

		build_journal(place, RUN_FILE, records, 2);
		was = read_text(place, RUN_FILE, &before);
		assert_corrupt(was, "version");
		assert_true(journal_append(&place->root, ID, &journal, &err) < 0);
		is = read_text(place, RUN_FILE, &after);
		assert_string_equal(was, is);
	}
}

static void fields_that_are_not_known_are_kept(void **state)
{
	static const char *const records[] = { "{\"journal\":1,\"later\":{\"x\":[1]}}", "{\"new\":true}" };
	_cleanup_free_ char *text = fitting_journal(records, 2);
	struct journal_records read = { 0 };
	struct err err = { 0 };
	uint32_t sum;
	size_t whole;

	(void)state;
	assert_int_equal(journal_parse(text, strlen(text), &read, &whole, &sum, &err), 0);
	assert_string_equal(json_object_to_json_string_ext(read.list.items[0], JSON_C_TO_STRING_PLAIN),
			    records[0]);
	assert_string_equal(json_object_to_json_string_ext(read.list.items[1], JSON_C_TO_STRING_PLAIN),
			    records[1]);
	journal_free(&read);
}

/* ---- torn */

static void a_last_record_that_is_torn_anywhere_was_never_written(void **state)
{
	struct journal_tree *place = *state;
	_cleanup_free_ char *text = NULL;
	size_t length, last, at_end;

	write_three(place);
	text = read_text(place, RUN_FILE, &length);
	last = (size_t)((char *)memrchr(text, '\n', length - 1) - text) + 1;
	for (size_t cut = last; cut < length; cut++) {
		_cleanup_free_ char *after = NULL;
		struct journal journal;
		struct err err = { 0 };

		place_journal(place, RUN_FILE, text, cut);
		place_journal(place, STATE_FILE, text, cut);
		assert_int_equal(count_records(place, JOURNAL_RUN), 2);
		assert_int_equal(journal_append(&place->root, ID, &journal, &err), 0);
		write_record(&journal, "{\"end\":\"retired\",\"time\":1}", true);
		journal_close(&journal);
		after = read_text(place, RUN_FILE, &at_end);
		assert_int_equal(at_end, length);
		assert_string_equal(after, text);
		assert_int_equal(count_records(place, JOURNAL_STATE), 3);
	}
}

static void a_torn_end_of_garbage_or_zeros_is_torn(void **state)
{
	static const char *const records[] = { "{\"journal\":1}", "{\"n\":2}" };
	struct journal_tree *place = *state;
	_cleanup_free_ char *text = fitting_journal(records, 2);
	size_t length = strlen(text);
	char tail[256] = { 0 };

	for (size_t zeros = 1; zeros < 100; zeros += 7) {
		struct journal journal;
		struct err err = { 0 };

		memcpy(tail, text, length);
		memset(tail + length, zeros % 2 ? 0 : 0xff, zeros);
		place_journal(place, RUN_FILE, tail, length + zeros);
		assert_int_equal(journal_append(&place->root, ID, &journal, &err), 0);
		write_record(&journal, "{\"n\":3}", false);
		journal_close(&journal);
		assert_int_equal(count_records(place, JOURNAL_RUN), 3);
	}
}

/* Not torn, as its checksum fits, but of no use: what comes after it starts from the record before. */
static void an_end_that_is_no_object_does_not_spoil_what_comes_after(void **state)
{
	static const char *const records[] = { "{\"journal\":1}", "{\"n\":2}", "[3]" };
	struct journal_tree *place = *state;
	struct journal journal;
	struct err err = { 0 };

	build_journal(place, RUN_FILE, records, 3);
	assert_int_equal(journal_append(&place->root, ID, &journal, &err), 0);
	write_record(&journal, "{\"n\":3}", false);
	write_record(&journal, "{\"n\":4}", false);
	journal_close(&journal);
	assert_int_equal(count_records(place, JOURNAL_RUN), 4);
}

static void an_empty_file_has_no_records(void **state)
{
	struct journal_tree *place = *state;

	place_journal(place, RUN_FILE, "", 0);
	assert_int_equal(count_records(place, JOURNAL_RUN), 0);
}

/* ---- a full disk */

static void limit_files(rlim_t size)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_leaves_the_journal_whole(void **state)
{
	struct journal_tree *place = *state;
	char text[400] = "{\"x\":\"";
	size_t length;

	memset(text + 6, 'x', 300);
	strcpy(text + 306, "\"}");
	signal(SIGXFSZ, SIG_IGN);
	for (size_t room = 0; room < 318; room += 3) {
		struct journal journal;
		struct err err = { 0 };
		int rc;

		assert_int_equal(journal_create(&place->root, ID, &journal, &err), 0);
		write_record(&journal, "{\"journal\":1}", true);
		free(read_text(place, RUN_FILE, &length));
		limit_files(length + room);
		rc = journal_write(&journal, record(text), room % 2, &err);
		limit_files(RLIM_INFINITY);
		if (room < 317)
			assert_int_equal(rc, -EFBIG);
		assert_int_equal(count_records(place, JOURNAL_RUN), rc < 0 ? 1 : 2);
		write_record(&journal, "{\"end\":\"rolled-back\"}", true);
		journal_close(&journal);
		assert_int_equal(count_records(place, JOURNAL_RUN), rc < 0 ? 2 : 3);
		assert_int_equal(count_records(place, JOURNAL_STATE), rc == 0 && room % 2 ? 3 : 2);
		journal_remove(&place->root, JOURNAL_RUN, ID);
		journal_remove(&place->root, JOURNAL_STATE, ID);
	}
	signal(SIGXFSZ, SIG_DFL);
}

static void a_record_that_cannot_be_kept_in_one_place_is_in_neither(void **state)
{
	struct journal_tree *place = *state;
	struct journal journal;
	struct err err = { 0 };
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	assert_int_equal(journal_create(&place->root, ID, &journal, &err), 0);
	write_record(&journal, "{\"journal\":1}", true);
	assert_true(full >= 0);
	dup3(full, journal.fds[JOURNAL_STATE], O_CLOEXEC);
	close(full);
	assert_int_equal(journal_write(&journal, record("{\"commit\":true}"), true, &err), -ENOSPC);
	assert_int_equal(count_records(place, JOURNAL_RUN), 1);
	assert_int_equal(count_records(place, JOURNAL_STATE), 1);
	write_record(&journal, "{\"at\":0,\"state\":\"undone\"}", false);
	journal_close(&journal);
	assert_int_equal(count_records(place, JOURNAL_RUN), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_journal_tree(a_record_is_its_checksum_and_its_json),
		in_journal_tree(only_durable_records_are_kept_beyond_the_boot),
		cmocka_unit_test(writing_to_no_journal_does_no_harm),
		in_journal_tree(an_id_is_used_once),
		in_journal_tree(any_byte_that_was_changed_is_noticed),
		cmocka_unit_test(a_record_that_was_taken_out_moved_or_doubled_is_named),
		cmocka_unit_test(what_is_no_record_is_corrupt),
		cmocka_unit_test(deep_nesting_is_corrupt),
		cmocka_unit_test(a_nul_within_is_corrupt),
		in_journal_tree(a_version_that_is_not_known_is_left_alone),
		cmocka_unit_test(fields_that_are_not_known_are_kept),
		in_journal_tree(a_last_record_that_is_torn_anywhere_was_never_written),
		in_journal_tree(a_torn_end_of_garbage_or_zeros_is_torn),
		in_journal_tree(an_end_that_is_no_object_does_not_spoil_what_comes_after),
		in_journal_tree(an_empty_file_has_no_records),
		in_journal_tree(a_full_disk_leaves_the_journal_whole),
		in_journal_tree(a_record_that_cannot_be_kept_in_one_place_is_in_neither),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
