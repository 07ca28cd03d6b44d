// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/handoff.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "util/child.h"
#include "util/cleanup.h"
#include "util/text.h"

#define DEFAULT_PATH "/usr/sbin:/usr/bin:/sbin:/bin"
#define SAYS_MAX     65536
#define SAYS_MS	     2000
/* As the kernel allows in a path, with room for its components. */
#define HOPS_MAX 256

/* A script that calls this program back under the same name would go round for ever. */
#define ROUNDS_VARIABLE "DAX_RETIRE_HANDED_ON"
#define ROUNDS_MAX	8

static int only_root_writes(int fd, struct err *err)
{
	_cleanup_free_ char *path = NULL;
	char link[32], where[512];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	path = realpath(link, NULL);
	return err_set(err, -EPERM, "others than root may write %s",
		       printable(path ? path : "a directory on its path", where, sizeof(where)));
}

/* `rest` with its first component cut off into *name; NULL when there is none. */
static char *cut_component(char *rest, const char **name)
{
	char *end;

	rest += strspn(rest, "/");
	*name = *rest ? rest : NULL;
	end = rest + strcspn(rest, "/");
	if (!*end)
		return end;
	*end = '\0';
	return end + 1;
}

/* What is left to walk after a link: its target, then the rest. */
static int follow_link(int fd, int *dir, const char *rest, char **next)
{
	char target[PATH_MAX];
	ssize_t length = readlinkat(fd, "", target, sizeof(target) - 1);

	if (length < 0)
		return -errno;
	target[length] = '\0';
	if (target[0] == '/') {
		cleanup_close(dir);
		*dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (*dir < 0)
			return -errno;
	}
	return asprintf(next, "%s/%s", target, rest) < 0 ? -ENOMEM : 0;
}

/* One component further. 1: *dir is the end of the walk; 0: go on. */
static int walk_component(int *dir, char **rest, struct err *err)
{
	_cleanup_free_ char *walked = *rest;
	_cleanup_close_ int fd = -1;
	const char *name;
	struct stat st;
	int rc = only_root_writes(*dir, err);

	*rest = cut_component(walked, &name);
	if (rc == 0 && name) {
		fd = openat(*dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		rc = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;
	}
	if (rc == 0 && name && S_ISLNK(st.st_mode)) {
		char *next = NULL;

		rc = follow_link(fd, dir, *rest, &next);
		*rest = next;
		return rc;
	}
	if (rc == 0 && name) {
		cleanup_close(dir);
		*dir = take_fd(&fd);
	}
	*rest = strdup(*rest);
	if (rc < 0)
		return rc;
	return name ? 0 : 1;
}

/* Opens (O_PATH) what `path` leads to, when only root can have a say in that. */
static int open_trusted(const char *path, struct err *err)
{
	_cleanup_close_ int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *rest = strdup(path);
	int rc = 0;

	for (int hops = 0; rc == 0 && rest && at >= 0 && hops < HOPS_MAX; hops++)
		rc = walk_component(&at, &rest, err);
	if (rc < 0)
		return rc;
	return rc == 1 ? take_fd(&at) : -ELOOP;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* 1: it can be handed on to; 0: pass it over without a word; negative: it is refused, the message says why. */
static int is_next(const char *path, const struct stat *self, struct err *err)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int rc;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || same_file(&st, self))
		return 0;
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
		return 0;
	if (geteuid() != 0)
		return 1;
	err_set(err, -EPERM, "its path cannot be followed");
	fd = open_trusted(path, err);
	if (fd < 0)
		return fd;
	/* looked at once more through the descriptor: a race here is lost by whoever was not root */
	rc = fstat(fd, &st) < 0 ? -errno : 0;
	return rc == 0 && S_ISREG(st.st_mode) && !same_file(&st, self);
}

static int nobody_to_hand_on_to(const char *name, const char *refused, struct err *err)
{
	if (*refused)
		return err_set(err, -ENOENT, "%s", refused);
	return err_set(err, -ENOENT, "there is no other %s on PATH", name);
}

int next_program(const char *name, char **path, struct err *err)
{
	const char *variable = getenv("PATH");
	_cleanup_free_ char *list = strdup(variable ? variable : DEFAULT_PATH);
	char *cursor = list, refused[512] = "", shown[256];
	struct stat self;

	*path = NULL;
	if (stat("/proc/self/exe", &self) < 0)
		return err_errno(err, -errno, "cannot find out which program this is");
	for (char *dir; (dir = strsep(&cursor, ":"));) {
		_cleanup_free_ char *candidate = NULL;
		struct err why = { 0 };
		int rc;

		/* the current directory is no place to take programs from */
		if (dir[0] != '/')
			continue;
		if (asprintf(&candidate, "%s/%s", dir, name) < 0)
			return err_set(err, -ENOMEM, "out of memory");
		rc = is_next(candidate, &self, &why);
		if (rc > 0) {
			*path = take_ptr(candidate);
			return 0;
		}
		if (rc < 0 && !*refused)
			snprintf(refused, sizeof(refused), "%s is not used: %.240s",
				 printable(candidate, shown, sizeof(shown)), why.message);
	}
	return nobody_to_hand_on_to(name, refused, err);
}

/* Counts in the environment how often it has been handed on. */
static int count_round(const char *name, struct err *err)
{
	const char *before = getenv(ROUNDS_VARIABLE);
	uint64_t rounds = 0;
	char after[24];

	if (before && parse_number(before, &rounds) < 0)
		rounds = 0;
	if (rounds >= ROUNDS_MAX)
		return err_set(err, -ELOOP, "the %s on PATH calls this program again and again", name);
	snprintf(after, sizeof(after), "%u", (unsigned)rounds + 1);
	return setenv(ROUNDS_VARIABLE, after, 1) < 0 ? -errno : 0;
}

int hand_on(const char *name, int argc, const char **argv, struct err *err)
{
	_cleanup_free_ char **copy = calloc((size_t)argc + 1, sizeof(char *));
	_cleanup_free_ char *path = NULL;
	char shown[512];
	int rc = next_program(name, &path, err);

	if (rc == 0)
		rc = copy ? count_round(name, err) : err_set(err, -ENOMEM, "out of memory");
	if (rc < 0)
		return rc;
	/* execv() takes other qualifiers, and changes nothing */
	memcpy(copy, argv, (size_t)argc * sizeof(char *));
	fflush(NULL);
	execv(path, copy);
	return err_errno(err, -errno, "cannot run %s", printable(path, shown, sizeof(shown)));
}

struct question {
	const char *path, *name, *argument;
	int out; /* the pipe's end for its stdout */
};

static int ask(void *argument, int *fd)
{
	const struct question *question = argument;
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	(void)fd;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (null < 0 || dup2(null, 0) < 0 || dup2(question->out, 1) < 0 || dup2(null, 2) < 0)
		return -errno;
	execl(question->path, question->name, question->argument, (char *)NULL);
	return -errno;
}

/* Everything up to the end, the bound or the deadline. */
static char *read_answer(int fd, struct deadline deadline)
{
	char *text = malloc(SAYS_MAX + 1);
	size_t size = 0;

	while (text && size < SAYS_MAX && wait_readable(fd, -1, deadline) == 1) {
		ssize_t n = read(fd, text + size, SAYS_MAX - size);

		if (n <= 0)
			break;
		size += (size_t)n;
	}
	if (text)
		text[size] = '\0';
	return text;
}

char *next_program_says(const char *name, const char *argument)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int in = -1, out = -1;
	struct question question = { .name = name, .argument = argument };
	struct child child;
	char *text = NULL;
	int ends[2];

	if (next_program(name, &path, NULL) < 0 || count_round(name, NULL) < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return NULL;
	in = ends[0];
	out = ends[1];
	question.path = path;
	question.out = out;
	if (child_start(&child, ask, &question) < 0)
		return NULL;
	cleanup_close(&out);
	out = -1;
	text = read_answer(in, deadline_in(SAYS_MS));
	/* it has nothing more to tell */
	kill(child.pid, SIGKILL);
	wait_readable(child.pidfd, -1, deadline_in(200));
	child_reap(&child);
	return text;
}
