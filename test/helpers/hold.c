// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hold: makes holders, for the tests.
 *
 *	hold [--ignore-term] KIND [PATH] [NUMBER]
 *
 * Prints "ready PID" when it holds, then waits for a signal. The kinds are in
 * the table at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define _noreturn_ __attribute__((noreturn))

static void _noreturn_ fail(const char *what)
{
	fprintf(stderr, "hold: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void ready(void)
{
	printf("ready %d\n", getpid());
	fflush(stdout);
}

static void _noreturn_ hold_on(void)
{
	ready();
	for (;;)
		pause();
}

static int open_or_fail(const char *path, int flags)
{
	int fd = open(path, flags, 0600);

	if (fd < 0)
		fail(path);
	return fd;
}

static void hold_open(const char *path, long number)
{
	(void)number;
	open_or_fail(path, O_RDONLY);
	hold_on();
}

static void hold_deleted(const char *path, long number)
{
	(void)number;
	open_or_fail(path, O_RDWR | O_CREAT);
	if (unlink(path) < 0)
		fail("unlink");
	hold_on();
}

/* Many descriptors of one file: `number` of them. */
static void hold_dups(const char *path, long number)
{
	int fd = open_or_fail(path, O_RDONLY);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	for (long i = 1; i < number; i++)
		if (dup(fd) < 0)
			fail("dup");
	hold_on();
}

/*
 * Maps the first `number` bytes (a page by default; of device-dax at least its
 * alignment), touched, with the descriptor closed: only the mapping is left.
 */
static volatile char *map_shared(const char *path, long *number)
{
	int fd = open_or_fail(path, O_RDWR | O_CREAT);
	struct stat st;
	char *map;

	*number = *number ? *number : 4096;
	if (fstat(fd, &st) < 0 || (S_ISREG(st.st_mode) && st.st_size < *number && ftruncate(fd, *number) < 0))
		fail("size");
	map = mmap(NULL, (size_t)*number, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		fail("mmap");
	close(fd);
	memset(map, 'm', (size_t)*number);
	return map;
}

static void hold_map(const char *path, long number)
{
	map_shared(path, &number);
	hold_on();
}

static void hold_map_write(const char *path, long number)
{
	volatile char *map = map_shared(path, &number);

	ready();
	for (long i = 0;; i = (i + 64) % number)
		map[i]++;
}

static void hold_write(const char *path, long number)
{
	int fd = open_or_fail(path, O_WRONLY | O_CREAT | O_APPEND);
	char block[512];

	(void)number;
	memset(block, 'w', sizeof(block));
	ready();
	for (;;) {
		if (write(fd, block, sizeof(block)) < 0 || fdatasync(fd) < 0)
			fail("write");
		usleep(1000);
	}
}

static void hold_cwd(const char *path, long number)
{
	(void)number;
	if (chdir(path) < 0)
		fail("chdir");
	hold_on();
}

/* The working directory stays where it was. */
static void hold_root(const char *path, long number)
{
	(void)number;
	if (chroot(path) < 0)
		fail("chroot");
	hold_on();
}

/* Copies itself to PATH and runs from there. */
static void hold_exe(const char *path, long number)
{
	char *arguments[] = { (char *)(uintptr_t)path, (char *)(uintptr_t) "nothing", NULL };
	int from = open_or_fail("/proc/self/exe", O_RDONLY), to = open_or_fail(path, O_WRONLY | O_CREAT | O_TRUNC);
	ssize_t n;

	(void)number;
	do {
		n = sendfile(to, from, NULL, 1 << 20);
	} while (n > 0);
	if (n < 0 || fchmod(to, 0700) < 0)
		fail("copy");
	close(from);
	close(to);
	execv(path, arguments);
	fail("exec");
}

static void hold_nothing(const char *path, long number)
{
	(void)path;
	(void)number;
	hold_on();
}

static void *unserved_page(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (uffd < 0 || page == MAP_FAILED || ioctl(uffd, UFFDIO_API, &api) < 0)
		fail("userfaultfd");
	area.range.start = (uintptr_t)page;
	area.range.len = 4096;
	if (ioctl(uffd, UFFDIO_REGISTER, &area) < 0)
		fail("userfaultfd register");
	return page;
}

/* The process sleeps in write(2) soon after; nobody can tell from inside that it does. */
static void *say_ready_later(void *nothing)
{
	usleep(200 * 1000);
	ready();
	return nothing;
}

/*
 * Writes from a page that nobody ever serves. vfs_write() has taken the file
 * system's write count (sb_start_write()) when it faults on it, so a freeze
 * waits until this process is killed. A writer of DAX or direct I/O takes it
 * as well; a buffered one first tries to fault in its source while it holds
 * it. Needs CAP_SYS_PTRACE or vm.unprivileged_userfaultfd.
 */
static void hold_uffd_write(const char *path, long number)
{
	int fd = open_or_fail(path, O_WRONLY | O_CREAT);
	void *page = unserved_page();
	pthread_t thread;

	(void)number;
	if (pthread_create(&thread, NULL, say_ready_later, NULL))
		fail("thread");
	write(fd, page, 4096);
	fail("write came back");
}

static void private_mounts(int flags)
{
	if (unshare(flags) < 0)
		fail("unshare");
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		fail("make mounts private");
}

/* Copies of all mounts, which an unmount elsewhere does not reach. */
static void hold_mount_namespace(const char *path, long number)
{
	(void)path;
	(void)number;
	private_mounts(CLONE_NEWNS);
	hold_on();
}

static void write_file(const char *path, const char *text)
{
	int fd = open_or_fail(path, O_WRONLY);

	if (write(fd, text, strlen(text)) < 0)
		fail(path);
	close(fd);
}

/* The same, but locked: the mounts belong to a user namespace of less privilege. */
static void hold_user_namespace(const char *path, long number)
{
	char map[64];
	uid_t uid = geteuid();

	(void)path;
	(void)number;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (unshare(CLONE_NEWUSER) < 0)
		fail("unshare");
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", map);
	private_mounts(CLONE_NEWNS);
	hold_on();
}

/*
 * A clone of a mount that is in no namespace, and whose only descriptor is in
 * flight: it keeps the file system, and no table and no process shows it.
 */
static void hold_detached_mount(const char *path, long number)
{
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), sockets[2];
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec part = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	(void)number;
	if (tree < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) < 0)
		fail(path);
	*header = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(header), &tree, sizeof(tree));
	if (sendmsg(sockets[0], &message, 0) < 0)
		fail("sendmsg");
	close(tree);
	hold_on();
}

static const struct kind {
	const char *name;
	void (*hold)(const char *path, long number);
	bool needs_path;
	const char *help;
} kinds[] = {
	{ "open", hold_open, true, "an open descriptor" },
	{ "open-deleted", hold_deleted, true, "a file that is made, opened and unlinked" },
	{ "dup-many", hold_dups, true, "NUMBER descriptors of one file" },
	{ "map", hold_map, true, "a shared mapping of NUMBER bytes, without a descriptor" },
	{ "map-write", hold_map_write, true, "the same, written all the time" },
	{ "write", hold_write, true, "appends and syncs in a loop" },
	{ "uffd-write", hold_uffd_write, true, "a write(2) that never ends: a freeze has to wait" },
	{ "cwd", hold_cwd, true, "the working directory" },
	{ "root", hold_root, true, "the root directory" },
	{ "exe", hold_exe, true, "runs from a copy of itself" },
	{ "mount-ns", hold_mount_namespace, false, "private copies of all mounts" },
	{ "user-ns", hold_user_namespace, false, "locked private copies of all mounts" },
	{ "detached-mount", hold_detached_mount, true,
	  "a mount's clone in no namespace, in flight over a socket" },
	{ "nothing", hold_nothing, false, "only waits" },
};

static int usage(void)
{
	fprintf(stderr, "usage: hold [--ignore-term] KIND [PATH] [NUMBER]\n");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		fprintf(stderr, "  %-14s%s\n", kinds[i].name, kinds[i].help);
	return 2;
}

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; name && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct kind *kind;
	int at = 1;

	/* the program's own copy, run by hold_exe(), keeps the ignored signal: execve(2) does */
	for (; at < argc && strcmp(argv[at], "--ignore-term") == 0; at++)
		signal(SIGTERM, SIG_IGN);
	kind = find_kind(argv[at]);
	/* KIND --ignore-term PATH is understood as well */
	for (; at + 1 < argc && strcmp(argv[at + 1], "--ignore-term") == 0; at++)
		signal(SIGTERM, SIG_IGN);
	if (!kind || (kind->needs_path && at + 1 >= argc))
		return usage();
	kind->hold(at + 1 < argc ? argv[at + 1] : NULL, at + 2 < argc ? strtol(argv[at + 2], NULL, 10) : 0);
	return 1;
}
