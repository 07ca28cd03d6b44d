// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The path in /proc/net/unix is what somebody once gave to bind(2): of another
 * root, relative to a directory that is forgotten, or of a file that is
 * deleted. So it only says that a socket has a name. The socket itself is
 * asked which file that is: SIOCUNIXFILE, net/unix/af_unix.c:unix_open_file().
 * (SOCK_DIAG would tell as well, but would load a module.)
 */
#include "retire/holders/bound-sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/un.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "retire/holders/procfs.h"
#include "util/cleanup.h"
#include "util/text.h"

#define ANY_THREAD O_EXCL /* PIDFD_THREAD of include/uapi/linux/pidfd.h, Linux 6.9 */

static int read_named(struct inode_set *named, int dir)
{
	int fd = openat(dir, "../net/unix", O_RDONLY | O_CLOEXEC), rc = 0;
	_cleanup_fclose_ FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	uint64_t ino;

	while (file && rc == 0 && getline(&line, &room, file) > 0)
		if (unix_parse(line, &ino) == 0)
			rc = inode_set_add(named, 0, ino);
	return file ? rc : -errno;
}

/* Of the network namespace that the owner of `dir` lives in: as a rule the one that its sockets are of. */
static int learn(struct bound_sockets *sockets, int dir)
{
	struct stat st;
	int rc = fstatat(dir, "../ns/net", &st, 0) < 0 ? -errno : 0;

	if (rc < 0 || inode_set_has(&sockets->namespaces, 0, st.st_ino))
		return rc;
	rc = inode_set_add(&sockets->namespaces, 0, st.st_ino);
	return rc < 0 ? rc : read_named(&sockets->named, dir);
}

/* Kernels before 6.9 know no descriptor of a thread; that of a process does for its first one. */
static int open_thread(pid_t thread)
{
	int fd = (int)syscall(SYS_pidfd_open, thread, ANY_THREAD);

	if (fd < 0 && errno == EINVAL)
		fd = (int)syscall(SYS_pidfd_open, thread, 0);
	return fd < 0 ? -errno : fd;
}

int bound_socket_open(struct bound_sockets *sockets, pid_t thread, int dir, const char *name, uint64_t ino)
{
	_cleanup_close_ int owner = -1, socket = -1;
	uint64_t number;
	int rc = thread == sockets->learned ? 0 : learn(sockets, dir), file;

	sockets->learned = rc < 0 ? 0 : thread;
	if (rc < 0 || !inode_set_has(&sockets->named, 0, ino))
		return rc < 0 ? rc : -ENOENT;
	if (parse_number(name, &number) < 0 || number > INT32_MAX)
		return -ENOENT;
	owner = open_thread(thread);
	if (owner < 0)
		return owner;
	socket = (int)syscall(SYS_pidfd_getfd, owner, (int)number, 0);
	if (socket < 0)
		return errno == EBADF ? -ENOENT : -errno;
	/* the number may be another file's by now, which does not know the question */
	file = ioctl(socket, SIOCUNIXFILE);
	return file >= 0 ? file : errno == ENOTTY || errno == EINVAL ? -ENOENT : -errno;
}

void bound_sockets_free(struct bound_sockets *sockets)
{
	inode_set_free(&sockets->namespaces);
	inode_set_free(&sockets->named);
}
