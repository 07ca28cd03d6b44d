// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * load: processes with open and mapped files, for bench/holders.
 *
 *	load WATCHED ELSEWHERE PROCESSES DESCRIPTORS MAPS
 *
 * Makes PROCESSES processes that have DESCRIPTORS descriptors and MAPS maps in
 * all. One process in ten uses the directory WATCHED, with one in ten of its
 * descriptors and maps; the other files are in the directory ELSEWHERE. Prints
 * "ready" when they are all there, and goes with them at the end of its input.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FILES = 64, PAGE = 4096, ONE_IN = 10 };

struct load {
	const char *watched, *elsewhere;
	long processes, descriptors, maps;
};

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The file of this number, of as many pages as a library has segments. */
static int open_file(const char *dir, long number)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/file.%ld", dir, number % FILES);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, 4L * PAGE) < 0)
		fail(path);
	return fd;
}

static void check(int rc, const char *what)
{
	if (rc < 0)
		fail(what);
}

/* Half of all descriptors are of files; pairs count as two. Returns how many it made. */
static long open_other(const struct load *load, long at, long left)
{
	int pair[2];

	switch (left > 1 ? at % 8 : 0) {
	case 4:
		check(pipe2(pair, O_CLOEXEC), "pipe");
		return 2;
	case 6:
		check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair");
		return 2;
	case 7:
		check(eventfd(0, EFD_CLOEXEC), "eventfd");
		return 1;
	default:
		open_file(load->elsewhere, at);
		return 1;
	}
}

static void open_all(const struct load *load, bool watching)
{
	/* 0, 1 and 2 are there */
	for (long at = 3; at < load->descriptors / load->processes;) {
		if (watching && at % ONE_IN == 0) {
			open_file(load->watched, at++);
			continue;
		}
		at += open_other(load, at, load->descriptors / load->processes - at);
	}
}

/* The page of a file, as a library's segments lie: side by side, with other rights. A quarter is of no file. */
static void map_one(const struct load *load, long at, bool watching, char *address)
{
	static const int rights[] = { PROT_READ, PROT_READ | PROT_EXEC, PROT_READ | PROT_WRITE, PROT_NONE };
	int right = rights[at % 4], flags = MAP_PRIVATE | MAP_FIXED, fd = -1;

	if (at / 4 % 4 == 3)
		flags |= MAP_ANONYMOUS;
	else
		fd = open_file(watching && at / 4 % ONE_IN == 0 ? load->watched : load->elsewhere, at / 4);
	if (mmap(address, PAGE, right, flags, fd, fd < 0 ? 0 : at % 4 * PAGE) == MAP_FAILED)
		fail("mmap");
	if (fd >= 0)
		close(fd);
}

static void map_all(const struct load *load, bool watching)
{
	long count = load->maps / load->processes;
	char *address = mmap(NULL, (size_t)(count + 1) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (address == MAP_FAILED)
		fail("mmap");
	for (long at = 0; at < count; at++)
		map_one(load, at, watching, address + at * PAGE);
}

static void __attribute__((noreturn)) be_process(const struct load *load, long number, int ready)
{
	bool watching = number % ONE_IN == 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	open_all(load, watching);
	map_all(load, watching);
	check((int)write(ready, "", 1), "write");
	close(ready);
	for (;;)
		pause();
}

static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void make_processes(const struct load *load)
{
	int ready[2];
	char byte;

	check(pipe2(ready, O_CLOEXEC), "pipe");
	for (long number = 0; number < load->processes; number++) {
		pid_t pid = fork();

		check(pid, "fork");
		if (pid == 0)
			be_process(load, number, ready[1]);
	}
	close(ready[1]);
	for (long number = 0; number < load->processes; number++)
		if (read(ready[0], &byte, 1) != 1)
			fail("a process of the load");
}

int main(int argc, char **argv)
{
	char byte;

	if (argc != 6) {
		fprintf(stderr, "usage: load WATCHED ELSEWHERE PROCESSES DESCRIPTORS MAPS\n");
		return 2;
	}
	struct load load = { .watched = argv[1],
			     .elsewhere = argv[2],
			     .processes = strtol(argv[3], NULL, 10),
			     .descriptors = strtol(argv[4], NULL, 10),
			     .maps = strtol(argv[5], NULL, 10) };

	if (load.processes < 1)
		return 2;
	raise_limit();
	make_processes(&load);
	printf("ready\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
