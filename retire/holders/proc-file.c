// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/holders/proc-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "util/cleanup.h"

ssize_t proc_file_read(int dir, const char *name, char text[PROC_FILE_SIZE])
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, PROC_FILE_SIZE - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return n;
}

int proc_file_stat(int dir, const char *name, struct proc_stat *stat)
{
	char text[PROC_FILE_SIZE];
	ssize_t n = proc_file_read(dir, name, text);

	return n < 0 ? (int)n : stat_parse(text, stat);
}

bool proc_file_is_asleep(pid_t pid)
{
	struct proc_stat stat;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return proc_file_stat(AT_FDCWD, path, &stat) == 0 && stat.state != 'R';
}
