// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "retire/bpf/bpf.h"
#include "retire/bpf/iterate.h"
#include "retire/bpf/suspects.skel.h"
#include "retire/bpf/watched.h"
#include "util/array.h"
#include "util/cleanup.h"

struct found {
	ARRAY_OF(struct bpf_suspect) list;
};

static void cleanup_suspects(struct suspects **skeleton)
{
	suspects__destroy(*skeleton);
}

static void cleanup_found(struct found *found)
{
	free(found->list.items);
}

static int add_suspect(void *argument, const void *record)
{
	struct found *found = argument;
	struct bpf_suspect *suspect = array_add(&found->list);

	if (!suspect)
		return -ENOMEM;
	*suspect = *(const struct bpf_suspect *)record;
	return 0;
}

static int load(struct suspects *skeleton, const struct bpf_watch *watches, size_t count)
{
	int rc;

	skeleton->rodata->watches_mounts = watched_has(watches, count, BPF_WATCH_MOUNT);
	skeleton->rodata->watches_namespaces = watched_has(watches, count, BPF_WATCH_NAMESPACE);
	skeleton->rodata->watches_stacked = watched_has_stacked(watches, count);
	skeleton->maps.watched.max_entries = count ? (__u32)count : 1;
	rc = suspects__load(skeleton);
	return rc < 0 ? rc : watched_fill(skeleton->maps.watched.map_fd, watches, count);
}

static int find(const struct suspects *skeleton, struct found *found)
{
	const int passes[] = {
		skeleton->progs.find_tasks.prog_fd,
		skeleton->progs.find_descriptors.prog_fd,
		skeleton->progs.find_mappings.prog_fd,
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < COUNT_OF(passes); i++)
		rc = iterate(passes[i], sizeof(struct bpf_suspect), add_suspect, found);
	return rc;
}

/* By pid; what is the same comes together, and no member of it is padding. */
static int compare_suspects(const void *a, const void *b)
{
	const struct bpf_suspect *left = a, *right = b;

	if (left->pid != right->pid)
		return left->pid < right->pid ? -1 : 1;
	return memcmp(left, right, sizeof(*left));
}

static void sort_once_each(struct found *found)
{
	struct bpf_suspect *items = found->list.items;
	size_t kept = 0;

	if (found->list.count)
		qsort(items, found->list.count, sizeof(*items), compare_suspects);
	for (size_t i = 0; i < found->list.count; i++)
		if (!kept || compare_suspects(&items[kept - 1], &items[i]))
			items[kept++] = items[i];
	found->list.count = kept;
}

int bpf_find_suspects(const struct bpf_watch *watches, size_t watch_count, struct bpf_suspect **suspects,
		      size_t *count)
{
	_cleanup_(cleanup_suspects) struct suspects *skeleton = NULL;
	_cleanup_(cleanup_found) struct found found = { 0 };
	int rc;

	skeleton = suspects__open();
	if (!skeleton)
		return -ENOMEM;
	rc = load(skeleton, watches, watch_count);
	rc = rc < 0 ? rc : find(skeleton, &found);
	if (rc < 0)
		return rc;
	sort_once_each(&found);
	*suspects = take_ptr(found.list.items);
	*count = found.list.count;
	return 0;
}
