// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/holders/served.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "util/child.h"
#include "util/cleanup.h"
#include "util/root.h"

enum { WALK_MS = 2000 };

struct walk {
	const struct root *root;
	const char *path;
};

static int do_walk(void *argument, int *fd)
{
	const struct walk *walk = argument;

	*fd = root_openf(walk->root, O_PATH, "%s", walk->path);
	return *fd < 0 ? *fd : 0;
}

static int place_of_open(const struct look *look, int fd, struct place *place)
{
	const struct holder *filesystem;
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &stx) < 0)
		return -errno;
	if (S_ISBLK(stx.stx_mode))
		return place_of_dev(look, makedev(stx.stx_rdev_major, stx.stx_rdev_minor), place);
	filesystem = look_filesystem(look, makedev(stx.stx_dev_major, stx.stx_dev_minor));
	if (!filesystem)
		return 0;
	*place = (struct place){ .device = filesystem->device, .on = filesystem->id };
	return 1;
}

/* In a recorded tree a path is only text. */
static int place_of_recorded(const struct root *root, const struct look *look, const char *path,
			     struct place *place)
{
	const struct holder *on;

	if (!place_of_path(root, look, path, place))
		return 0;
	for (on = look_holder(look, place->on); on && on->type == HOLDER_MOUNT; on = look_holder(look, on->on))
		place->on = on->on;
	return 1;
}

int place_of_served(const struct root *root, const struct look *look, const char *path, struct place *place)
{
	struct walk walk = { root, path };
	_cleanup_close_ int fd = -1;
	struct child left;
	int rc;

	if (root->recorded)
		return place_of_recorded(root, look, path, place);
	if (path[0] != '/')
		return -EINVAL;
	rc = child_run(do_walk, &walk, -1, deadline_in(WALK_MS), &fd, &left);
	child_forget(&left);
	return rc < 0 ? rc : place_of_open(look, fd, place);
}

struct holder *add_served(struct look *look, enum holder_type type, const struct place *place, const char *name)
{
	return look_add_holder(look, type, place->device, place->on, "%s", name);
}
