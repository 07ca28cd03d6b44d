// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * timed: what a command costs.
 *
 *	timed COMMAND [ARG...]
 *
 * Runs it with its output thrown away and prints microseconds of wall time and
 * of CPU time, KiB of peak memory (of the largest of its processes) and its exit
 * code. A program of its own because a child starts with its parent's peak.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static long long us(struct timeval time)
{
	return time.tv_sec * 1000000LL + time.tv_usec;
}

static void __attribute__((noreturn)) be_command(char **argv)
{
	int null = open("/dev/null", O_RDWR);

	if (null >= 0 && dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(null, 2) == 2)
		execvp(argv[0], argv);
	_exit(127);
}

int main(int argc, char **argv)
{
	long long start = now_us();
	struct rusage usage;
	int status;
	pid_t pid;

	if (argc < 2)
		return 2;
	pid = fork();
	if (pid == 0)
		be_command(argv + 1);
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0)
		return 1;
	printf("%lld %lld %ld %d\n", now_us() - start, us(usage.ru_utime) + us(usage.ru_stime), usage.ru_maxrss,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
