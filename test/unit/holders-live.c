// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Processes of this machine that $MKHOLDER makes on a tmpfs of ours: which of
 * them the probe finds, and what for. Needs root; else skipped.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "retire/holders/holders.h"
#include "retire/holders/suspects.h"
#include "util/root.h"

enum { SKIPPED = 77 };

/* In a mount namespace of ours it is a tmpfs that nobody else sees, or uses. */
static const char directory[] = "/mnt";

static pid_t make_holder(const char *kind, const char *path)
{
	char line[64] = "";
	int ends[2];
	pid_t pid;

	assert_return_code(pipe2(ends, O_CLOEXEC), errno);
	/* our own children are none of the probe's: it has to be somebody else's */
	pid = fork();
	if (pid == 0 && fork() == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execl(getenv("MKHOLDER"), "mkholder", kind, path, NULL);
		_exit(127);
	}
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	close(ends[1]);
	assert_true(read(ends[0], line, sizeof(line) - 1) > 0);
	close(ends[0]);
	assert_int_equal(sscanf(line, "ready %d", &pid), 1);
	return pid;
}

/* Under a name of its own each time: some kinds make the file. */
static const char *path_for(const char *kind)
{
	static const char *const directories[] = { "cwd", "root", "thread-cwd" };
	static const char *const made[] = { "socket-bound", "epoll", "exe", "open-deleted" };
	static char path[128];
	FILE *file;

	for (size_t i = 0; i < COUNT_OF(directories); i++)
		if (strcmp(kind, directories[i]) == 0)
			return directory;
	snprintf(path, sizeof(path), "%s/%s", directory, kind);
	for (size_t i = 0; i < COUNT_OF(made); i++)
		if (strcmp(kind, made[i]) == 0)
			return path;
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("content\n", file);
	fclose(file);
	return path;
}

/* What processes are found for on our file system. */
static void find_users(struct look *look)
{
	struct device *device = array_add(&look->devices);
	struct holder *filesystem;
	struct root root;
	struct stat st;

	assert_non_null(device);
	*device = (struct device){ .name = strdup("namespace0.0"), .mode = MODE_FSDAX };
	filesystem = look_add_holder(look, HOLDER_FILESYSTEM, 0, 0, "live");
	assert_non_null(filesystem);
	assert_return_code(stat(directory, &st), errno);
	filesystem->dev = st.st_dev;
	filesystem->filesystem.dev = st.st_dev;
	assert_return_code(root_open(&root, NULL), 0);
	assert_true(holder_kinds[HOLDER_PROCESS]->probe(&root, look, NULL) >= 0);
	root_close(&root);
}

static unsigned uses_of(const struct look *look, pid_t pid)
{
	unsigned uses = 0;

	array_each(holder, &look->holders)
		if (holder->type == HOLDER_PROCESS && holder->process.pid == pid)
			uses |= holder->process.uses;
	return uses;
}

static void every_kind_is_found_for_what_it_does(void **state)
{
	static const struct {
		const char *kind;
		unsigned uses;
	} rows[] = {
		{ "open", USE_OPEN },
		{ "open-path", USE_OPEN },
		{ "open-deleted", USE_OPEN },
		{ "lock", USE_OPEN },
		{ "lease", USE_OPEN },
		{ "map", USE_MAP },
		{ "map-private", USE_MAP },
		{ "map-deleted", USE_MAP },
		{ "pin", USE_MAP },
		{ "cwd", USE_CWD },
		{ "root", USE_ROOT },
		{ "exe", USE_EXE | USE_MAP },
		{ "thread-files", USE_OPEN },
		{ "thread-ring", USE_OPEN | USE_PIN },
		{ "thread-cwd", USE_CWD },
		{ "leader-gone", USE_OPEN },
		{ "leader-gone-map", USE_MAP },
		{ "leader-gone-ring", USE_OPEN | USE_PIN },
		{ "socket-bound", USE_SOCKET },
		{ "inotify", 0 },
		{ "fanotify", 0 },
		{ "epoll", 0 },
	};

	struct look look = { .initial_namespaces = true };
	pid_t pids[COUNT_OF(rows)];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		pids[i] = make_holder(rows[i].kind, path_for(rows[i].kind));
	find_users(&look);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		unsigned uses = uses_of(&look, pids[i]);

		kill(pids[i], SIGKILL);
		if (uses != rows[i].uses)
			print_error("%s: 0x%x\n", rows[i].kind, uses);
	}
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(uses_of(&look, pids[i]), rows[i].uses);
	look_free(&look);
}

/* What only a kernel that answers tells. */
static bool kernel_answers(void)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct look look = { .initial_namespaces = true };
	struct suspects suspects;
	struct root root;
	bool answers;

	assert_return_code(root_open(&root, NULL), 0);
	assert_return_code(suspects_find(&root, &look, proc, &suspects), 0);
	answers = !suspects.all;
	suspects_free(&suspects);
	root_close(&root);
	close(proc);
	return answers;
}

static void what_proc_does_not_show_is_found_where_the_kernel_tells(void **state)
{
	static const struct {
		const char *kind;
		unsigned uses;
	} rows[] = {
		{ "flight", USE_FLIGHT },
		{ "flight-received", USE_FLIGHT },
		{ "flight-nested", USE_FLIGHT },
		{ "flight-twice-nested", USE_FLIGHT },
		{ "flight-unaccepted", USE_FLIGHT },
		{ "uring-file", USE_RING },
	};
	struct look look = { .initial_namespaces = true };
	bool told = kernel_answers();
	pid_t pids[COUNT_OF(rows)];

	(void)state;
	print_message(told ? "the kernel tells\n" : "the kernel does not tell\n");
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		pids[i] = make_holder(rows[i].kind, path_for(rows[i].kind));
	find_users(&look);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		unsigned uses = uses_of(&look, pids[i]);

		kill(pids[i], SIGKILL);
		if (uses != (told ? rows[i].uses : 0))
			print_error("%s: 0x%x\n", rows[i].kind, uses);
	}
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(uses_of(&look, pids[i]), told ? rows[i].uses : 0);
	look_free(&look);
}

/* Every page of this machine stands in for those of a device. */
static void find_page_keepers(struct look *look)
{
	struct device *device = array_add(&look->devices);
	struct references *references = array_add(&look->references);
	struct memory_range *memory;
	struct root root;

	assert_non_null(device);
	assert_non_null(references);
	*device = (struct device){ .name = strdup("namespace0.0"), .mode = MODE_FSDAX };
	memory = array_add(&device->memory);
	assert_non_null(memory);
	*memory = (struct memory_range){ .size = (uint64_t)sysconf(_SC_PAGESIZE) * ((1ULL << 40) - 1) };
	*references = (struct references){ .known = true, .counted = 2, .referenced = 1 };
	look->page_array = (struct page_array){ 0xffffc00000000000, 64 };
	assert_return_code(root_open(&root, NULL), 0);
	assert_return_code(holders_find_page_keepers(&root, look), 0);
	root_close(&root);
}

static void who_keeps_pages_is_found_where_the_kernel_tells(void **state)
{
	static const char *const kinds[] = { "pin", "invisible-pin", "flight-pinned", "uring-buffer" };
	struct look look = { .initial_namespaces = true };
	pid_t pids[COUNT_OF(kinds)], idle = make_holder("nothing", NULL);
	bool told = kernel_answers();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		pids[i] = make_holder(kinds[i], "/dev/zero");
	find_page_keepers(&look);
	kill(idle, SIGKILL);
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		kill(pids[i], SIGKILL);
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		assert_int_equal(uses_of(&look, pids[i]), told ? USE_PAGES : 0);
	assert_int_equal(uses_of(&look, idle), 0);
	array_each(holder, &look.holders) {
		assert_ptr_equal(holder->kind, holder_kinds[HOLDER_PROCESS]);
		assert_true(holder->process.pages_fd >= 0);
		/* both ends of its pipe are of one, and have one page */
		if (told && holder->process.pid == pids[0])
			assert_int_equal(holder->process.pinned, 1);
		assert_true(holder->process.pinned > 0);
	}
	look_free(&look);
}

/* True when it has a program of BPF, or what that goes over, open. */
static bool asks_the_kernel(pid_t pid)
{
	for (int fd = 3; fd < 64; fd++) {
		char link[64], target[64] = "";

		snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, fd);
		if (readlink(link, target, sizeof(target) - 1) > 0 && strstr(target, "bpf"))
			return true;
	}
	return false;
}

/* Stops the child of `pid` that asks the kernel: to others it is as one that sleeps there. 0: none came. */
static int stop_who_asks(pid_t pid)
{
	char path[64], text[256], *end;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	for (int tries = 0; tries < 2000; tries++, usleep(100)) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		pid_t child;

		close(fd);
		text[n > 0 ? n : 0] = '\0';
		for (char *at = text; (child = (pid_t)strtol(at, &end, 10)) > 0; at = end)
			if (asks_the_kernel(child) && kill(child, SIGSTOP) == 0)
				return 1;
	}
	return 0;
}

static void a_kernel_that_does_not_come_back_is_given_up(void **state)
{
	struct look look = { .initial_namespaces = true };
	pid_t self = getpid(), user, stopper;
	int status;

	(void)state;
	user = make_holder("open", path_for("open"));
	stopper = fork();
	if (stopper == 0)
		_exit(stop_who_asks(self));
	find_users(&look);
	kill(user, SIGKILL);
	waitpid(stopper, &status, 0);
	assert_int_equal(uses_of(&look, user), USE_OPEN);
	assert_true(WIFEXITED(status));
	print_message(WEXITSTATUS(status) ? "given up\n" : "not asked\n");
	look_free(&look);
}

static void give_up_tracing(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		_exit(SKIPPED);
	data[0].effective &= ~(1U << CAP_SYS_PTRACE);
	if (syscall(SYS_capset, &header, data) < 0)
		_exit(SKIPPED);
}

/* Where nobody is in sight, nobody is not the answer. */
static void what_proc_hides_is_unknown(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0) {
		struct look look = { .initial_namespaces = true };

		if (unshare(CLONE_NEWNS) < 0 || mount("proc", "/proc", "proc", 0, "hidepid=invisible") < 0)
			_exit(SKIPPED);
		give_up_tracing();
		find_users(&look);
		array_each(unknown, &look.unknowns)
			if (strcmp(unknown->subject, "processes") == 0)
				_exit(look_is_complete(&look));
		_exit(2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void who_may_hold_what_nothing_shows_is_a_suspect(void **state)
{
	static const struct {
		const char *kind, *what;
	} rows[] = {
		{ "flight", "descriptors in flight" },
		{ "flight-received", "descriptors in flight" },
		{ "flight-nested", "descriptors in flight" },
		{ "flight-unaccepted", "descriptors in flight" },
		{ "uring-file", "files registered with io_uring" },
		{ "fanotify-event", "fanotify events" },
	};
	pid_t pids[COUNT_OF(rows)], idle = make_holder("nothing", NULL);
	char *likely, text[128];
	struct root root;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		pids[i] = make_holder(rows[i].kind, path_for(rows[i].kind));
	assert_return_code(root_open(&root, NULL), 0);
	likely = holders_likely(&root);
	root_close(&root);
	kill(idle, SIGKILL);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		kill(pids[i], SIGKILL);
	assert_non_null(likely);
	snprintf(text, sizeof(text), "[%d]", idle);
	assert_null(strstr(likely, text));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		snprintf(text, sizeof(text), "mkholder[%d] (%s)", pids[i], rows[i].what);
		/* a machine with many of them has more than are named */
		if (!strstr(likely, text) && !strstr(likely, " more"))
			fail_msg("%s is not in: %s", rows[i].kind, likely);
	}
	free(likely);
}

/* A process with a few files that ends soon, and the next one, until the parent has ended. */
static pid_t make_mayflies(void)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		pid_t one = fork();

		if (one == 0) {
			for (int i = 0; i < 64; i++)
				dup(STDERR_FILENO);
			usleep((useconds_t)(getpid() % 7 * 50));
			_exit(0);
		}
		usleep(20);
	}
}

static bool is_unknown(const struct look *look, const char *subject)
{
	array_each(unknown, &look->unknowns)
		if (strcmp(unknown->subject, subject) == 0)
			return true;
	return false;
}

/* Its links are denied for a moment, and that is no secret that somebody keeps. */
static void who_ends_while_being_looked_at_is_not_unknown(void **state)
{
	struct look before = { .initial_namespaces = true };
	pid_t mayflies[3];

	(void)state;
	/* in a container the first process may be out of reach */
	find_users(&before);
	for (size_t i = 0; i < COUNT_OF(mayflies); i++)
		mayflies[i] = make_mayflies();
	for (int round = 0; round < 30; round++) {
		struct look look = { .initial_namespaces = true };

		find_users(&look);
		array_each(unknown, &look.unknowns)
			if (!is_unknown(&before, unknown->subject))
				fail_msg("%s: %s", unknown->subject, unknown->reason);
		look_free(&look);
	}
	for (size_t i = 0; i < COUNT_OF(mayflies); i++)
		kill(mayflies[i], SIGKILL);
	for (size_t i = 0; i < COUNT_OF(mayflies); i++)
		waitpid(mayflies[i], NULL, 0);
	look_free(&before);
}

static bool make_place(void)
{
	return getenv("MKHOLDER") && geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", directory, "tmpfs", 0, NULL) == 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_found_for_what_it_does),
		cmocka_unit_test(what_proc_does_not_show_is_found_where_the_kernel_tells),
		cmocka_unit_test(who_keeps_pages_is_found_where_the_kernel_tells),
		cmocka_unit_test(a_kernel_that_does_not_come_back_is_given_up),
		cmocka_unit_test(what_proc_hides_is_unknown),
		cmocka_unit_test(who_may_hold_what_nothing_shows_is_a_suspect),
		cmocka_unit_test(who_ends_while_being_looked_at_is_not_unknown),
	};

	return make_place() ? cmocka_run_group_tests(tests, NULL, NULL) : SKIPPED;
}
