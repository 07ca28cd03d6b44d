/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Journals that the program itself writes, for the tests of it. */
#ifndef TEST_UNIT_JOURNAL_WRITE_H
#define TEST_UNIT_JOURNAL_WRITE_H

#include "test/unit/journal-build.h"

static inline struct json_object *record(const char *text)
{
	struct json_object *object = json_tokener_parse(text);

	assert_non_null(object);
	return object;
}

static inline void write_record(struct journal *journal, const char *text, bool durable)
{
	struct err err = { 0 };

	assert_int_equal(journal_write(journal, record(text), durable, &err), 0);
}

/* A journal of three records in both places. */
static inline void write_three(const struct journal_tree *place)
{
	struct journal journal;
	struct err err = { 0 };

	assert_int_equal(journal_create(&place->root, ID, &journal, &err), 0);
	write_record(&journal, "{\"journal\":1,\"id\":\"" ID "\"}", true);
	write_record(&journal, "{\"at\":0,\"state\":\"begun\"}", true);
	write_record(&journal, "{\"end\":\"retired\",\"time\":1}", true);
	journal_close(&journal);
}

#endif
