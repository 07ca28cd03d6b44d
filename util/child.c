// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/root.h"
#include "util/socket.h"

/*
 * A terminal's ctrl-c and a unit's SIGTERM go to children as well. A child
 * that dies of one after its call has taken effect could not say so, and what
 * it froze would stay frozen: it is the parent that decides.
 */
static void block_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t all;

	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &action, NULL);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

static _Noreturn void child_main(int socket, child_work *work, void *argument)
{
	int fd = -1, answer;

	block_signals();
	answer = work(argument, &fd);
	socket_send(socket, &answer, sizeof(answer), fd);
	_exit(0);
}

int child_start(struct child *child, child_work *work, void *argument)
{
	int sockets[2];

	*child = CHILD_NONE;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return -errno;
	child->pid = fork();
	if (child->pid == 0) {
		close(sockets[0]);
		child_main(sockets[1], work, argument);
	}
	close(sockets[1]);
	child->socket = sockets[0];
	if (child->pid < 0) {
		int rc = -errno;

		child_forget(child);
		return rc;
	}
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	return 0;
}

int child_wait(struct child *child, int interrupt, struct deadline deadline, int *fd)
{
	int answer, rc, passed = -1;

	if (fd)
		*fd = -1;
	rc = wait_readable(child->socket, interrupt, deadline);
	if (rc <= 0)
		return rc == 0 ? -ETIMEDOUT : rc;
	if (socket_receive(child->socket, &answer, sizeof(answer), &passed) != sizeof(answer))
		answer = -EPROTO;
	if (fd)
		*fd = passed;
	else
		cleanup_close(&passed);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
	child_forget(child);
	return answer;
}

/* Of all its threads, in nanoseconds; 0 where that cannot be told. */
static uint64_t time_used(pid_t pid)
{
	struct timespec used;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) < 0)
		return 0;
	return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

enum { WORKING_TICK_MS = 100 };

int child_wait_working(struct child *child, unsigned idle_ms, struct deadline deadline, int *fd)
{
	struct deadline idle = deadline_in(idle_ms);
	uint64_t used = 0;
	int rc = -ETIMEDOUT;

	while (rc == -ETIMEDOUT && !deadline_passed(idle) && !deadline_passed(deadline)) {
		uint64_t now;

		rc = child_wait(child, -1, deadline_sooner(deadline_in(WORKING_TICK_MS), deadline), fd);
		now = rc == -ETIMEDOUT ? time_used(child->pid) : used;
		if (now != used)
			idle = deadline_in(idle_ms);
		used = now;
	}
	return rc;
}

bool child_reap(struct child *child)
{
	if (child->pid < 0)
		return true;
	if (waitpid(child->pid, NULL, WNOHANG) == 0)
		return false;
	child_forget(child);
	return true;
}

void child_give_up(struct child *child)
{
	if (child->pid < 0)
		return;
	kill(child->pid, SIGKILL);
	wait_readable(child->pidfd, -1, deadline_in(200));
	child_reap(child);
	child_forget(child);
}

void child_forget(struct child *child)
{
	cleanup_close(&child->pidfd);
	cleanup_close(&child->socket);
	*child = CHILD_NONE;
}

void child_stop(struct child *child)
{
	if (child->pid < 0)
		return;
	kill(child->pid, SIGKILL);
	wait_readable(child->pidfd, -1, deadline_in(1000));
	child_reap(child);
}

int child_run(child_work *work, void *argument, int interrupt, struct deadline deadline, int *fd,
	      struct child *left)
{
	struct child child;
	int rc = child_start(&child, work, argument);

	*left = CHILD_NONE;
	if (rc < 0)
		return rc;
	rc = child_wait(&child, interrupt, deadline, fd);
	child_stop(&child);
	*left = child;
	return rc;
}

char *child_stack(pid_t pid)
{
	struct root root = { .fd = AT_FDCWD };
	_cleanup_free_ char *text = NULL;
	char *joined = NULL, *cursor, *line;
	size_t size = 0;
	FILE *out;

	if (root_readf(&root, 65536, &text, "/proc/%d/stack", pid) <= 0)
		return NULL;
	out = open_memstream(&joined, &size);
	if (!out)
		return NULL;
	cursor = text;
	for (int lines = 0; lines < 8 && (line = strsep(&cursor, "\n")) && *line; lines++) {
		/* "[<0>] freeze_super+0x12/0x34" */
		char *name = strchr(line, ' ');

		fprintf(out, "%s%.*s", lines ? " <- " : "", name ? (int)strcspn(name + 1, "+") : 0,
			name ? name + 1 : "");
	}
	fclose(out);
	return joined;
}
