// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include "retire/bpf/bpf.h"
#include "retire/bpf/iterate.h"
#include "retire/bpf/suspects.skel.h"
#include "retire/bpf/watched.h"
#include "util/array.h"
#include "util/cleanup.h"

struct pids {
	ARRAY_OF(pid_t) list;
};

static void cleanup_suspects(struct suspects **skeleton)
{
	suspects__destroy(*skeleton);
}

static void cleanup_pids(struct pids *pids)
{
	free(pids->list.items);
}

static int add_pid(void *argument, const void *record)
{
	struct pids *pids = argument;
	pid_t *pid = array_add(&pids->list);

	if (!pid)
		return -ENOMEM;
	*pid = *(const pid_t *)record;
	return 0;
}

static int load(struct suspects *skeleton, const struct bpf_watch *watches, size_t count)
{
	int rc;

	skeleton->rodata->watches_mounts = watched_has(watches, count, BPF_WATCH_MOUNT);
	skeleton->rodata->watches_namespaces = watched_has(watches, count, BPF_WATCH_NAMESPACE);
	skeleton->rodata->watches_stacked = watched_has_stacked(watches, count);
	rc = bpf_map__set_max_entries(skeleton->maps.watched, count ? (__u32)count : 1);
	rc = rc < 0 ? rc : suspects__load(skeleton);
	return rc < 0 ? rc : watched_fill(bpf_map__fd(skeleton->maps.watched), watches, count);
}

static int find(const struct suspects *skeleton, struct pids *pids)
{
	const struct bpf_program *const passes[] = {
		skeleton->progs.find_tasks,
		skeleton->progs.find_descriptors,
		skeleton->progs.find_mappings,
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < COUNT_OF(passes); i++)
		rc = iterate(passes[i], sizeof(pid_t), add_pid, pids);
	return rc;
}

static int compare_pids(const void *a, const void *b)
{
	pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;

	return left < right ? -1 : left > right;
}

static void sort_once_each(struct pids *pids)
{
	size_t kept = 0;

	if (!pids->list.count)
		return;
	qsort(pids->list.items, pids->list.count, sizeof(pid_t), compare_pids);
	array_each(pid, &pids->list)
		if (!kept || pids->list.items[kept - 1] != *pid)
			pids->list.items[kept++] = *pid;
	pids->list.count = kept;
}

int bpf_find_suspects(const struct bpf_watch *watches, size_t watch_count, pid_t **found, size_t *count)
{
	_cleanup_(cleanup_suspects) struct suspects *skeleton = NULL;
	_cleanup_(cleanup_pids) struct pids pids = { 0 };
	int rc;

	bpf_be_quiet();
	skeleton = suspects__open();
	if (!skeleton)
		return -errno;
	rc = load(skeleton, watches, watch_count);
	rc = rc < 0 ? rc : find(skeleton, &pids);
	if (rc < 0)
		return rc;
	sort_once_each(&pids);
	*found = take_ptr(pids.list.items);
	*count = pids.list.count;
	return 0;
}
