// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Overlays with a layer on one of the file systems. An overlay has mounts of
 * its own of its layers (clone_private_mount()), which no table shows: the
 * file system below can be unmounted everywhere and lives on. Files that are
 * opened through it are the overlay's by their number.
 *
 * The mount table has the paths of the layers as whoever mounted it gave them:
 * relative ones, and such as lead elsewhere by now. What leads nowhere is
 * unknown; an overlay whose layers were moved is met by the claim.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "retire/holders/kinds.h"
#include "retire/holders/mount-table.h"
#include "retire/holders/mountinfo.h"
#include "retire/holders/overlay-layers.h"
#include "util/child.h"
#include "util/cleanup.h"
#include "util/root.h"

enum { RESOLVE_MS = 5000 };

/* Where the path of a layer leads, told by a child that may be given up. */
struct whereabouts {
	int error; /* 0, a negative errno */
	dev_t dev;
	uint64_t mount_id;
};

struct finder {
	const struct root *root;
	struct look *look;
	struct mount_table table;
	struct layers layers;
	struct whereabouts *answers; /* one for each layer, shared with the child */
	size_t size;		     /* of the answers, bytes */
};

static void cleanup_finder(struct finder *finder)
{
	mount_table_free(&finder->table);
	layers_free(&finder->layers);
	if (finder->answers)
		munmap(finder->answers, finder->size);
}

static bool is_candidate(const struct finder *finder, const struct mount *mount)
{
	return strcmp(mount->fstype, "overlay") == 0 && !look_filesystem(finder->look, mount->dev);
}

/* The mount that has the longest part of the path, the upper one of two at the same place; by text alone. */
static const struct mount *mount_of_path(const struct mount_table *table, int ns, const char *path)
{
	const struct mount *best = NULL;

	array_each(mount, &table->mounts) {
		size_t length = strlen(mount->point), root = length == 1;

		if (mount->ns != ns || strncmp(path, mount->point, length) != 0 ||
		    (!root && path[length] != '/' && path[length]))
			continue;
		if (!best || strlen(best->point) <= length)
			best = mount;
	}
	return best;
}

static int resolve(const struct layer *layer, struct whereabouts *answer)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS };
	_cleanup_close_ int fd = (int)syscall(SYS_openat2, AT_FDCWD, layer->path, &how, sizeof(how));
	struct statx stx;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &stx) < 0)
		return -errno;
	answer->dev = makedev(stx.stx_dev_major, stx.stx_dev_minor);
	answer->mount_id = stx.stx_mnt_id;
	return 0;
}

/* In the child: the layers are found in the namespace of their mount. */
static int resolve_all(void *argument, int *fd)
{
	const struct finder *finder = argument;
	int entered = -1, rc = 0;

	(void)fd;
	for (size_t i = 0; i < finder->layers.list.count; i++) {
		const struct layer *layer = &finder->layers.list.items[i];

		if (layer->error)
			continue;
		if (layer->ns != entered) {
			rc = setns(finder->look->namespaces.items[layer->ns].fd, CLONE_NEWNS) < 0 ? -errno : 0;
			entered = layer->ns;
		}
		finder->answers[i].error = rc < 0 ? rc : resolve(layer, &finder->answers[i]);
	}
	return 0;
}

/* A recorded tree has only texts. */
static void resolve_recorded(struct finder *finder)
{
	for (size_t i = 0; i < finder->layers.list.count; i++) {
		const struct layer *layer = &finder->layers.list.items[i];
		const struct mount *mount = mount_of_path(&finder->table, layer->ns, layer->path);

		if (mount && !layer->error)
			finder->answers[i] = (struct whereabouts){ .dev = mount->dev, .mount_id = mount->id };
	}
}

/* To walk below an automounter that has nothing mounted would have it mount that. */
static void refuse_automounts(struct finder *finder)
{
	array_each(layer, &finder->layers.list) {
		const struct mount *mount =
			layer->error ? NULL : mount_of_path(&finder->table, layer->ns, layer->path);

		if (mount && strcmp(mount->fstype, "autofs") == 0)
			layer->error = -EREMOTE;
	}
}

static int resolve_layers(struct finder *finder)
{
	struct child left;

	finder->size = (finder->layers.list.count + 1) * sizeof(struct whereabouts);
	finder->answers = mmap(NULL, finder->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (finder->answers == MAP_FAILED) {
		finder->answers = NULL;
		return -ENOMEM;
	}
	refuse_automounts(finder);
	for (size_t i = 0; i < finder->layers.list.count; i++)
		finder->answers[i].error =
			finder->layers.list.items[i].error ? finder->layers.list.items[i].error : -ETIMEDOUT;
	if (finder->root->recorded) {
		resolve_recorded(finder);
		return 0;
	}
	/* whatever became of it: what it has told is good */
	child_run(resolve_all, finder, -1, deadline_in(RESOLVE_MS), NULL, &left);
	child_forget(&left);
	return 0;
}

static int collect_layers(struct finder *finder)
{
	int rc = 0;

	array_each(mount, &finder->table.mounts)
		if (rc == 0 && is_candidate(finder, mount))
			rc = layers_add(&finder->layers, mount, (size_t)(mount - finder->table.mounts.items));
	return rc;
}

/* The file system of ours that a layer is on. */
static const struct holder *filesystem_of_answer(const struct look *look, const struct whereabouts *answer)
{
	if (answer->error)
		return NULL;
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_MOUNT && !holder->mount.foreign && holder->mount.id == answer->mount_id)
			return look_filesystem(look, holder->mount.dev);
	return look_filesystem(look, answer->dev);
}

static const struct holder *filesystem_below(const struct finder *finder, dev_t overlay)
{
	for (size_t i = 0; i < finder->layers.list.count; i++) {
		const struct mount *mount = &finder->table.mounts.items[finder->layers.list.items[i].mount];
		const struct holder *below = filesystem_of_answer(finder->look, &finder->answers[i]);

		if (below && mount->dev == overlay)
			return below;
	}
	return NULL;
}

static int add_overlay(struct finder *finder, const struct mount *mount, const struct holder *below)
{
	struct holder *holder =
		look_add_holder(finder->look, HOLDER_OVERLAY, below->device, below->id, "%s", mount->point);

	if (!holder)
		return -ENOMEM;
	holder->dev = mount->dev;
	holder->filesystem.dev = mount->dev;
	holder->filesystem.features = FS_FEATURES_UNKNOWN;
	holder->filesystem.fstype = strdup(mount->fstype);
	return holder->filesystem.fstype ? 1 : -ENOMEM;
}

static int add_overlay_mount(struct finder *finder, const struct mount *mount)
{
	const struct holder *overlay = look_filesystem(finder->look, mount->dev);
	const struct mount *parent = mount_table_parent(&finder->table, mount);
	struct holder *holder;

	if (!overlay || overlay->type != HOLDER_OVERLAY || look_mount(finder->look, mount))
		return 0;
	holder = look_add_holder(finder->look, HOLDER_MOUNT, overlay->device, overlay->id, "%s", mount->point);
	if (!holder)
		return -ENOMEM;
	/* what it is in may be none of ours yet: mount.c completes that */
	holder->inside = parent ? look_mount(finder->look, parent) : 0;
	return mount_copy(&holder->mount, mount) < 0 ? -ENOMEM : 1;
}

/* One overlay can be a layer of another. */
static int add_overlays(struct finder *finder)
{
	int rc = 0, added = 0;
	bool again = true;

	while (again) {
		again = false;
		array_each(mount, &finder->table.mounts) {
			const struct holder *below =
				is_candidate(finder, mount) ? filesystem_below(finder, mount->dev) : NULL;

			rc = below ? add_overlay(finder, mount, below) : 0;
			if (rc < 0)
				return rc;
			again |= rc > 0;
			added += rc;
		}
	}
	array_each(mount, &finder->table.mounts) {
		rc = add_overlay_mount(finder, mount);
		if (rc < 0)
			return rc;
		added += rc;
	}
	return added;
}

/* A mount of an overlay all of whose layers were found, in whichever namespace. */
static bool is_resolved(const struct finder *finder, dev_t overlay)
{
	size_t count = finder->layers.list.count;

	for (size_t i = 0; i < count;) {
		size_t mount = finder->layers.list.items[i].mount;
		bool all = finder->table.mounts.items[mount].dev == overlay;

		for (; i < count && finder->layers.list.items[i].mount == mount; i++)
			all &= !finder->answers[i].error;
		if (all)
			return true;
	}
	return false;
}

/* Of a namespace; parts of it may be mounted elsewhere, too. */
static bool is_a_root(const struct finder *finder, dev_t overlay)
{
	array_each(mount, &finder->table.mounts)
		if (mount->dev == overlay && strcmp(mount->point, "/") == 0)
			return true;
	return false;
}

/*
 * Of what rests on none of ours: is that for sure? The root of a namespace was
 * mounted before there was one (by an initramfs, a container's runtime), and
 * its paths lead nowhere from inside: that says nothing. Should its layers be
 * ours, the claim is refused, since nothing takes a root away.
 */
static int tell_unresolved(struct finder *finder)
{
	char reason[512];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < finder->layers.list.count; i++) {
		const struct layer *layer = &finder->layers.list.items[i];
		const struct mount *mount = &finder->table.mounts.items[layer->mount];

		if (!finder->answers[i].error || !is_candidate(finder, mount) || is_resolved(finder, mount->dev) ||
		    is_a_root(finder, mount->dev))
			continue;
		snprintf(reason, sizeof(reason), "its layer %.300s cannot be found: %s", layer->path,
			 strerror(-finder->answers[i].error));
		rc = add_unknown_once(finder->look, mount->point, reason);
	}
	return rc;
}

static bool any_filesystem(const struct look *look)
{
	array_each(holder, &look->holders)
		if (holder_is_filesystem(holder))
			return true;
	return false;
}

/* Where the kernel does not know the type, nobody has mounted one. */
static bool kernel_has_overlay(const struct root *root)
{
	_cleanup_free_ char *types = NULL;

	return root_readf(root, 65536, &types, "/proc/filesystems") < 0 || strstr(types, "\toverlay\n");
}

static int find_overlays(struct finder *finder)
{
	int added, rc = mount_table_read(finder->root, finder->look, &finder->table);

	rc = rc < 0 ? rc : collect_layers(finder);
	if (rc < 0)
		return rc;
	rc = resolve_layers(finder);
	if (rc < 0)
		return rc;
	added = add_overlays(finder);
	rc = added < 0 ? added : tell_unresolved(finder);
	return rc < 0 ? rc : added;
}

static int probe_overlays(const struct root *root, struct look *look, struct err *err)
{
	_cleanup_(cleanup_finder) struct finder finder = { .root = root, .look = look };
	int rc = any_filesystem(look) && kernel_has_overlay(root) ? find_overlays(&finder) : 0;

	return rc < 0 ? err_errno(err, rc, "cannot list overlays") : rc;
}

const struct holder_kind kind_overlay = {
	.type = HOLDER_OVERLAY,
	.name = "overlay",
	.probe = probe_overlays,
	.stacks = true,
	.phrase = "has its layers on",
	.lifted_by = EVICT_STOP,
	/* an overlay cannot be frozen: it has no freeze_super() */
	.before = { STEP_FLUSH, STEP_KILL, STEP_AWAIT_EXIT },
};
