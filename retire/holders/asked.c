// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/holders/asked.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "retire/holders/proc-file.h"
#include "util/cleanup.h"

/*
 * The kernel's walk over mappings waits for each memory map. While it works it
 * may take long; asleep for a second, it waits for one that may never be free.
 */
enum { TICK_MS = 100, ASLEEP_TICKS = 10, PATIENCE_MS = 60000 };

static int put_all(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size) {
		ssize_t n = write(fd, at, size);

		if (n < 0)
			return -errno;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

int asked_answer(int *fd, const void *data, size_t size)
{
	*fd = memfd_create("answer", MFD_CLOEXEC);
	return *fd < 0 ? -errno : put_all(*fd, data, size);
}

static int read_answer(int fd, void **answer, size_t *size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*size = (size_t)st.st_size;
	*answer = *size ? malloc(*size) : NULL;
	if (*size && (!*answer || pread(fd, *answer, *size, 0) != st.st_size)) {
		free(*answer);
		return -EIO;
	}
	return 0;
}

/* What the child answered; -ETIMEDOUT when it does not. */
static int wait_for(struct child *child, int *fd)
{
	struct deadline patience = deadline_in(PATIENCE_MS);
	int rc = -ETIMEDOUT;

	for (int asleep = 0; rc == -ETIMEDOUT && asleep < ASLEEP_TICKS && !deadline_passed(patience);) {
		rc = child_wait(child, -1, deadline_in(TICK_MS), fd);
		asleep = rc == -ETIMEDOUT && proc_file_is_asleep(child->pid) ? asleep + 1 : 0;
	}
	return rc;
}

struct question {
	child_work *work;
	void *argument;
};

static int be_asked(void *argument, int *fd)
{
	const struct question *question = argument;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return question->work(question->argument, fd);
}

int asked_in_child(child_work *work, void *argument, void **answer, size_t *size)
{
	_cleanup_close_ int fd = -1;
	struct question question = { work, argument };
	struct child child;
	int rc = child_start(&child, be_asked, &question);

	if (rc < 0)
		return rc;
	rc = wait_for(&child, &fd);
	child_give_up(&child);
	if (rc < 0 || fd < 0)
		return rc < 0 ? rc : -EPROTO;
	return read_answer(fd, answer, size);
}

bool asked_never(void)
{
	const char *wanted = getenv("DAX_RETIRE_BPF");

	return wanted && strcmp(wanted, "never") == 0;
}
