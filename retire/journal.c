// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/journal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/child.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

enum { MAX_JOURNAL = 64 << 20, MAX_DEPTH = 16, SYNC_MS = 10000, MAX_JOURNALS = 4096 };

/* From the root: what must be there, and what is ours to make. */
static const struct {
	const char *parent, *names[2], *path;
} places[JOURNAL_PLACES] = {
	[JOURNAL_RUN] = { "run", { "dax-retire", "journal" }, "/run/dax-retire/journal" },
	[JOURNAL_STATE] = { "var/lib", { "dax-retire" }, "/var/lib/dax-retire" },
};

bool journal_is_id(const char *id)
{
	static const char form[] = "ddddddddTdddddd-xxxx";
	size_t i;

	for (i = 0; form[i]; i++) {
		unsigned char c = (unsigned char)id[i];

		if (form[i] == 'd' ? !isdigit(c) : form[i] == 'x' ? !isxdigit(c) || isupper(c) : c != form[i])
			return false;
	}
	return !id[i];
}

/* How far it is written. */
static off_t end_of(int fd)
{
	struct stat found;

	return fd >= 0 && fstat(fd, &found) == 0 ? found.st_size : -1;
}

static uint32_t checksum(uint32_t sum, const char *text, size_t length)
{
	sum = ~sum;
	for (size_t i = 0; i < length; i++) {
		sum ^= (unsigned char)text[i];
		for (int bit = 0; bit < 8; bit++)
			sum = sum >> 1 ^ (sum & 1 ? 0xEDB88320U : 0);
	}
	return ~sum;
}

/* A directory that somebody else may write is no place for what is done as root later. */
static int check_directory(int fd)
{
	struct stat found;

	if (fstat(fd, &found) < 0)
		return -errno;
	return found.st_uid != geteuid() || (found.st_mode & 022) ? -EPERM : 0;
}

/* The directory of a place, made when `make`. A descriptor or a negative errno. */
static int open_place(const struct root *root, enum journal_place place, bool make)
{
	_cleanup_close_ int fd = openat(root->fd, places[place].parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < COUNT_OF(places[place].names) && places[place].names[i]; i++) {
		const char *name = places[place].names[i];
		int next, rc;

		if (fd < 0)
			return -errno;
		if (make && mkdirat(fd, name, 0700) < 0 && errno != EEXIST)
			return -errno;
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(fd);
		fd = next;
		if (fd < 0)
			return -errno;
		rc = check_directory(fd);
		if (rc < 0)
			return rc;
	}
	return take_fd(&fd);
}

static int place_error(enum journal_place place, const char *id, int rc, struct err *err)
{
	return err_errno(err, rc, "cannot use the journal %s/%s", places[place].path, id);
}

static int open_file(const struct root *root, enum journal_place place, const char *id, int flags)
{
	bool make = flags & O_CREAT;
	_cleanup_close_ int directory = open_place(root, place, make);
	_cleanup_close_ int fd = -1;
	struct stat found;

	if (directory < 0)
		return directory;
	fd = openat(directory, id, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &found) < 0)
		return -errno;
	if (!S_ISREG(found.st_mode) || found.st_nlink != 1 || found.st_uid != geteuid() || (found.st_mode & 077))
		return -EPERM;
	/* a name that is not on the disk would make its synced content worthless */
	if (make && place == JOURNAL_STATE && fsync(directory) < 0)
		return -errno;
	return take_fd(&fd);
}

struct open_work {
	const struct root *root;
	const char *id;
};

static int do_create_state(void *argument, int *fd)
{
	const struct open_work *work = argument;

	*fd = open_file(work->root, JOURNAL_STATE, work->id, O_WRONLY | O_APPEND | O_CREAT | O_EXCL);
	return *fd < 0 ? *fd : 0;
}

int journal_create(const struct root *root, const char *id, struct journal *journal, struct err *err)
{
	struct open_work work = { root, id };
	struct child left;
	int rc;

	*journal = JOURNAL_NONE;
	rc = open_file(root, JOURNAL_RUN, id, O_WRONLY | O_APPEND | O_CREAT | O_EXCL);
	if (rc < 0)
		return place_error(JOURNAL_RUN, id, rc, err);
	journal->fds[JOURNAL_RUN] = rc;
	rc = child_run(do_create_state, &work, -1, deadline_in(SYNC_MS), &journal->fds[JOURNAL_STATE], &left);
	child_forget(&left);
	if (rc == 0)
		return 0;
	journal_close(journal);
	journal_remove(root, JOURNAL_RUN, id);
	return place_error(JOURNAL_STATE, id, rc, err);
}

struct write_work {
	int fd;
	bool sync;
	const char *text;
	size_t length;
};

static int write_all(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

/* A line that was cut off by a full disk is taken back, so that one after it is not behind a torn one. */
static int do_write(void *argument, int *fd)
{
	const struct write_work *work = argument;
	struct stat before;
	int rc;

	(void)fd;
	if (fstat(work->fd, &before) < 0)
		return -errno;
	rc = write_all(work->fd, work->text, work->length);
	if (rc == 0 && work->sync && fdatasync(work->fd) < 0)
		rc = -errno;
	if (rc < 0 && ftruncate(work->fd, before.st_size) < 0)
		return rc;
	return rc;
}

/* A child that hangs may write yet, one that died has left a part: after that nothing can follow. */
static void give_up(struct journal *journal, enum journal_place place)
{
	cleanup_close(&journal->fds[place]);
	journal->fds[place] = -1;
}

static int write_place(struct journal *journal, enum journal_place place, const char *json, bool sync)
{
	uint32_t sum = checksum(journal->sums[place], json, strlen(json));
	struct write_work work = { .fd = journal->fds[place], .sync = sync };
	off_t before = end_of(work.fd);
	_cleanup_free_ char *line = NULL;
	struct child left;
	int length, rc;

	if (work.fd < 0)
		return 0;
	length = asprintf(&line, "%08x %s\n", sum, json);
	if (length < 0) {
		line = NULL;
		return -ENOMEM;
	}
	work.text = line;
	work.length = (size_t)length;
	if (sync) {
		rc = child_run(do_write, &work, -1, deadline_in(SYNC_MS), NULL, &left);
		child_forget(&left);
	} else {
		rc = do_write(&work, NULL);
	}
	if (rc == 0)
		journal->sums[place] = sum;
	else if (rc == -ETIMEDOUT || end_of(work.fd) != before)
		give_up(journal, place);
	return rc;
}

/* What is not written in both places is in neither: a commit that failed must not be read as one. */
static void take_back(struct journal *journal, enum journal_place place, off_t end, uint32_t sum)
{
	if (journal->fds[place] < 0)
		return;
	if (ftruncate(journal->fds[place], end) < 0)
		give_up(journal, place);
	else
		journal->sums[place] = sum;
}

int journal_write(struct journal *journal, struct json_object *record, bool durable, struct err *err)
{
	const char *json = record ? json_object_to_json_string_ext(record, JSON_C_TO_STRING_PLAIN) : NULL;
	uint32_t sum = journal->sums[JOURNAL_STATE];
	off_t end = end_of(journal->fds[JOURNAL_STATE]);
	int rc = json ? 0 : -ENOMEM;

	/* what a recovery of this boot goes by comes last: a commit that it reads is one that lasts */
	if (rc == 0 && durable)
		rc = write_place(journal, JOURNAL_STATE, json, true);
	if (rc == 0) {
		rc = write_place(journal, JOURNAL_RUN, json, false);
		if (rc < 0 && durable)
			take_back(journal, JOURNAL_STATE, end, sum);
	}
	json_object_put(record);
	return rc < 0 ? err_errno(err, rc, "cannot write the journal") : 0;
}

void journal_close(struct journal *journal)
{
	for (size_t i = 0; i < JOURNAL_PLACES; i++)
		cleanup_close(&journal->fds[i]);
	*journal = JOURNAL_NONE;
}

/* The object that is all of `text`, or NULL. */
static struct json_object *parse_object(const char *text, size_t length)
{
	struct json_tokener *tokener = json_tokener_new_ex(MAX_DEPTH);
	struct json_object *object = NULL;

	if (tokener && length < INT32_MAX)
		object = json_tokener_parse_ex(tokener, text, (int)length);
	if (object &&
	    (json_tokener_get_error(tokener) != json_tokener_success ||
	     json_tokener_get_parse_end(tokener) != length || !json_object_is_type(object, json_type_object))) {
		json_object_put(object);
		object = NULL;
	}
	if (tokener)
		json_tokener_free(tokener);
	return object;
}

/* The record of one line (without its newline), NULL when it is not whole. */
static struct json_object *parse_line(const char *line, size_t length, uint32_t *sum)
{
	struct json_object *object;
	char digits[9], *end;
	uint32_t now;

	if (length < 11 || line[8] != ' ' || memchr(line, '\0', length))
		return NULL;
	memcpy(digits, line, 8);
	digits[8] = '\0';
	if (strspn(digits, "0123456789abcdef") != 8)
		return NULL;
	now = checksum(*sum, line + 9, length - 9);
	if (strtoul(digits, &end, 16) != now)
		return NULL;
	object = parse_object(line + 9, length - 9);
	if (object)
		*sum = now;
	return object;
}

static bool is_known_version(struct json_object *first)
{
	struct json_object *version;

	return json_object_object_get_ex(first, "journal", &version) &&
	       json_object_is_type(version, json_type_int) && json_object_get_int64(version) == JOURNAL_VERSION;
}

int journal_parse(char *text, size_t length, struct journal_records *records, size_t *whole, uint32_t *sum,
		  struct err *err)
{
	*whole = 0;
	*sum = 0;
	while (*whole < length) {
		char *line = text + *whole, *end = memchr(line, '\n', length - *whole);
		struct json_object *record = end ? parse_line(line, (size_t)(end - line), sum) : NULL;
		struct json_object **slot;

		if (!record && (!end || end + 1 == text + length))
			return 0;
		if (!record)
			return err_set(err, -EBADMSG, "record %zu (byte %zu) is corrupt", records->list.count + 1,
				       *whole);
		slot = array_add(&records->list);
		if (!slot) {
			json_object_put(record);
			return err_set(err, -ENOMEM, "out of memory");
		}
		*slot = record;
		if (records->list.count == 1 && !is_known_version(record))
			return err_set(err, -EBADMSG, "it is of a version that this program does not know");
		*whole = (size_t)(end + 1 - text);
	}
	return 0;
}

static int read_file(const struct root *root, enum journal_place place, const char *id,
		     struct journal_records *records, size_t *whole, uint32_t *sum, struct err *err)
{
	_cleanup_close_ int fd = journal_is_id(id) ? open_file(root, place, id, O_RDONLY) : -EINVAL;
	_cleanup_free_ char *text = NULL;
	ssize_t length;
	int rc;

	if (fd < 0)
		return place_error(place, id, fd, err);
	length = read_whole(fd, MAX_JOURNAL, &text);
	if (length < 0)
		return place_error(place, id, (int)length, err);
	rc = journal_parse(text, (size_t)length, records, whole, sum, err);
	return rc < 0 ? err_wrap(err, "cannot use the journal %s/%s", places[place].path, id) : 0;
}

int journal_read(const struct root *root, enum journal_place place, const char *id,
		 struct journal_records *records, struct err *err)
{
	size_t whole;
	uint32_t sum;

	return read_file(root, place, id, records, &whole, &sum, err);
}

static int append_place(const struct root *root, enum journal_place place, const char *id, struct journal *journal,
			struct err *err)
{
	struct journal_records records = { 0 };
	_cleanup_close_ int fd = -1;
	size_t whole = 0;
	int rc = read_file(root, place, id, &records, &whole, &journal->sums[place], err);

	journal_free(&records);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	fd = open_file(root, place, id, O_WRONLY | O_APPEND);
	if (fd < 0 || ftruncate(fd, (off_t)whole) < 0)
		return place_error(place, id, fd < 0 ? fd : -errno, err);
	journal->fds[place] = take_fd(&fd);
	return 0;
}

int journal_append(const struct root *root, const char *id, struct journal *journal, struct err *err)
{
	int rc = 0;

	*journal = JOURNAL_NONE;
	for (enum journal_place place = 0; rc == 0 && place < JOURNAL_PLACES; place++)
		rc = append_place(root, place, id, journal, err);
	if (rc < 0)
		journal_close(journal);
	return rc;
}

void journal_free(struct journal_records *records)
{
	array_each(record, &records->list)
		json_object_put(*record);
	free(records->list.items);
	memset(records, 0, sizeof(*records));
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct journal_name *)a)->id, ((const struct journal_name *)b)->id);
}

static int note_name(struct journal_names *names, enum journal_place place, const char *id)
{
	struct journal_name *added;

	array_each(name, &names->list)
		if (strcmp(name->id, id) == 0) {
			name->in[place] = true;
			return 0;
		}
	if (names->list.count >= MAX_JOURNALS)
		return -E2BIG;
	added = array_add(&names->list);
	if (!added)
		return -ENOMEM;
	strcpy(added->id, id);
	added->in[place] = true;
	return 0;
}

static int list_place(const struct root *root, enum journal_place place, struct journal_names *names)
{
	int fd = open_place(root, place, false), rc = 0;
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (rc == 0 && (entry = readdir(dir)))
		if (journal_is_id(entry->d_name))
			rc = note_name(names, place, entry->d_name);
	return rc;
}

int journal_list(const struct root *root, struct journal_names *names, struct err *err)
{
	for (enum journal_place place = 0; place < JOURNAL_PLACES; place++) {
		int rc = list_place(root, place, names);

		if (rc < 0)
			return err_errno(err, rc, "cannot list the journals in %s", places[place].path);
	}
	if (names->list.count)
		qsort(names->list.items, names->list.count, sizeof(*names->list.items), compare_names);
	return 0;
}

int journal_remove(const struct root *root, enum journal_place place, const char *id)
{
	_cleanup_close_ int directory = open_place(root, place, false);

	if (directory < 0)
		return directory == -ENOENT ? 0 : directory;
	return unlinkat(directory, id, 0) < 0 && errno != ENOENT ? -errno : 0;
}

dev_t journal_dev(const struct root *root, enum journal_place place)
{
	_cleanup_close_ int fd = open_place(root, place, false);
	struct stat found;

	if (fd >= 0 && fstat(fd, &found) == 0)
		return found.st_dev;
	return fstatat(root->fd, places[place].parent, &found, 0) == 0 ? found.st_dev : 0;
}
