// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * File systems on a watched block device, and their own mounts in every mount
 * namespace. What else is mounted below one of them is found by mount.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retire/holders/filesystem-devices.h"
#include "retire/holders/filesystem-state.h"
#include "retire/holders/kinds.h"
#include "retire/holders/mount-table.h"
#include "retire/holders/mountinfo.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

/* What is known of one mount of the table. */
struct own {
	bool ours, done;
	struct place place; /* of its block device */
	const char *part;   /* what of it is there; NULL: it itself */
	int id;		    /* in the look, when done */
};

/* One pass over the mounts of the machine. */
struct finder {
	const struct root *root;
	struct look *look;
	struct mount_table table;
	char *types;
	struct own *owns;     /* same indices as table.mounts */
	struct mount **chain; /* room for as many as there are mounts */
};

static void cleanup_finder(struct finder *finder)
{
	mount_table_free(&finder->table);
	free(finder->types);
	free(finder->owns);
	free(finder->chain);
}

static struct own *own_of(const struct finder *finder, const struct mount *mount)
{
	return mount ? &finder->owns[mount - finder->table.mounts.items] : NULL;
}

/* Its file system's id, which it may add. Negative errno. */
static int add_filesystem(struct finder *finder, const struct mount *mount, const struct own *own)
{
	const struct place *place = &own->place;

	struct holder *holder = look_filesystem(finder->look, mount->dev);

	if (holder)
		return holder->id;
	holder = look_add_holder(finder->look, HOLDER_FILESYSTEM, place->device, place->on, "%s", mount->point);
	if (!holder)
		return -ENOMEM;
	holder->dev = mount->dev;
	holder->filesystem.dev = mount->dev;
	holder->filesystem.features = FS_FEATURES_UNKNOWN;
	holder->filesystem.part = own->part;
	holder->filesystem.fstype = strdup(mount->fstype);
	return holder->filesystem.fstype ? holder->id : -ENOMEM;
}

/*
 * An ext4 finds its journal by a device number that it has noted down, and
 * that a device which comes back may not have again: its name goes with it.
 */
static int show_journal(const struct look *look, struct holder *mount)
{
	const struct holder *filesystem = look_filesystem(look, mount->mount.dev);
	const char *name;
	char *options;

	if (!filesystem || !filesystem->filesystem.part || !starts_with(mount->mount.fstype, "ext"))
		return 0;
	name = look_on_name(look, filesystem);
	if (asprintf(&options, "%s,journal_path=/dev/%.*s", mount->mount.super_options, (int)strcspn(name, " "),
		     name) < 0)
		return -ENOMEM;
	free(mount->mount.super_options);
	mount->mount.super_options = options;
	return 0;
}

/* Its parent is in the look already, if that is ours. */
static int add_mount(struct finder *finder, const struct mount *mount)
{
	struct own *own = own_of(finder, mount),
		   *inside = own_of(finder, mount_table_parent(&finder->table, mount));
	struct holder *holder, *parent;
	int filesystem = add_filesystem(finder, mount, own);

	if (filesystem < 0)
		return filesystem;
	holder = look_add_holder(finder->look, HOLDER_MOUNT, own->place.device, filesystem, "%s", mount->point);
	if (!holder)
		return -ENOMEM;
	own->done = true;
	own->id = holder->id;
	parent = inside && inside->done ? look_holder(finder->look, inside->id) : NULL;
	holder->inside = parent ? parent->id : 0;
	if (parent && parent->mount.dev == mount->dev)
		holder->on = parent->id;
	return mount_copy(&holder->mount, mount) < 0 ? -ENOMEM : show_journal(finder->look, holder);
}

/*
 * Adds a mount after those of ours that it is mounted in. `chain` instead of a
 * recursion: mounts can be stacked 100,000 deep (fs.mount-max). A circle,
 * which only a forged table has, is cut where it closes.
 */
static int add_mount_and_parents(struct finder *finder, struct mount *mount)
{
	size_t depth = 0;
	int rc = 0;

	for (; mount && own_of(finder, mount)->ours && !own_of(finder, mount)->done &&
	       depth < finder->table.mounts.count;
	     mount = mount_table_parent(&finder->table, mount))
		finder->chain[depth++] = mount;
	while (rc == 0 && depth-- > 0)
		if (!own_of(finder, finder->chain[depth])->done)
			rc = add_mount(finder, finder->chain[depth]);
	return rc;
}

/* Marks what is ours, and what of it an earlier pass has added. */
static int mark_mounts(struct finder *finder)
{
	array_each(mount, &finder->table.mounts) {
		struct own *own = own_of(finder, mount);
		int rc = filesystem_place(finder->root, finder->look, finder->types, mount, &own->place,
					  &own->part);

		if (rc < 0)
			return rc;
		own->ours = rc > 0;
		own->id = own->ours ? look_mount(finder->look, mount) : 0;
		own->done = own->id != 0;
	}
	return 0;
}

static int add_mounts(struct finder *finder)
{
	int rc = mount_table_read(finder->root, finder->look, &finder->table);
	size_t count = finder->table.mounts.count;

	if (rc < 0 || !count)
		return rc;
	finder->types = filesystem_types(finder->root);
	finder->owns = calloc(count, sizeof(*finder->owns));
	finder->chain = calloc(count, sizeof(*finder->chain));
	if (!finder->owns || !finder->chain)
		return -ENOMEM;
	rc = mark_mounts(finder);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = add_mount_and_parents(finder, &finder->table.mounts.items[i]);
	return rc;
}

const char *const superblock_dirs[] = { "xfs", "ext4", "f2fs", "erofs", NULL };

int filesystem_add_detached(struct look *look, const struct block *block, const char *fstype)
{
	struct holder *holder =
		look_add_holder(look, HOLDER_FILESYSTEM, block->place.device, block->place.on, "%s", block->name);

	if (!holder)
		return -ENOMEM;
	holder->dev = block->dev;
	holder->filesystem.dev = block->dev;
	holder->filesystem.features = FS_FEATURES_UNKNOWN;
	holder->filesystem.detached = true;
	holder->filesystem.fstype = strdup(fstype);
	return holder->filesystem.fstype ? 0 : -ENOMEM;
}

/*
 * A lazy unmount takes the mounts away and leaves the superblock to its last
 * user: no mount shows it, its directory in sysfs does.
 */
static int find_detached(const struct root *root, struct look *look)
{
	struct block block;
	int rc = 0;

	for (size_t cursor = 0; block_next(look, &cursor, &block);)
		for (size_t i = 0; rc == 0 && superblock_dirs[i]; i++)
			if (!look_filesystem(look, block.dev) &&
			    root_existsf(root, "/sys/fs/%s/%s", superblock_dirs[i], block.name))
				rc = filesystem_add_detached(look, &block, superblock_dirs[i]);
	return rc;
}

/* The same of an ext4 on another disk that has its journal on one of ours. */
static int find_detached_journals(const struct root *root, struct look *look)
{
	struct block block;
	int rc = 0;

	for (size_t cursor = 0; rc == 0 && block_next(look, &cursor, &block);) {
		_cleanup_free_ char *disk = NULL;
		struct block other = { .place = block.place };

		if (!filesystem_journal_exists(root, block.name))
			continue;
		disk = filesystem_of_journal(root, block.name);
		if (!disk || snprintf(other.name, sizeof(other.name), "%s", disk) >= (int)sizeof(other.name) ||
		    root_devf(root, &other.dev, "/sys/class/block/%s/dev", disk) < 0) {
			rc = add_unknown_once(look, block.name, "of whom the journal on it is cannot be told");
			continue;
		}
		if (look_filesystem(look, other.dev))
			continue;
		rc = filesystem_add_detached(look, &other, "ext4");
		if (rc == 0)
			look_holder(look, (int)look->holders.count)->filesystem.part = "journal";
	}
	return rc;
}

/* Its files have another number than its disk, and no mount tells which: nobody on it is seen. */
static int find_detached_btrfs(const struct root *root, struct look *look)
{
	struct block block;
	DIR *cursor = NULL;
	bool known;
	int rc = 0;

	while (filesystem_next_btrfs(root, look, &cursor, &block, &known))
		if (rc == 0 && !known)
			rc = filesystem_add_detached(look, &block, "btrfs");
	return rc;
}

static int find_filesystems(struct finder *finder)
{
	int rc = add_mounts(finder);

	rc = rc < 0 ? rc : find_detached(finder->root, finder->look);
	rc = rc < 0 ? rc : find_detached_journals(finder->root, finder->look);
	return rc < 0 ? rc : find_detached_btrfs(finder->root, finder->look);
}

static int probe_filesystems(const struct root *root, struct look *look, struct err *err)
{
	_cleanup_(cleanup_finder) struct finder finder = { .root = root, .look = look };
	size_t before = look->holders.count;
	int rc = find_filesystems(&finder);

	if (rc < 0)
		return err_errno(err, rc, "cannot list mounts");
	for (size_t i = before; i < look->holders.count; i++) {
		const struct holder *holder = &look->holders.items[i];

		if (holder->type != HOLDER_FILESYSTEM)
			continue;
		if (look->devices.items[holder->device].gone)
			filesystem_read_dead(root, look, holder->id);
		else if (!holder->filesystem.detached)
			filesystem_read_state(look, holder->id, root->recorded);
	}
	return (int)(look->holders.count - before);
}

const struct holder_kind kind_filesystem = {
	.type = HOLDER_FILESYSTEM,
	.name = "filesystem",
	.probe = probe_filesystems,
	.stacks = true,
	.lifted_by = EVICT_KILL, /* of a detached one: it goes with its last user */
	.before = { STEP_FREEZE, STEP_FLUSH, STEP_KILL, STEP_THAW, STEP_AWAIT_EXIT, STEP_FORESEE },
};
