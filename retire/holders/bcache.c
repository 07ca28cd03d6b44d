// SPDX-License-Identifier: GPL-2.0-or-later
/* Backing and cache devices of bcache, by the directory that it keeps below each. */
#include <errno.h>

#include "retire/holders/kinds.h"
#include "util/root.h"

static int add_bcache(struct look *look, const struct block *block)
{
	return look_add_holder(look, HOLDER_BCACHE, block->place.device, block->place.on, "bcache") ? 1 : -ENOMEM;
}

static int probe_bcache(const struct root *root, struct look *look, struct err *err)
{
	struct block block;
	int rc, added = 0;

	for (size_t cursor = 0; block_next(look, &cursor, &block); added += rc) {
		/* register_bdev(), register_cache(): of those that have no bcacheN yet, too */
		rc = root_existsf(root, "/sys/class/block/%s/bcache", block.name) ? add_bcache(look, &block) : 0;
		if (rc < 0)
			return err_errno(err, rc, "cannot list devices of bcache");
	}
	return added;
}

const struct holder_kind kind_bcache = {
	.type = HOLDER_BCACHE,
	.name = "bcache",
	.probe = probe_bcache,
	.phrase = "caches, or is cached, on",
	.lifted_by = EVICT_NEVER,
	.refusal = "stop it by hand: write 1 to bcache/stop of the disk, or to bcache/set/stop of a cache, in "
		   "/sys/block",
};
