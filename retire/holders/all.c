// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <sys/resource.h>

#include "retire/holders/gone.h"
#include "retire/holders/kinds.h"
#include "util/root.h"

const struct holder_kind *const holder_kinds[HOLDER_TYPES] = {
	[HOLDER_PARTITION] = &kind_partition,
	[HOLDER_DM] = &kind_dm,
	[HOLDER_MD] = &kind_md,
	[HOLDER_FILESYSTEM] = &kind_filesystem,
	[HOLDER_OVERLAY] = &kind_overlay,
	[HOLDER_LOOP] = &kind_loop,
	[HOLDER_MOUNT] = &kind_mount,
	[HOLDER_SWAP] = &kind_swap,
	[HOLDER_EXPORT] = &kind_export,
	[HOLDER_NVME_TARGET] = &kind_nvme_target,
	[HOLDER_SCSI_TARGET] = &kind_scsi_target,
	[HOLDER_BCACHE] = &kind_bcache,
	[HOLDER_MEMORY] = &kind_memory,
	[HOLDER_PROCESS] = &kind_process,
};

/* Deeper stacks do not exist; this ends a loop that a broken sysfs would keep going. */
enum { MAX_ROUNDS = 64 };

/* Every pidfd and namespace is a descriptor, and there may be thousands. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void set_kinds(struct look *look, size_t from)
{
	for (size_t i = from; i < look->holders.count; i++)
		look->holders.items[i].kind = holder_kinds[look->holders.items[i].type];
}

static int run_probe(const struct holder_kind *kind, const struct root *root, struct look *look, struct err *err)
{
	size_t before = look->holders.count;
	int rc = kind->probe(root, look, err);

	set_kinds(look, before);
	return rc;
}

/*
 * Goes round the stacking kinds until all others have added nothing since the
 * last that did. Each probe finds all it can in one run, so that last one
 * need not run again: mount tables are read once where nothing is stacked.
 */
static int find_places(const struct root *root, struct look *look, struct err *err)
{
	size_t quiet = 0, stacking = 0;

	for (size_t i = 0; i < HOLDER_TYPES; i++)
		stacking += holder_kinds[i]->stacks;
	for (size_t i = 0; quiet < stacking && i < MAX_ROUNDS * HOLDER_TYPES; i++) {
		const struct holder_kind *kind = holder_kinds[i % HOLDER_TYPES];
		int rc;

		if (!kind->stacks)
			continue;
		rc = run_probe(kind, root, look, err);
		if (rc < 0)
			return rc;
		quiet = rc > 0 ? 1 : quiet + 1;
	}
	return 0;
}

/* A file system that lives on, and nobody is seen who would make it. */
static bool is_unexplained(const struct look *look, const struct holder *holder)
{
	if (holder->type != HOLDER_FILESYSTEM || !holder->filesystem.detached)
		return false;
	array_each(process, &look->holders)
		if (process->type == HOLDER_PROCESS && look_rests_on(look, process, holder->id))
			return false;
	return true;
}

static void find_likely(const struct root *root, struct look *look)
{
	bool unexplained = false;

	array_each(holder, &look->holders)
		unexplained |= is_unexplained(look, holder);
	if (unexplained && !look->likely)
		look->likely = holders_likely(root);
}

int holders_find(const struct root *root, struct look *look, struct err *err)
{
	int rc;

	if (!root->recorded)
		raise_descriptor_limit();
	rc = gone_find(root, look, err);
	set_kinds(look, 0);
	rc = rc < 0 ? rc : find_places(root, look, err);
	for (size_t i = 0; rc >= 0 && i < HOLDER_TYPES; i++) {
		const struct holder_kind *kind = holder_kinds[i];

		if (!kind->stacks)
			rc = run_probe(kind, root, look, err);
	}
	if (rc >= 0)
		find_likely(root, look);
	return rc < 0 ? rc : 0;
}
