// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A process that was chrooted sees only a part of the mounts of its namespace:
 * show_mountinfo() leaves out what its root does not reach. So one child of
 * ours enters every namespace, which puts its root at that of the namespace
 * (mntns_install()), and reads its own table there.
 */
#include "retire/holders/mount-table.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "retire/holders/kinds.h"
#include "retire/holders/mountinfo.h"
#include "retire/holders/namespace-keepers.h"
#include "retire/holders/namespaces.h"
#include "util/child.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

enum { MAX_TABLE = 64 << 20, MAX_TABLES = 512 << 20, READ_MS = 10000 };

/* One table in the answer of the child; its text follows. */
struct frame {
	int ns;
	int error;	/* negative errno of setns(), 0: entered */
	int read_error; /* negative errno of the reading */
	uint64_t length;
};

struct reader {
	const struct look *look;
	const pid_t *pids;
	size_t lived_in; /* namespaces that have an entry in pids */
	size_t first;	 /* namespace to begin with */
	int proc;
	int answer; /* memfd */
};

static int copy_table(int from, int to, uint64_t *length)
{
	char buffer[65536];
	ssize_t n;

	for (*length = 0; (n = read(from, buffer, sizeof(buffer))) > 0; *length += (uint64_t)n) {
		if (*length + (uint64_t)n > MAX_TABLE)
			return -E2BIG;
		if (write(to, buffer, (size_t)n) != n)
			return -EIO;
	}
	if (n < 0)
		return -errno;
	/* the text ends with a NUL, which belongs to it */
	*length += 1;
	return write(to, "", 1) == 1 ? 0 : -EIO;
}

/* Our own table needs no setns() where we may not; of others a process' view is better than none. */
static int open_table(const struct reader *reader, struct frame *frame)
{
	pid_t pid = (size_t)frame->ns < reader->lived_in ? reader->pids[frame->ns] : 0;
	char path[64] = "thread-self/mountinfo";
	int fd;

	if (setns(reader->look->namespaces.items[frame->ns].fd, CLONE_NEWNS) < 0) {
		frame->error = -errno;
		if (frame->ns != 0 && !pid)
			return -ENOENT;
		if (frame->ns != 0)
			snprintf(path, sizeof(path), "%d/mountinfo", pid);
	}
	fd = openat(reader->proc, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int read_one(const struct reader *reader, int ns)
{
	struct frame frame = { .ns = ns };
	_cleanup_close_ int fd = open_table(reader, &frame);
	off_t start = lseek(reader->answer, sizeof(frame), SEEK_CUR);

	if (start < 0 || start > MAX_TABLES)
		return -E2BIG;
	frame.read_error = fd < 0 ? fd : copy_table(fd, reader->answer, &frame.length);
	if (frame.read_error)
		frame.length = 0;
	if (pwrite(reader->answer, &frame, sizeof(frame), start - (off_t)sizeof(frame)) != sizeof(frame))
		return -errno;
	return lseek(reader->answer, start + (off_t)frame.length, SEEK_SET) < 0 ? -errno : 0;
}

/* In the child. */
static int read_all(void *argument, int *fd)
{
	const struct reader *reader = argument;
	int rc = 0;

	(void)fd;
	for (size_t i = reader->first; rc == 0 && i < reader->look->namespaces.count; i++)
		rc = read_one(reader, (int)i);
	return rc;
}

static int tell_namespace(struct look *look, int ns, const char *reason)
{
	char subject[64];

	snprintf(subject, sizeof(subject), "mount namespace %llu",
		 (unsigned long long)look->namespaces.items[ns].ino);
	return add_unknown_once(look, subject, reason);
}

/* Takes the lines of one table apart, in place. */
static int add_lines(struct look *look, struct mount_table *table, int ns, char *text)
{
	char *cursor = text, *line;
	size_t odd = 0;

	while ((line = next_field(&cursor, "\n"))) {
		struct mount mount, *added;

		if (mountinfo_parse(line, &mount) < 0) {
			odd++;
			continue;
		}
		added = array_add(&table->mounts);
		if (!added)
			return -ENOMEM;
		*added = mount;
		added->ns = ns;
	}
	return odd ? tell_namespace(look, ns, "a line of its mount table could not be understood") : 0;
}

/* Splits the answer of the child. What is cut off was not read: the deadline. */
static int add_frames(struct look *look, struct mount_table *table, size_t first, char *text, size_t length)
{
	struct frame frame;
	size_t at = 0, tables = first;
	int rc = 0;

	for (; rc == 0 && tables < look->namespaces.count && at + sizeof(frame) <= length; tables++) {
		memcpy(&frame, text + at, sizeof(frame));
		at += sizeof(frame);
		if (frame.length > length - at || (size_t)frame.ns != tables)
			break;
		/* a table that was read has its NUL at least: the child died before it could fill this in */
		if (!frame.read_error && !frame.length)
			break;
		if (frame.read_error)
			rc = tell_namespace(look, frame.ns, strerror(-frame.read_error));
		else if (frame.error && frame.ns != 0)
			rc = tell_namespace(look, frame.ns, "seen only from inside one of its processes");
		if (rc == 0 && frame.length)
			rc = add_lines(look, table, frame.ns, text + at);
		at += frame.length;
	}
	if (rc == 0 && tables < look->namespaces.count)
		rc = add_unknown_once(look, "mount namespaces", "not all mount tables could be read in time");
	return rc;
}

/* The tables of the namespaces from reader->first on. */
static int read_from(struct reader *reader, struct look *look, struct mount_table *table)
{
	_cleanup_close_ int answer = memfd_create("mount-tables", MFD_CLOEXEC);
	char **text = array_add(&table->texts);
	struct child left;
	ssize_t length;
	int rc;

	if (!text || answer < 0)
		return text ? -errno : -ENOMEM;
	reader->answer = answer;
	/* whatever became of the child: what it has written so far is good */
	rc = child_run(read_all, reader, -1, deadline_in(READ_MS), NULL, &left);
	child_forget(&left);
	if (rc < 0 && rc != -ETIMEDOUT && rc != -EPROTO && rc != -E2BIG)
		return rc;
	if (lseek(answer, 0, SEEK_SET) < 0)
		return -errno;
	length = read_whole(answer, MAX_TABLES, text);
	return length < 0 ? (int)length : add_frames(look, table, reader->first, *text, (size_t)length);
}

/* A table can show the files of namespaces that no process lives in; theirs are read next. */
static int read_tables(const struct root *root, struct look *look, struct mount_table *table)
{
	_cleanup_close_ int proc = root_openf(root, O_RDONLY | O_DIRECTORY, "/proc");
	_cleanup_free_ pid_t *pids = NULL;
	struct reader reader = { .look = look, .proc = proc };
	bool walked = false;
	int rc = proc < 0 ? proc : namespaces_find(look, proc, &pids, &walked);

	reader.pids = pids;
	reader.lived_in = look->namespaces.count;
	while (rc == 0 && reader.first < look->namespaces.count) {
		size_t next = look->namespaces.count, seen = table->mounts.count;

		rc = read_from(&reader, look, table);
		if (rc == 0)
			rc = keepers_find_mounts(look, table, seen);
		if (rc == 0 && next == look->namespaces.count)
			rc = keepers_find_descriptors(look, proc, pids, reader.lived_in, walked);
		reader.first = next;
	}
	return rc;
}

static int read_recorded(const struct root *root, struct look *look, struct mount_table *table)
{
	char **text = array_add(&table->texts);
	ssize_t length = text ? root_readf(root, MAX_TABLE, text, "/proc/self/mountinfo") : -ENOMEM;
	int rc = text ? namespaces_recorded(look) : -ENOMEM;

	if (rc < 0)
		return rc;
	if (length < 0)
		return add_unknown_once(look, "mount table", strerror((int)-length));
	return add_lines(look, table, 0, *text);
}

static int compare_mounts(const void *a, const void *b)
{
	const struct mount *left = a, *right = b;

	if (left->ns != right->ns)
		return left->ns < right->ns ? -1 : 1;
	return left->id < right->id ? -1 : left->id > right->id;
}

int mount_table_read(const struct root *root, struct look *look, struct mount_table *table)
{
	int rc;

	*table = (struct mount_table){ 0 };
	rc = root->recorded ? read_recorded(root, look, table) : read_tables(root, look, table);
	if (rc < 0)
		mount_table_free(table);
	else if (table->mounts.count)
		qsort(table->mounts.items, table->mounts.count, sizeof(struct mount), compare_mounts);
	return rc;
}

struct mount *mount_table_find(const struct mount_table *table, int ns, uint64_t id)
{
	struct mount key = { .ns = ns, .id = id };

	if (!table->mounts.count)
		return NULL;
	return bsearch(&key, table->mounts.items, table->mounts.count, sizeof(key), compare_mounts);
}

struct mount *mount_table_parent(const struct mount_table *table, const struct mount *mount)
{
	struct mount *parent = mount_table_find(table, mount->ns, mount->parent);

	/* a root is its own parent, or has one that is out of reach */
	return parent == mount ? NULL : parent;
}

void mount_table_free(struct mount_table *table)
{
	free(table->mounts.items);
	array_each(text, &table->texts)
		free(*text);
	free(table->texts.items);
	*table = (struct mount_table){ 0 };
}

int look_mount(const struct look *look, const struct mount *mount)
{
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_MOUNT && holder->mount.id == mount->id && holder->mount.ns == mount->ns)
			return holder->id;
	return 0;
}
