// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mounts. Those of the watched file systems come with them (filesystem.c);
 * here is what else is mounted inside: a tmpfs, another disk, a bind of /proc.
 * They have to go first, and whoever uses them holds the mount below.
 */
#include <errno.h>
#include <stdlib.h>

#include "retire/holders/kinds.h"
#include "retire/holders/mount-table.h"
#include "retire/holders/mountinfo.h"
#include "util/cleanup.h"

enum { NOT_SEEN = 0, OUTSIDE = -1 };

struct finder {
	const struct root *root;
	struct look *look;
	struct mount_table table;
	int *ids;	      /* of each mount of the table: its id in the look, OUTSIDE or NOT_SEEN */
	struct mount **chain; /* room for as many as there are mounts */
};

static void cleanup_finder(struct finder *finder)
{
	mount_table_free(&finder->table);
	free(finder->ids);
	free(finder->chain);
}

static int *id_of(const struct finder *finder, const struct mount *mount)
{
	return &finder->ids[mount - finder->table.mounts.items];
}

static int add_foreign(struct finder *finder, const struct mount *mount, int inside)
{
	int device = look_holder(finder->look, inside)->device;
	struct holder *holder = look_add_holder(finder->look, HOLDER_MOUNT, device, inside, "%s", mount->point);

	if (!holder)
		return -ENOMEM;
	holder->inside = inside;
	*id_of(finder, mount) = holder->id;
	if (mount_copy(&holder->mount, mount) < 0)
		return -ENOMEM;
	holder->mount.foreign = true;
	return 0;
}

/* Climbs to the first mount of which something is known; all on the way are like that one. */
static int judge(struct finder *finder, struct mount *mount)
{
	size_t depth = 0;
	int rc = 0, below;

	for (; mount && *id_of(finder, mount) == NOT_SEEN && depth < finder->table.mounts.count;
	     mount = mount_table_parent(&finder->table, mount))
		finder->chain[depth++] = mount;
	below = mount ? *id_of(finder, mount) : OUTSIDE;
	while (rc == 0 && depth-- > 0) {
		if (below > 0)
			rc = add_foreign(finder, finder->chain[depth], below);
		else
			*id_of(finder, finder->chain[depth]) = OUTSIDE;
		below = *id_of(finder, finder->chain[depth]);
	}
	return rc;
}

/* One of ours may be mounted in a foreign one that was not in the look yet. */
static void complete_inside(struct finder *finder)
{
	array_each(mount, &finder->table.mounts) {
		struct holder *holder = look_holder(finder->look, *id_of(finder, mount));
		struct mount *parent = mount_table_parent(&finder->table, mount);

		if (holder && parent && !holder->inside && *id_of(finder, parent) > 0)
			holder->inside = *id_of(finder, parent);
	}
}

static int add_all_foreign(struct finder *finder)
{
	int rc = mount_table_read(finder->root, finder->look, &finder->table);
	size_t count = finder->table.mounts.count;

	if (rc < 0 || !count)
		return rc;
	finder->ids = calloc(count, sizeof(*finder->ids));
	finder->chain = calloc(count, sizeof(*finder->chain));
	if (!finder->ids || !finder->chain)
		return -ENOMEM;
	array_each(mount, &finder->table.mounts)
		*id_of(finder, mount) = look_mount(finder->look, mount);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = judge(finder, &finder->table.mounts.items[i]);
	complete_inside(finder);
	return rc;
}

static bool any_mount(const struct look *look)
{
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_MOUNT)
			return true;
	return false;
}

static int probe_mounts(const struct root *root, struct look *look, struct err *err)
{
	_cleanup_(cleanup_finder) struct finder finder = { .root = root, .look = look };
	size_t before = look->holders.count;
	int rc = any_mount(look) ? add_all_foreign(&finder) : 0;

	return rc < 0 ? err_errno(err, rc, "cannot list mounts") : (int)(look->holders.count - before);
}

const struct holder_kind kind_mount = {
	.type = HOLDER_MOUNT,
	.name = "mount",
	.probe = probe_mounts,
	.lifted_by = EVICT_STOP,
	.after = { STEP_UNMOUNT },
};
