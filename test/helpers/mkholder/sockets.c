// SPDX-License-Identifier: GPL-2.0-or-later
/* Descriptors that are in no file table: on their way over a socket. And the file that a socket is bound to. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "mkholder.h"

static void send_over(int socket, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec part = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	*header = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	if (sendmsg(socket, &message, 0) < 0)
		fail("sendmsg");
	close(fd);
}

/* The end that would receive it. */
static int send_into_pair(int fd, bool keep_sender)
{
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) < 0)
		fail("socketpair");
	send_over(sockets[0], fd);
	if (!keep_sender)
		close(sockets[0]);
	return sockets[1];
}

void send_away(int fd)
{
	send_into_pair(fd, true);
}

static void make_flight(const char *path, const char *argument)
{
	(void)argument;
	send_away(open_or_fail(path, O_RDWR));
}

static void make_flight_received(const char *path, const char *argument)
{
	(void)argument;
	send_into_pair(open_or_fail(path, O_RDWR), false);
}

/* The socket that has it in its queue is in flight itself: nobody has that one open. */
static void make_flight_nested(const char *path, const char *argument)
{
	(void)argument;
	send_away(send_into_pair(open_or_fail(path, O_RDWR), false));
}

static void make_flight_twice_nested(const char *path, const char *argument)
{
	int receiver = send_into_pair(open_or_fail(path, O_RDWR), false);

	(void)argument;
	send_away(send_into_pair(receiver, false));
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return address;
}

/* To a connection that nobody accepts. */
static void make_flight_unaccepted(const char *path, const char *argument)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
	socklen_t length = sizeof(sa_family_t);

	(void)argument;
	if (bind(server, (struct sockaddr *)&address, length) < 0 || listen(server, 1) < 0)
		fail("listen");
	length = sizeof(address);
	if (getsockname(server, (struct sockaddr *)&address, &length) < 0 ||
	    connect(client, (struct sockaddr *)&address, length) < 0)
		fail("connect");
	send_over(client, open_or_fail(path, O_RDWR));
	close(client);
}

static void make_bound(const char *path, const char *argument)
{
	struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)argument;
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0)
		fail(path);
}

const struct kind kinds_sockets[] = {
	{ "socket-bound", make_bound, true, "a listening unix socket that is bound to a file" },
	{ "flight", make_flight, true, "a descriptor in flight over a socket pair, both ends in one process" },
	{ "flight-received", make_flight_received, true, "a descriptor in flight, the sender's end closed" },
	{ "flight-nested", make_flight_nested, true,
	  "a descriptor in flight in a socket that is in flight itself" },
	{ "flight-twice-nested", make_flight_twice_nested, true,
	  "a descriptor in flight in a socket in a socket that is in flight" },
	{ "flight-unaccepted", make_flight_unaccepted, true,
	  "a descriptor in flight to a connection that nobody accepts" },
	{ 0 },
};
