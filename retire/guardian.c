// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/child.h"
#include "util/cleanup.h"
#include "util/socket.h"

enum order { ORDER_FREEZE, ORDER_THAW, ORDER_STOP };

enum state {
	STATE_IDLE,
	STATE_FREEZING, /* the child is in FIFREEZE */
	STATE_FROZEN,
	STATE_EXPIRED, /* was frozen, the time ran out, is thawed */
};

/* The guardian's own side. */
struct watch {
	int socket;  /* -1: the program is gone, or has given up a freeze that is still on its way */
	int program; /* pidfd */
	int fd;	     /* of the file system; -1 when idle */
	enum state state;
	struct child child;
	struct deadline until;
};

static int do_freeze(void *argument, int *fd)
{
	int file = *(int *)argument;
	pid_t guardian = getppid();

	(void)fd;
	if (ioctl(file, FIFREEZE, 0) < 0)
		return -errno;
	/* a guardian that was killed meanwhile cannot, and nobody else knows */
	if (getppid() != guardian)
		ioctl(file, FITHAW, 0);
	return 0;
}

static int do_thaw(struct watch *watch)
{
	int rc = ioctl(watch->fd, FITHAW, 0) < 0 ? -errno : 0;

	cleanup_close(&watch->fd);
	watch->fd = -1;
	watch->state = STATE_IDLE;
	/*
	 * 6.12's thaw_super_locked() answers EINVAL to a thaw that did count
	 * when the kernel holds a freeze of its own as well; otherwise EINVAL
	 * means that somebody has thawed it before us. Either way ours is gone.
	 */
	return rc == -EINVAL ? 0 : rc;
}

static void reply(const struct watch *watch, int answer)
{
	if (watch->socket >= 0)
		socket_send(watch->socket, &answer, sizeof(answer), -1);
}

/* From now on nobody listens; what is frozen, or will be, is thawed and that is all. */
static void abandon(struct watch *watch)
{
	cleanup_close(&watch->socket);
	watch->socket = -1;
	if (watch->state == STATE_FROZEN)
		do_thaw(watch);
}

static void on_freeze(struct watch *watch, int fd)
{
	int rc;

	if (watch->state == STATE_FREEZING || watch->state == STATE_FROZEN || fd < 0) {
		cleanup_close(&fd);
		reply(watch, -EBUSY);
		return;
	}
	watch->fd = fd;
	watch->until = deadline_in(GUARDIAN_FREEZE_MS);
	rc = child_start(&watch->child, do_freeze, &watch->fd);
	if (rc < 0)
		reply(watch, rc);
	watch->state = rc < 0 ? STATE_IDLE : STATE_FREEZING;
}

static void on_thaw(struct watch *watch)
{
	switch (watch->state) {
	case STATE_FROZEN:
		reply(watch, do_thaw(watch));
		break;
	case STATE_EXPIRED:
		watch->state = STATE_IDLE;
		reply(watch, 1);
		break;
	case STATE_FREEZING:
		/* thawed as soon as the freeze has ended */
		reply(watch, -EINPROGRESS);
		abandon(watch);
		break;
	case STATE_IDLE:
		reply(watch, -EINVAL);
		break;
	}
}

/* True when the guardian is to go. */
static bool on_order(struct watch *watch)
{
	int order, fd = -1;
	ssize_t n = socket_receive(watch->socket, &order, sizeof(order), &fd);

	if (n != sizeof(order)) {
		abandon(watch);
		return false;
	}
	if (order == ORDER_FREEZE)
		on_freeze(watch, fd);
	else if (order == ORDER_THAW)
		on_thaw(watch);
	else
		abandon(watch);
	return order == ORDER_STOP && watch->state != STATE_FREEZING;
}

static void on_child(struct watch *watch)
{
	int rc = child_wait(&watch->child, -1, deadline_in(1000), NULL);

	/* a child that was killed cannot say whether it had done it */
	if (rc == -EPROTO)
		ioctl(watch->fd, FITHAW, 0);
	watch->state = rc < 0 ? STATE_IDLE : STATE_FROZEN;
	if (rc < 0) {
		cleanup_close(&watch->fd);
		watch->fd = -1;
	} else if (watch->socket < 0) {
		do_thaw(watch);
	}
	reply(watch, rc);
}

static void on_timeout(struct watch *watch)
{
	if (watch->state == STATE_FROZEN) {
		do_thaw(watch);
		watch->state = STATE_EXPIRED;
	} else if (watch->state == STATE_FREEZING) {
		reply(watch, -ETIMEDOUT);
		abandon(watch);
	}
}

static int time_left(const struct watch *watch)
{
	bool counts = watch->state == STATE_FROZEN || (watch->state == STATE_FREEZING && watch->socket >= 0);

	return counts ? deadline_left_ms(watch->until) : -1;
}

static void guard(struct watch *watch)
{
	/* a program that is gone is waited for only while a freeze is on its way */
	while (watch->socket >= 0 || watch->state == STATE_FREEZING) {
		struct pollfd fds[] = {
			{ .fd = watch->socket, .events = POLLIN },
			{ .fd = watch->socket >= 0 ? watch->program : -1, .events = POLLIN },
			{ .fd = watch->state == STATE_FREEZING ? watch->child.socket : -1, .events = POLLIN },
		};
		int n = poll(fds, 3, time_left(watch));

		if (n == 0)
			on_timeout(watch);
		if (n <= 0)
			continue;
		if (fds[2].revents)
			on_child(watch);
		else if (fds[1].revents)
			abandon(watch);
		else if (fds[0].revents && on_order(watch))
			return;
	}
}

static void detach_from_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* whoever reads our output must not wait for the guardian */
	for (int fd = 0; null >= 0 && fd <= 2; fd++)
		dup2(null, fd);
	cleanup_close(&null);
	setsid();
	if (chdir("/") < 0)
		return;
}

static void spare_from_oom(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "-1000", 5) < 0)
		errno = 0;
	cleanup_close(&fd);
}

static _Noreturn void guardian_main(int socket, int program)
{
	struct watch watch = { .socket = socket, .program = program, .fd = -1, .child = CHILD_NONE };
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "dax-retire-grd");
	detach_from_terminal();
	spare_from_oom();
	/* reclaim could wait for the very file system that is frozen */
	mlockall(MCL_CURRENT | MCL_FUTURE);
	guard(&watch);
	_exit(0);
}

int guardian_start(struct guardian *guardian)
{
	_cleanup_close_ int program = (int)syscall(SYS_pidfd_open, getpid(), 0);
	int sockets[2];

	*guardian = GUARDIAN_NONE;
	if (program < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return -errno;
	guardian->pid = fork();
	if (guardian->pid == 0) {
		close(sockets[0]);
		guardian_main(sockets[1], program);
	}
	close(sockets[1]);
	if (guardian->pid < 0) {
		close(sockets[0]);
		return -errno;
	}
	guardian->socket = sockets[0];
	return 0;
}

static int order(const struct guardian *guardian, enum order what, int fd, struct deadline deadline)
{
	int number = what, answer, passed = -1, rc;

	rc = socket_send(guardian->socket, &number, sizeof(number), fd);
	if (rc < 0)
		return rc;
	rc = wait_readable(guardian->socket, -1, deadline);
	if (rc <= 0)
		return rc == 0 ? -ETIMEDOUT : rc;
	if (socket_receive(guardian->socket, &answer, sizeof(answer), &passed) != sizeof(answer))
		return -ESRCH;
	return answer;
}

int guardian_freeze(struct guardian *guardian, int fd, struct deadline deadline)
{
	/* the guardian's own limit answers first */
	return order(guardian, ORDER_FREEZE, fd,
		     deadline_sooner(deadline, deadline_in(GUARDIAN_FREEZE_MS + 1000)));
}

int guardian_thaw(struct guardian *guardian, struct deadline deadline)
{
	return order(guardian, ORDER_THAW, -1, deadline);
}

int guardian_stop(struct guardian *guardian, struct deadline deadline)
{
	_cleanup_close_ int pidfd = -1;
	int number = ORDER_STOP;

	if (guardian->pid < 0)
		return 0;
	pidfd = (int)syscall(SYS_pidfd_open, guardian->pid, 0);
	socket_send(guardian->socket, &number, sizeof(number), -1);
	if (pidfd < 0 || wait_readable(pidfd, -1, deadline) <= 0)
		return -ETIMEDOUT;
	while (waitpid(guardian->pid, NULL, 0) < 0 && errno == EINTR)
		;
	cleanup_close(&guardian->socket);
	*guardian = GUARDIAN_NONE;
	return 0;
}
