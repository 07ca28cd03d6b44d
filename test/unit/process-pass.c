// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pass over the processes of this machine, while they come and go, are
 * large, have odd files, or do not answer. What is watched is a tmpfs of our
 * own. Needs root; else skipped.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "retire/holders/holders.h"
#include "util/root.h"

enum { SKIPPED = 77, DEEP = 20 };

/* KiB that a look may take; a sanitizer keeps books of its own. */
#ifdef __SANITIZE_ADDRESS__
enum { ROOM = 64 << 10 };
#else
enum { ROOM = 4 << 10 };
#endif

/* In a mount namespace of ours it is a tmpfs that nobody else sees, or uses. */
static const char directory[] = "/mnt";

/* Somebody else's process: our own descendants count as ourselves. It ends with the descriptor `leash`. */
struct other {
	pid_t pid;
	int leash;
};

static _Noreturn void be_other(void (*work)(int leash), int ready, int leash)
{
	pid_t pid = getpid();
	char byte;

	work(leash);
	if (write(ready, &pid, sizeof(pid)) != sizeof(pid))
		_exit(1);
	_exit(read(leash, &byte, 1) != 0);
}

static struct other start(void (*work)(int leash))
{
	struct other other;
	int ready[2], leash[2];
	pid_t pid;

	assert_return_code(pipe2(ready, O_CLOEXEC), errno);
	assert_return_code(pipe2(leash, O_CLOEXEC), errno);
	pid = fork();
	if (pid == 0 && fork() == 0) {
		close(leash[1]);
		be_other(work, ready[1], leash[0]);
	}
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	close(ready[1]);
	close(leash[0]);
	assert_int_equal(read(ready[0], &other.pid, sizeof(other.pid)), sizeof(other.pid));
	close(ready[0]);
	other.leash = leash[1];
	return other;
}

static void end(struct other other)
{
	close(other.leash);
}

static void find(struct look *look)
{
	struct device *device = array_add(&look->devices);
	struct holder *holder;
	struct root root;
	struct stat st;

	*device = (struct device){ .name = strdup("namespace0.0"), .blockdev = strdup("pmem0") };
	holder = look_add_holder(look, HOLDER_FILESYSTEM, 0, 0, "%s", directory);
	assert_return_code(stat(directory, &st), errno);
	holder->dev = st.st_dev;
	assert_int_equal(root_open(&root, NULL), 0);
	assert_true(holder_kinds[HOLDER_PROCESS]->probe(&root, look, NULL) >= 0);
	root_close(&root);
}

/* What this machine denies even to root, of its first process and of what that forks, is not ours. */
static size_t unknowns_of(const struct look *look)
{
	const char *denied = NULL;
	size_t count = 0;

	array_each(unknown, &look->unknowns)
		if (strcmp(unknown->subject, "process 1") == 0)
			denied = unknown->reason;
	array_each(unknown, &look->unknowns) {
		if (denied && strcmp(unknown->reason, denied) == 0)
			continue;
		print_message("%s: %s\n", unknown->subject, unknown->reason);
		count++;
	}
	return count;
}

static const char *reason_of(const struct look *look)
{
	const char *reason = NULL;

	array_each(unknown, &look->unknowns)
		if (strcmp(unknown->subject, "process 1") != 0)
			reason = unknown->reason;
	return reason;
}

static const struct process *found(const struct look *look, struct other other)
{
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_PROCESS && holder->process.pid == other.pid)
			return &holder->process;
	return NULL;
}

static void open_file(int leash)
{
	char path[64];

	(void)leash;
	snprintf(path, sizeof(path), "%s/file", directory);
	if (open(path, O_RDWR | O_CREAT, 0600) < 0)
		_exit(1);
}

static void open_many(int leash)
{
	int last = open("/dev/null", O_RDWR);
	struct rlimit limit;

	open_file(leash);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	while (last >= 0)
		last = dup(last);
}

/* One generation after the other, each of which lives for a moment and none of which has a file of ours. */
static void be_storm(int leash)
{
	struct pollfd held = { .fd = leash };

	if (fork() > 0)
		return;
	while (poll(&held, 1, 0) == 0)
		if (fork() > 0)
			_exit(0);
	_exit(0);
}

static void who_stays_is_found_while_others_come_and_go(void **state)
{
	struct look look = { 0 };
	struct other storm, stays = start(open_file);

	(void)state;
	storm = start(be_storm);
	for (int round = 0; round < 5; round++) {
		find(&look);
		assert_non_null(found(&look, stays));
		assert_int_equal(unknowns_of(&look), 0);
		look_free(&look);
		look = (struct look){ 0 };
	}
	end(storm);
	end(stays);
}

/* Maps it, deletes it, closes it. */
static void map_and_forget(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDWR | O_CREAT, 0600);

	if (fd < 0 || ftruncate(fd, 4096) < 0 || mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ||
	    unlinkat(dir, name, 0) < 0)
		_exit(1);
	close(fd);
}

static void map_odd_name(int leash)
{
	(void)leash;
	map_and_forget(open(directory, O_PATH), "7f00-7f01 r--p 0 00:01 7\n (deleted)\n7f00-7f01 \xff");
}

/* Longer than any path that a call takes. */
static void map_deep(int leash)
{
	char name[256] = "";
	int dir = open(directory, O_PATH);

	(void)leash;
	memset(name, 'd', 255);
	for (int depth = 0; depth < DEEP; depth++) {
		int above = dir;

		if (mkdirat(above, name, 0700) < 0)
			_exit(1);
		dir = openat(above, name, O_PATH);
		close(above);
	}
	map_and_forget(dir, "file");
	close(dir);
}

static void maps_with_odd_names_are_found(void **state)
{
	struct other others[] = { start(map_odd_name), start(map_deep) };
	struct look look = { 0 };

	(void)state;
	find(&look);
	assert_int_equal(unknowns_of(&look), 0);
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		assert_non_null(found(&look, others[i]));
		assert_true(found(&look, others[i])->uses & USE_MAP);
		end(others[i]);
	}
	look_free(&look);
}

static void many_descriptors_take_no_memory(void **state)
{
	struct other many = start(open_many);
	struct rusage before, after;
	struct look look = { 0 };

	(void)state;
	getrusage(RUSAGE_SELF, &before);
	find(&look);
	assert_int_equal(found(&look, many)->uses, USE_OPEN);
	getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_maxrss - before.ru_maxrss < ROOM);
	getrusage(RUSAGE_CHILDREN, &after);
	assert_true(after.ru_maxrss - before.ru_maxrss < ROOM);
	look_free(&look);
	end(many);
}

static bool has_open(pid_t pid, const char *path)
{
	char link[64], target[64];

	for (int fd = 0; fd < 64; fd++) {
		ssize_t n;

		snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, fd);
		n = readlink(link, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		if (strcmp(target, path) == 0)
			return true;
	}
	return false;
}

/* Stops the child of `pid` that looks at `victim`: to others it is as one that sleeps in the kernel. */
static void stop_who_looks_at(pid_t pid, pid_t victim)
{
	char path[64], files[64], text[256], *end;
	bool done = false;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	snprintf(files, sizeof(files), "/proc/%d/fd", victim);
	while (!done) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		pid_t child;

		if (n < 0)
			return;
		text[n] = '\0';
		close(fd);
		for (char *at = text; !done && (child = (pid_t)strtol(at, &end, 10)) > 0; at = end)
			done = has_open(child, files) && kill(child, SIGSTOP) == 0;
	}
}

static void start_stopper(pid_t victim)
{
	pid_t self = getpid(), between = fork();

	if (between == 0 && fork() == 0) {
		stop_who_looks_at(self, victim);
		_exit(0);
	}
	if (between == 0)
		_exit(0);
	waitpid(between, NULL, 0);
}

static void the_process_at_which_a_look_gets_stuck_is_unknown(void **state)
{
	/* large, so that looking at it takes long enough to be met */
	struct other stuck = start(open_many), other = start(open_file);
	struct look look = { 0 };

	(void)state;
	start_stopper(stuck.pid);
	/* on a busy machine it may come late */
	for (int round = 0; !unknowns_of(&look) && round < 10; round++) {
		look_free(&look);
		look = (struct look){ 0 };
		find(&look);
	}
	assert_int_equal(unknowns_of(&look), 1);
	assert_string_equal(reason_of(&look), "does not answer");
	assert_null(found(&look, stuck));
	assert_non_null(found(&look, other));
	look_free(&look);
	end(stuck);
	end(other);
}

static int set_up(void **state)
{
	(void)state;
	return unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
			       mount("none", directory, "tmpfs", 0, NULL)
		       ? -1
		       : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_stays_is_found_while_others_come_and_go),
		cmocka_unit_test(maps_with_odd_names_are_found),
		cmocka_unit_test(many_descriptors_take_no_memory),
		cmocka_unit_test(the_process_at_which_a_look_gets_stuck_is_unknown),
	};

	if (geteuid() != 0)
		return SKIPPED;
	return cmocka_run_group_tests(tests, set_up, NULL);
}
