/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Journals for tests, in a recorded tree of their own. build_journal() makes a
 * file from JSON texts with checksums that fit, as somebody could who wants the
 * program to believe it; the checksum is computed here anew.
 */
#ifndef TEST_UNIT_JOURNAL_BUILD_H
#define TEST_UNIT_JOURNAL_BUILD_H

#include <fcntl.h>
#include <json-c/json.h>
#include <stdint.h>
#include <sys/stat.h>

#include "retire/journal.h"
#include "test/unit/tree.h"
#include "util/root.h"

#define ID	   "20261121T101502-7f3a"
#define BOOT	   "6b3b9f58-0000-4000-8000-000000000001"
#define RUN_FILE   "/run/dax-retire/journal/" ID
#define STATE_FILE "/var/lib/dax-retire/" ID

struct journal_tree {
	struct tree tree;
	struct root root;
};

static inline int journal_tree_make(void **state)
{
	struct journal_tree *place = calloc(1, sizeof(*place));

	tree_make(&place->tree);
	tree_text(&place->tree, "/proc/sys/kernel/random/boot_id", BOOT "\n");
	tree_text(&place->tree, "/run/lock", "");
	tree_text(&place->tree, "/var/lib/x", "");
	*state = place;
	return root_open(&place->root, place->tree.path);
}

static inline int journal_tree_remove(void **state)
{
	struct journal_tree *place = *state;

	root_close(&place->root);
	tree_remove(&place->tree);
	free(place);
	return 0;
}

#define in_journal_tree(test) cmocka_unit_test_setup_teardown(test, journal_tree_make, journal_tree_remove)

/* CRC-32 of IEEE 802.3, by a table. */
static inline uint32_t fitting_sum(uint32_t sum, const char *text, size_t length)
{
	uint32_t table[256];

	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320U : 0);
	}
	sum ^= 0xffffffffU;
	for (size_t i = 0; i < length; i++)
		sum = table[(sum ^ (unsigned char)text[i]) & 0xff] ^ sum >> 8;
	return sum ^ 0xffffffffU;
}

/* The text of a journal of those records; caller frees. */
static inline char *fitting_journal(const char *const *records, size_t count)
{
	size_t room = 1, at = 0;
	uint32_t sum = 0;
	char *text;

	for (size_t i = 0; i < count; i++)
		room += strlen(records[i]) + 10;
	text = calloc(room, 1);
	for (size_t i = 0; i < count; i++) {
		sum = fitting_sum(sum, records[i], strlen(records[i]));
		at += (size_t)snprintf(text + at, room - at, "%08x %s\n", sum, records[i]);
	}
	return text;
}

/* A file of a journal, private as it must be. */
static inline void place_journal(const struct journal_tree *place, const char *name, const char *text,
				 size_t length)
{
	char *at;

	tree_write(&place->tree, name, text, length);
	at = tree_place(&place->tree, name);
	if (chmod(at, 0600) < 0)
		abort();
	free(at);
}

static inline void build_journal(const struct journal_tree *place, const char *name, const char *const *records,
				 size_t count)
{
	char *text = fitting_journal(records, count);

	place_journal(place, name, text, strlen(text));
	free(text);
}

static inline char *read_text(const struct journal_tree *place, const char *name, size_t *length)
{
	char *text = NULL;
	ssize_t n = root_readf(&place->root, 64 << 20, &text, "%s", name);

	if (n < 0)
		abort();
	*length = (size_t)n;
	return text;
}

#endif
