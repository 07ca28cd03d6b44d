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
#include <string.h>

#include "retire/bpf/bpf.h"
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

/*
 * Not by itself yet: the kernel's walk over mappings waits for a memory map
 * that is locked, and nothing here gives up on it. The tests compare both ways.
 */
static bool is_asked_for(void)
{
	const char *wanted = getenv("DAX_RETIRE_BPF");

	return wanted && strcmp(wanted, "always") == 0;
}

void suspects_find(const struct root *root, const struct look *look, struct suspects *suspects)
{
	_cleanup_(cleanup_watches) struct watches watches = { 0 };

	*suspects = (struct suspects){ .all = true };
	/* in another pid namespace the kernel's numbers are not those of /proc */
	if (root->recorded || !look->initial_namespaces || !is_asked_for() || watch_all(&watches, look) < 0)
		return;
	suspects->all =
		bpf_find_suspects(watches.list.items, watches.list.count, &suspects->pids, &suspects->count) < 0;
}

void suspects_free(struct suspects *suspects)
{
	free(suspects->pids);
}
