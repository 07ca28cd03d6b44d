// SPDX-License-Identifier: GPL-2.0-or-later
/* The file as it is: lines, checksums, JSON. */
#include "retire/journal.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "test/fuzz/fuzz.h"

void fuzz_one(char *text)
{
	struct journal_records records = { 0 };
	size_t length = strlen(text), whole;
	struct err err = { 0 };
	uint32_t sum;
	int rc = journal_parse(text, length, &records, &whole, &sum, &err);

	if (whole > length || (whole && text[whole - 1] != '\n') || (rc == 0 && !whole != !records.list.count))
		abort();
	if ((rc < 0) != !!err.code)
		abort();
	array_each(record, &records.list)
		if (!json_object_is_type(*record, json_type_object))
			abort();
	journal_free(&records);
}
