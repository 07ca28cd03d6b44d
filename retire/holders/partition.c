// SPDX-License-Identifier: GPL-2.0-or-later
/* Partitions: places for others. By itself a partition uses nothing. */
#include <errno.h>
#include <string.h>

#include "retire/holders/kinds.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

static int add_partition(const struct root *root, struct look *look, const struct block *disk, const char *name)
{
	struct holder *holder;
	struct place there;
	uint64_t number;
	dev_t dev;

	if (!starts_with(name, disk->name) ||
	    root_numberf(root, &number, "/sys/class/block/%s/%s/partition", disk->name, name) < 0 ||
	    root_devf(root, &dev, "/sys/class/block/%s/%s/dev", disk->name, name) < 0 ||
	    place_of_dev(look, dev, &there))
		return 0;
	holder = look_add_holder(look, HOLDER_PARTITION, disk->place.device, disk->place.on, "%s", name);
	if (!holder)
		return -ENOMEM;
	holder->dev = dev;
	return 1;
}

static int add_partitions(const struct root *root, struct look *look, const struct block *disk)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, "/sys/class/block/%s", disk->name);
	struct dirent *entry;
	int added = 0;

	while (dir && (entry = readdir(dir))) {
		int rc = add_partition(root, look, disk, entry->d_name);

		if (rc < 0)
			return rc;
		added += rc;
	}
	return added;
}

static int probe_partitions(const struct root *root, struct look *look, struct err *err)
{
	struct block disk;
	int rc, added = 0;

	for (size_t cursor = 0; block_next(look, &cursor, &disk); added += rc) {
		rc = add_partitions(root, look, &disk);
		if (rc < 0)
			return err_errno(err, rc, "cannot list the partitions of %s", disk.name);
	}
	return added;
}

const struct holder_kind kind_partition = {
	.type = HOLDER_PARTITION,
	.name = "partition",
	.probe = probe_partitions,
	.stacks = true,
	.lifted_by = EVICT_NONE,
};
