// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An answer that may name too many, never too few: each process in it is
 * looked at as all would be. So what is watched here is all that matcher.c
 * compares with, told by what the kernel has at hand: a mount of ours by the
 * device number of its superblock, a foreign one inside by its own number.
 */
#include "retire/holders/suspects.h"

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

#include "retire/bpf/bpf.h"
#include "retire/holders/process-scan.h"
#include "retire/model.h"
#include "util/child.h"
#include "util/cleanup.h"

/*
 * The kernel's walk over mappings waits for each memory map. While it works it
 * may take long; asleep for a second, it waits for one that may never be free.
 */
enum { TICK_MS = 100, ASLEEP_TICKS = 10, PATIENCE_MS = 60000 };

struct watches {
	ARRAY_OF(struct bpf_watch) list;
};

static int watch(struct watches *watches, enum bpf_watch_kind kind, uint64_t number)
{
	struct bpf_watch *one = number ? array_add(&watches->list) : NULL;

	if (one)
		*one = (struct bpf_watch){ kind, number };
	return one || !number ? 0 : -ENOMEM;
}

static int watch_mount(struct watches *watches, const struct look *look, const struct holder *holder)
{
	int rc = holder->mount.foreign ? watch(watches, BPF_WATCH_MOUNT, holder->mount.id)
				       : watch(watches, BPF_WATCH_DEV, holder->mount.dev);

	if (rc == 0 && look_is_pinned_mount(look, holder))
		rc = watch(watches, BPF_WATCH_NAMESPACE, look->namespaces.items[holder->mount.ns].ino);
	return rc;
}

static int watch_all(struct watches *watches, const struct look *look)
{
	int rc = 0;

	array_each(device, &look->devices)
		rc = rc < 0 ? rc : watch(watches, BPF_WATCH_DEV, device->dev);
	array_each(holder, &look->holders) {
		rc = rc < 0 ? rc : watch(watches, BPF_WATCH_DEV, holder->dev);
		if (rc == 0 && holder->type == HOLDER_MOUNT)
			rc = watch_mount(watches, look, holder);
	}
	return rc;
}

static void cleanup_watches(struct watches *watches)
{
	free(watches->list.items);
}

/* For the tests, which compare both ways. */
static bool is_asked(void)
{
	const char *wanted = getenv("DAX_RETIRE_BPF");

	return !wanted || strcmp(wanted, "never") != 0;
}

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

/* In a child, which can be killed there. */
static int ask(void *argument, int *answer)
{
	const struct watches *watches = argument;
	struct bpf_suspect *list = NULL;
	size_t count = 0;
	int rc;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	rc = bpf_find_suspects(watches->list.items, watches->list.count, &list, &count);
	*answer = rc < 0 ? -1 : memfd_create("suspects", MFD_CLOEXEC);
	if (rc == 0)
		rc = *answer < 0 ? -errno : put_all(*answer, list, count * sizeof(*list));
	free(list);
	return rc;
}

static int read_answer(int fd, struct suspects *suspects)
{
	size_t size;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	size = (size_t)st.st_size;
	suspects->list = size ? malloc(size) : NULL;
	if (size && (!suspects->list || pread(fd, suspects->list, size, 0) != st.st_size))
		return -EIO;
	suspects->count = size / sizeof(*suspects->list);
	return 0;
}

static bool is_asleep(const struct child *child)
{
	struct proc_stat stat;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/stat", child->pid);
	return read_stat(AT_FDCWD, path, &stat) == 0 && stat.state != 'R';
}

/* What the child answered; -ETIMEDOUT when it does not. */
static int wait_for(struct child *child, int *answer)
{
	struct deadline patience = deadline_in(PATIENCE_MS);
	int rc = -ETIMEDOUT;

	for (int asleep = 0; rc == -ETIMEDOUT && asleep < ASLEEP_TICKS && !deadline_passed(patience);) {
		rc = child_wait(child, -1, deadline_in(TICK_MS), answer);
		asleep = rc == -ETIMEDOUT && is_asleep(child) ? asleep + 1 : 0;
	}
	return rc;
}

static int list_pids(struct suspects *suspects)
{
	pid_t last = 0, *pid;

	for (size_t i = 0; i < suspects->count; i++) {
		if (suspects->list[i].pid == last)
			continue;
		pid = array_add(&suspects->pids.list);
		if (!pid)
			return -ENOMEM;
		*pid = last = suspects->list[i].pid;
	}
	return 0;
}

/* A negative errno when the kernel did not answer. */
static int ask_in_child(const struct watches *watches, struct suspects *suspects)
{
	_cleanup_close_ int answer = -1;
	struct child child;
	int rc = child_start(&child, ask, (void *)(uintptr_t)watches);

	if (rc < 0)
		return rc;
	rc = wait_for(&child, &answer);
	child_give_up(&child);
	if (rc < 0 || answer < 0)
		return rc < 0 ? rc : -EPROTO;
	return read_answer(answer, suspects);
}

int suspects_find(const struct root *root, const struct look *look, int proc, struct suspects *suspects)
{
	_cleanup_(cleanup_watches) struct watches watches = { 0 };
	int rc;

	*suspects = (struct suspects){ .all = true };
	/* in another pid namespace the kernel's numbers are not those of /proc */
	if (root->recorded || !look->initial_namespaces || !is_asked())
		return 0;
	rc = watch_all(&watches, look);
	rc = rc < 0 ? rc : pid_set_read(&suspects->asked, proc, &suspects->pids);
	if (rc < 0)
		return rc;
	if (ask_in_child(&watches, suspects) < 0) {
		suspects_free(suspects);
		return 0;
	}
	suspects->all = false;
	return list_pids(suspects);
}

const struct bpf_suspect *suspects_of(const struct suspects *suspects, pid_t pid, size_t *count)
{
	size_t first = 0, end = suspects->count;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (suspects->list[middle].pid < pid)
			first = middle + 1;
		else
			end = middle;
	}
	for (*count = 0; first + *count < suspects->count && suspects->list[first + *count].pid == pid;)
		++*count;
	return *count ? &suspects->list[first] : NULL;
}

void suspects_free(struct suspects *suspects)
{
	free(suspects->list);
	pid_set_free(&suspects->pids);
	pid_set_free(&suspects->asked);
	*suspects = (struct suspects){ .all = true };
}
