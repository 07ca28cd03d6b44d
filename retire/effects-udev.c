// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/effects-udev.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "retire/effects-program.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

#define KEPT_OFFLINE "/run/dax-retire/offline" /* a file for each block: "memory33" */
#define RUN_RULES    "/run/udev/rules.d"
#define FIRST_LINE   "# Until a command of dax-retire ends: its blocks of memory pass by.\n"
#define PASS_BY	     "SUBSYSTEM==\"memory\", TEST==\"" KEPT_OFFLINE "/%k\", GOTO=\"dax_retire_end\"\n"
#define LABEL_LINE   "\n\nLABEL=\"dax_retire_end\"\n"

enum { RULES_SIZE = 1 << 20 };

/* Those that one in /run stands for; and the one that stands for it. */
static const char *const below[] = { "/usr/local/lib/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d" };
#define ABOVE "/etc/udev/rules.d"

static DIR *open_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !dir)
		close(fd);
	return dir;
}

/* The first `max` bytes or all; NULL where it cannot be read. */
static char *read_file(int directory, const char *name)
{
	_cleanup_close_ int fd = openat(directory, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char *text = NULL;

	return fd >= 0 && read_whole(fd, RULES_SIZE, &text) >= 0 ? text : NULL;
}

static int write_file(int directory, const char *name, const char *text)
{
	_cleanup_close_ int fd =
		openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	size_t length = strlen(text);

	if (fd < 0)
		return -errno;
	for (ssize_t n = 0; length; text += n, length -= (size_t)n) {
		n = write(fd, text, length);
		if (n < 0)
			return -errno;
	}
	return 0;
}

/* Complete from the moment on at which it has its name; and nobody else's is replaced. */
static int add_copy(int run, const char *name, const char *rules)
{
	_cleanup_free_ char *text = NULL;
	int rc;

	if (asprintf(&text, "%s%s%s", FIRST_LINE PASS_BY, rules, LABEL_LINE) < 0)
		return -ENOMEM;
	unlinkat(run, ".dax-retire", 0);
	rc = write_file(run, ".dax-retire", text);
	if (rc == 0 && renameat2(run, ".dax-retire", run, name, RENAME_NOREPLACE) < 0)
		rc = -errno;
	if (rc < 0)
		unlinkat(run, ".dax-retire", 0);
	return rc == -EEXIST ? 1 : rc;
}

static bool is_rules(const char *name)
{
	size_t length = strlen(name);

	return length > strlen(".rules") && *name != '.' &&
	       strcmp(name + length - strlen(".rules"), ".rules") == 0;
}

static bool exists_in(const char *directory, const char *name)
{
	char path[512];

	return snprintf(path, sizeof(path), "%s/%s", directory, name) < (int)sizeof(path) &&
	       faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Does another directory's file of this name count, and not this one's? */
static bool is_overruled(size_t from, const char *name)
{
	for (size_t i = 0; i < from; i++)
		if (exists_in(below[i], name))
			return true;
	return exists_in(ABOVE, name) || exists_in(RUN_RULES, name);
}

/* 0 some were copied, 1 none, or a negative errno. */
static int copy_from(size_t from, int run)
{
	_cleanup_closedir_ DIR *dir = open_directory(below[from]);
	struct dirent *entry;
	int done = 1;

	while (dir && (entry = readdir(dir))) {
		_cleanup_free_ char *rules = NULL;
		int rc;

		if (!is_rules(entry->d_name) || is_overruled(from, entry->d_name))
			continue;
		rules = read_file(dirfd(dir), entry->d_name);
		if (!rules || !strstr(rules, "\"memory\""))
			continue;
		rc = add_copy(run, entry->d_name, rules);
		if (rc < 0)
			return rc;
		done &= rc;
	}
	return done;
}

static int name_blocks(const struct system_ram *memory)
{
	_cleanup_close_ int directory = -1;
	char name[32];

	if ((mkdir("/run/dax-retire", 0700) < 0 && errno != EEXIST) ||
	    (mkdir(KEPT_OFFLINE, 0700) < 0 && errno != EEXIST))
		return -errno;
	directory = open(KEPT_OFFLINE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory < 0)
		return -errno;
	array_each(block, &memory->blocks) {
		int rc;

		snprintf(name, sizeof(name), "memory%" PRIu64, block->number);
		rc = write_file(directory, name, "");
		if (rc < 0 && rc != -EEXIST)
			return rc;
	}
	return 0;
}

/* udevd looks for changed rules by itself, but only every few seconds: src/udev/udev-manager.c. */
static int reload(void)
{
	char program[] = "/usr/bin/udevadm", old[] = "/bin/udevadm", command[] = "control";
	char option[] = "--reload", limit[] = "--timeout=4";
	char *argv[] = { program, command, option, limit, NULL };

	if (access("/run/udev/control", F_OK) < 0)
		return 1;
	if (access(program, X_OK) < 0)
		argv[0] = old;
	return program_run(argv);
}

int udev_keep_offline(const struct system_ram *memory)
{
	_cleanup_close_ int run = -1;
	int rc = name_blocks(memory), done = 1;

	if (rc < 0)
		return rc;
	if (access("/run/udev", F_OK) < 0)
		return 1;
	if (mkdir(RUN_RULES, 0755) < 0 && errno != EEXIST)
		return -errno;
	run = open(RUN_RULES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (run < 0)
		return -errno;
	for (size_t i = 0; i < COUNT_OF(below); i++) {
		rc = copy_from(i, run);
		if (rc < 0)
			return rc;
		done &= rc;
	}
	return done ? 1 : reload();
}

/* 1: none of ours was there. */
static int remove_copies(void)
{
	_cleanup_closedir_ DIR *dir = open_directory(RUN_RULES);
	struct dirent *entry;
	int done = 1;

	while (dir && (entry = readdir(dir))) {
		_cleanup_free_ char *rules = is_rules(entry->d_name) ? read_file(dirfd(dir), entry->d_name) : NULL;

		if (!rules || !starts_with(rules, FIRST_LINE))
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) < 0)
			return -errno;
		done = 0;
	}
	return done;
}

static int forget_names(void)
{
	_cleanup_closedir_ DIR *dir = open_directory(KEPT_OFFLINE);
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 1 : -errno;
	while ((entry = readdir(dir)))
		if (starts_with(entry->d_name, "memory") && unlinkat(dirfd(dir), entry->d_name, 0) < 0)
			return -errno;
	return rmdir(KEPT_OFFLINE) < 0 ? -errno : 0;
}

int udev_let_online(void)
{
	int names = forget_names(), copies = remove_copies();

	if (names < 0 || copies < 0)
		return names < 0 ? names : copies;
	/* without the names a rule of ours lets nothing pass by: whether it is known to be gone matters little */
	if (copies == 0)
		reload();
	return names && copies;
}
