// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mkholder: makes holders, for the tests.
 *
 *	mkholder [--ignore-term] KIND [PATH [ARG]]
 *	mkholder --list
 *
 * Prints "ready PID" when it holds, then waits for a signal.
 */
#include "mkholder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct kind kinds_nothing[] = { { "nothing", NULL, false, "only waits" }, { 0 } };

static const struct kind *const families[] = { kinds_files,   kinds_maps,   kinds_places,  kinds_threads,
					       kinds_sockets, kinds_pins,   kinds_watches, kinds_mounts,
					       kinds_memory,  kinds_nothing };

enum { FAMILIES = sizeof(families) / sizeof(families[0]) };

void _noreturn_ fail(const char *what)
{
	fprintf(stderr, "mkholder: %s: %s\n", what, strerror(errno));
	exit(1);
}

void ready(void)
{
	printf("ready %d\n", getpid());
	fflush(stdout);
}

int open_or_fail(const char *path, int flags)
{
	int fd = open(path, flags, 0600);

	if (fd < 0)
		fail(path);
	return fd;
}

void write_file(const char *path, const char *text)
{
	int fd = open_or_fail(path, O_WRONLY);

	if (write(fd, text, strlen(text)) < 0)
		fail(path);
	close(fd);
}

long number_or(const char *argument, long otherwise)
{
	return argument ? strtol(argument, NULL, 0) : otherwise;
}

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; name && i < FAMILIES; i++)
		for (const struct kind *kind = families[i]; kind->name; kind++)
			if (strcmp(kind->name, name) == 0)
				return kind;
	return NULL;
}

static int list(FILE *out)
{
	for (size_t i = 0; i < FAMILIES; i++)
		for (const struct kind *kind = families[i]; kind->name; kind++)
			fprintf(out, "%s\t%s\n", kind->name, kind->help);
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: mkholder [--ignore-term] KIND [PATH [ARG]]\n");
	list(stderr);
	return 2;
}

int main(int argc, char **argv)
{
	const struct kind *kind;
	int at = 1;

	if (argc > 1 && strcmp(argv[1], "--list") == 0)
		return list(stdout);
	/* the program's own copy, run by make_exe(), keeps the ignored signal: execve(2) does */
	for (; at < argc && strcmp(argv[at], "--ignore-term") == 0; at++)
		signal(SIGTERM, SIG_IGN);
	kind = find_kind(argv[at]);
	/* KIND --ignore-term PATH is understood as well */
	for (; at + 1 < argc && strcmp(argv[at + 1], "--ignore-term") == 0; at++)
		signal(SIGTERM, SIG_IGN);
	if (!kind || (kind->needs_path && at + 1 >= argc))
		return usage();
	if (kind->make)
		kind->make(at + 1 < argc ? argv[at + 1] : NULL, at + 1 < argc ? argv[at + 2] : NULL);
	ready();
	for (;;)
		pause();
}
