/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal: what a retirement is about to do, written before it does it,
 * and what came of it. From it alone a later process puts back or finishes.
 *
 * The rules of the file
 * - One file a retirement, named by its id, in two places.
 *	JOURNAL_RUN   /run/dax-retire/journal/ID: every record, not synced.
 *	              What it tells of (mounts, freezes, processes) ends with
 *	              the boot, and so does the file.
 *	JOURNAL_STATE /var/lib/dax-retire/ID: the records that `restore` and
 *	              the next boot need, each synced before the write returns.
 * - A record is a line: 8 hexadecimal digits, a space, a JSON object. The
 *   digits are the CRC-32 (IEEE 802.3) of the JSON text, begun with that of
 *   the record before (0 for the first), so that no record can be changed,
 *   taken out or moved unnoticed.
 * - The first record has "journal":1, the version. A reader that does not know
 *   the version leaves the file alone. Fields that it does not know are kept.
 * - A last line without its newline, or whose checksum does not fit, is torn:
 *   it was never written. Anything else that does not fit, with records after
 *   it, is corrupt: -EBADMSG names the file and the record, and nothing is
 *   done on its word.
 * - Directories 0700, files 0600, of the user who runs this (root); opened
 *   without following a link, regular, with one name. Others are refused.
 */
#ifndef RETIRE_JOURNAL_H
#define RETIRE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/array.h"
#include "util/err.h"

struct json_object;
struct root;

enum { JOURNAL_VERSION = 1, JOURNAL_ID_ROOM = 32 };
enum journal_place { JOURNAL_RUN, JOURNAL_STATE, JOURNAL_PLACES };

/* An open journal; written at its end. */
struct journal {
	int fds[JOURNAL_PLACES]; /* -1: not written there */
	uint32_t sums[JOURNAL_PLACES];
};

#define JOURNAL_NONE ((struct journal){ .fds = { -1, -1 } })

struct journal_records {
	ARRAY_OF(struct json_object *) list;
};

/* Name of a journal, and where there is one. */
struct journal_name {
	char id[JOURNAL_ID_ROOM];
	bool in[JOURNAL_PLACES];
};

struct journal_names {
	ARRAY_OF(struct journal_name) list; /* by id, so by time */
};

/* "20261121T101502-7f3a" and nothing else: a name of a file that is ours. */
bool journal_is_id(const char *id);

/* A new one in both places. 0 or a negative errno. */
int journal_create(const struct root *root, const char *id, struct journal *journal, struct err *err);

/* An old one, to be gone on with after its last whole record; places where it is not stay unwritten. */
int journal_append(const struct root *root, const char *id, struct journal *journal, struct err *err);

/*
 * Adds a record; `record` is taken over in any case. A durable one goes to both
 * places and is synced, in a child that is given up after 10 s: a disk can
 * hang. 0 or a negative errno; harmless on JOURNAL_NONE.
 */
int journal_write(struct journal *journal, struct json_object *record, bool durable, struct err *err);

void journal_close(struct journal *journal);

/* All whole records. 0; -ENOENT; -EBADMSG corrupt, or of a version that is not known; other negative errno. */
int journal_read(const struct root *root, enum journal_place place, const char *id,
		 struct journal_records *records, struct err *err);
void journal_free(struct journal_records *records);

/* The same of a text of `length` bytes, which is changed; *whole gets the bytes of the whole records, *sum the
 * last checksum. */
int journal_parse(char *text, size_t length, struct journal_records *records, size_t *whole, uint32_t *sum,
		  struct err *err);

int journal_list(const struct root *root, struct journal_names *names, struct err *err);

/* 0, also when there is none. */
int journal_remove(const struct root *root, enum journal_place place, const char *id);

/* The device number of the file system that journals of `place` lie on (or will), 0 when unknown. */
dev_t journal_dev(const struct root *root, enum journal_place place);

#endif
