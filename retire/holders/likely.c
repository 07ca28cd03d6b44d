// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who has what can keep a file without showing which. Only asked when
 * something is held and nobody is seen: most who have it hold other files.
 */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "retire/holders/holders.h"
#include "retire/holders/procfs.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

/* Named are this many, and not more of one file is read. */
enum { NAMED = 8, INFO_SIZE = 64 << 10 };

/* `key` in fdinfo gives how many; without one, having it is enough. */
static const struct sort {
	const char *link, *key, *what;
} sorts[] = {
	{ "socket:[", "scm_fds:", "descriptors in flight" }, /* net/unix/af_unix.c:unix_show_fdinfo() */
	{ "anon_inode:[io_uring]", "UserFiles:", "files registered with io_uring" }, /* io_uring/fdinfo.c */
	{ "anon_inode:[io_uring]", "UserBufs:", "buffers registered with io_uring" },
	{ "anon_inode:[fanotify]", NULL, "fanotify events" }, /* an unread one keeps its file and mount */
	{ "anon_inode:[fscontext]", NULL, "a file system that is not mounted yet" },
};

struct suspicion {
	const struct root *root;
	size_t found;
	char *text;
};

/* The number behind `key`, which starts a line; 0 when it is not there. */
static uint64_t number_of(const char *info, const char *key)
{
	const char *at = info;

	while (at && !starts_with(at, key)) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* Bit I: it is of sort I. */
static unsigned sorts_of(const struct root *root, const char *pid, const char *fd)
{
	_cleanup_free_ char *link = root_readlinkf(root, "/proc/%s/fd/%s", pid, fd), *info = NULL;
	unsigned found = 0;

	for (size_t i = 0; link && i < COUNT_OF(sorts); i++) {
		if (!starts_with(link, sorts[i].link))
			continue;
		if (sorts[i].key && !info && root_readf(root, INFO_SIZE, &info, "/proc/%s/fdinfo/%s", pid, fd) < 0)
			return found;
		if (!sorts[i].key || number_of(info, sorts[i].key))
			found |= 1U << i;
	}
	return found;
}

static unsigned sorts_of_process(const struct root *root, const char *pid)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, "/proc/%s/fd", pid);
	struct dirent *entry;
	unsigned found = 0;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			found |= sorts_of(root, pid, entry->d_name);
	return found;
}

static int append(char **text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int append(char **text, const char *fmt, ...)
{
	char *more = NULL, *all = NULL;
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = vasprintf(&more, fmt, ap);
	va_end(ap);
	if (rc < 0)
		return -ENOMEM;
	rc = asprintf(&all, "%s%s", *text ? *text : "", more);
	free(more);
	if (rc < 0)
		return -ENOMEM;
	free(*text);
	*text = all;
	return 0;
}

static int add_process(struct suspicion *suspicion, const char *pid, unsigned found)
{
	_cleanup_free_ char *stat = NULL;
	struct proc_stat parsed;
	const char *separator = "";
	int rc;

	if (root_readf(suspicion->root, 4096, &stat, "/proc/%s/stat", pid) <= 0 || stat_parse(stat, &parsed) < 0 ||
	    suspicion->found++ >= NAMED)
		return 0;
	rc = append(&suspicion->text, "%s%s[%d] (", suspicion->text ? ", " : "", parsed.comm, parsed.pid);
	for (size_t i = 0; rc == 0 && i < COUNT_OF(sorts); i++) {
		if (!(found & 1U << i))
			continue;
		rc = append(&suspicion->text, "%s%s", separator, sorts[i].what);
		separator = ", ";
	}
	return rc < 0 ? rc : append(&suspicion->text, ")");
}

static int find_likely(struct suspicion *suspicion)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(suspicion->root, "/proc");
	struct dirent *entry;
	uint64_t pid;
	int rc = 0;

	while (dir && rc == 0 && (entry = readdir(dir))) {
		unsigned found = 0;

		if (parse_number(entry->d_name, &pid) == 0 && (pid_t)pid != getpid())
			found = sorts_of_process(suspicion->root, entry->d_name);
		if (found)
			rc = add_process(suspicion, entry->d_name, found);
	}
	if (rc == 0 && suspicion->found > NAMED)
		rc = append(&suspicion->text, " and %zu more", suspicion->found - NAMED);
	return rc;
}

char *holders_likely(const struct root *root)
{
	struct suspicion suspicion = { .root = root };

	if (find_likely(&suspicion) == 0)
		return suspicion.text;
	free(suspicion.text);
	return NULL;
}
