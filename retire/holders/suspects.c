// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An answer that may name too many, never too few: each process in it is
 * looked at as all would be. So what is watched here is all that matcher.c
 * compares with, told by what the kernel has at hand: a mount of ours by the
 * device number of its superblock, a foreign one inside by its own number.
 */
#include "retire/holders/suspects.h"

#include <errno.h>
#include <stdlib.h>

#include "retire/bpf/bpf.h"
#include "retire/holders/asked.h"
#include "retire/model.h"
#include "util/cleanup.h"

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

/* In a child. */
static int ask(void *argument, int *answer)
{
	const struct watches *watches = argument;
	struct bpf_suspect *list = NULL;
	size_t count = 0;
	int rc = bpf_find_suspects(watches->list.items, watches->list.count, &list, &count);

	rc = rc < 0 ? rc : asked_answer(answer, list, count * sizeof(*list));
	free(list);
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

int suspects_find(const struct root *root, const struct look *look, int proc, struct suspects *suspects)
{
	_cleanup_(cleanup_watches) struct watches watches = { 0 };
	void *answer = NULL;
	size_t size = 0;
	int rc;

	*suspects = (struct suspects){ .all = true };
	/* in another pid namespace the kernel's numbers are not those of /proc */
	if (root->recorded || !look->initial_namespaces || asked_never())
		return 0;
	rc = watch_all(&watches, look);
	rc = rc < 0 ? rc : pid_set_read(&suspects->asked, proc, &suspects->pids);
	if (rc < 0)
		return rc;
	if (asked_in_child(ask, &watches, &answer, &size) < 0) {
		suspects_free(suspects);
		return 0;
	}
	suspects->list = answer;
	suspects->count = size / sizeof(*suspects->list);
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
