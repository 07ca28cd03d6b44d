// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/teller.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"

/* Where a teller has its ends. */
enum { TELLER_SOCKET = STDIN_FILENO, TELLER_OUTPUT = STDOUT_FILENO };

/* The teller's own side. */
struct telling {
	struct drawing *drawing;
	struct event now; /* what goes on */
	uint64_t told_us; /* the latest time that was told: lines never go back in it */
	struct deadline heartbeat;
};

/* True when all of it is written. The output can be somebody's who has made it O_NONBLOCK. */
static bool write_all(int fd, const char *text, size_t size)
{
	while (size) {
		struct pollfd poller = { .fd = fd, .events = POLLOUT };
		ssize_t n = write(fd, text, size);

		if (n < 0 && errno == EAGAIN)
			poll(&poller, 1, -1);
		else if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			text += n;
			size -= (size_t)n;
		}
	}
	return true;
}

/* In one write, so that what others write to the same place does not come in between. */
static bool draw(struct telling *telling, struct event *event)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	/* what was held back while something was frozen comes behind the heartbeats of that time */
	if (event->at_us < telling->told_us)
		event->at_us = telling->told_us;
	telling->told_us = event->at_us;
	/* what is not told for want of memory was not done any less */
	if (!out)
		return true;
	telling->drawing->draw(telling->drawing, event, out);
	fclose(out);
	return write_all(TELLER_OUTPUT, text, size);
}

/* After a reader that stopped, what waits here is older than now: a heartbeat is no later than what was told. */
static uint64_t beating_at(const struct telling *telling)
{
	struct pollfd poller = { .fd = TELLER_SOCKET, .events = POLLIN };
	uint64_t now = clock_us();

	return poll(&poller, 1, 0) == 0 ? now : telling->told_us;
}

static bool draw_heartbeat(struct telling *telling)
{
	struct event event = telling->now;

	telling->heartbeat = deadline_in(telling->drawing->heartbeat_ms);
	if (!event.start_us)
		return true;
	event.type = EVENT_HEARTBEAT;
	event.notify = NOTIFY_NONE;
	event.command[0] = '\0';
	event.at_us = beating_at(telling);
	event.ms = (double)(event.at_us - telling->now.at_us) / 1000;
	return draw(telling, &event);
}

/* Between two steps only the phase is known; whom a step waits for is told once. */
static void note(struct telling *telling, const struct event *event)
{
	if (event->type == EVENT_WAIT) {
		telling->now.at_us = event->at_us;
		return;
	}
	memcpy(&telling->now, event, event_size(event));
	if (event->type != EVENT_STEP && event->type != EVENT_UNDO && event->type != EVENT_BEGIN)
		return;
	telling->now.step = STEP_NONE;
	event_set_text(&telling->now, NULL, NULL);
}

/* True to go on. */
static bool hear(struct telling *telling)
{
	struct event event = { 0 };
	ssize_t n = recv(TELLER_SOCKET, &event, sizeof(event), 0);

	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0)
		return false;
	if (!draw(telling, &event))
		return false;
	note(telling, &event);
	return event.type != EVENT_END;
}

static void tell(struct telling *telling)
{
	struct pollfd poller = { .fd = TELLER_SOCKET, .events = POLLIN };
	bool beats = telling->drawing->heartbeat_ms;

	telling->heartbeat = deadline_in(telling->drawing->heartbeat_ms);
	for (;;) {
		/* many events are no reason for heartbeats to stay away */
		if (beats && deadline_passed(telling->heartbeat) && !draw_heartbeat(telling))
			return;
		if (poll(&poller, 1, beats ? deadline_left_ms(telling->heartbeat) : -1) > 0 && !hear(telling))
			return;
	}
}

static _Noreturn void teller_main(struct drawing *drawing, int socket, int fd, pid_t program)
{
	struct telling telling = { .drawing = drawing };
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "dax-retire-tel");
	/* a teller that waits for a reader does not see that the socket has ended */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != program || dup2(fd, TELLER_OUTPUT) < 0 || dup2(socket, TELLER_SOCKET) < 0)
		_exit(EXIT_FAILURE);
	close_range(STDERR_FILENO + 1, ~0u, 0);
	/* the working directory may lie on what is to be unmounted */
	if (chdir("/") == 0)
		tell(&telling);
	_exit(0);
}

int teller_start(struct teller *teller, struct drawing *drawing, int fd)
{
	pid_t program = getpid();
	int sockets[2];

	*teller = (struct teller){ .socket = -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return -errno;
	teller->pid = fork();
	if (teller->pid == 0)
		teller_main(drawing, sockets[1], fd, program);
	close(sockets[1]);
	teller->socket = sockets[0];
	if (teller->pid < 0) {
		int rc = -errno;

		close(sockets[0]);
		*teller = (struct teller){ .socket = -1 };
		return rc;
	}
	return 0;
}

static void drop_kept(struct teller *teller)
{
	array_each(event, &teller->kept)
		free(*event);
	teller->kept.count = teller->sent = 0;
}

/* Sends what is kept, as far as it goes; `flags` may forbid to wait. A teller that is gone gets nothing more. */
static void send_kept(struct teller *teller, int flags)
{
	while (teller->sent < teller->kept.count) {
		struct event *event = teller->kept.items[teller->sent];

		if (send(teller->socket, event, event_size(event), flags | MSG_NOSIGNAL) >= 0)
			teller->sent++;
		else if (errno == EAGAIN)
			return;
		else if (errno != EINTR)
			break;
	}
	drop_kept(teller);
}

/* False when there is no memory for it. */
static bool keep(struct teller *teller, const struct event *event)
{
	size_t size = event_size(event);
	struct event *copy = malloc(size);
	struct event **place = copy ? array_add(&teller->kept) : NULL;

	if (place)
		*place = memcpy(copy, event, size);
	else
		free(copy);
	return place;
}

void teller_tell(struct teller *teller, const struct event *event, bool hold)
{
	if (!teller->pid)
		return;
	keep(teller, event);
	if (!hold)
		send_kept(teller, MSG_DONTWAIT);
}

static const struct event end = { .type = EVENT_END };

void teller_finish(struct teller *teller)
{
	if (!teller->pid || teller->finished)
		return;
	teller->finished = keep(teller, &end);
	send_kept(teller, MSG_DONTWAIT);
}

void teller_end(struct teller *teller)
{
	if (!teller->pid)
		return;
	teller_finish(teller);
	send_kept(teller, 0);
	while (!teller->finished && send(teller->socket, &end, event_size(&end), MSG_NOSIGNAL) < 0 &&
	       errno == EINTR)
		;
	/* a child that hangs in the kernel has the socket as well: its end is no word to rely on */
	close(teller->socket);
	while (waitpid(teller->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(teller->kept.items);
	*teller = (struct teller){ .socket = -1 };
}
