// SPDX-License-Identifier: GPL-2.0-or-later
/* Swap areas on a watched block device, or in a file of a watched file system. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "retire/holders/kinds.h"
#include "retire/holders/procfs.h"
#include "util/cleanup.h"
#include "util/root.h"

/* The mount that the file is reached by, else its file system. */
static bool place_of_file(const struct look *look, dev_t dev, uint64_t mount_id, struct place *place)
{
	const struct holder *filesystem = look_filesystem(look, dev);

	if (!filesystem)
		return false;
	*place = (struct place){ .device = filesystem->device, .on = filesystem->id };
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_MOUNT && holder->mount.id == mount_id)
			place->on = holder->id;
	return true;
}

/* 1: on a watched place; 0: elsewhere; negative errno: its path leads to no swap area any more. */
static int place_of_node(const struct root *root, const struct look *look, const struct swap_line *line,
			 struct place *place)
{
	_cleanup_close_ int fd = root_openf(root, O_PATH, "%s", line->path);
	struct stat st;
	struct statx stx;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &stx) < 0)
		return -errno;
	if (line->file && S_ISREG(st.st_mode))
		return place_of_file(look, st.st_dev, stx.stx_mnt_id, place);
	if (!line->file && S_ISBLK(st.st_mode))
		return place_of_dev(look, st.st_rdev, place);
	return -ENXIO;
}

/*
 * The path is as the kernel gave it when asked (d_path()): its file may be
 * gone, or in a mount namespace of its own. Then the name of a block device
 * still tells, and a file is unknown.
 */
static int find_place(const struct root *root, struct look *look, const struct swap_line *line,
		      struct place *place)
{
	int rc = root->recorded || line->deleted ? -ENOENT : place_of_node(root, look, line, place);

	if (rc >= 0)
		return rc;
	if (place_of_path(root, look, line->path, place))
		return 1;
	return line->file && !root->recorded ? add_unknown_once(look, line->path, "swap file that cannot be found")
					     : 0;
}

static int add_swap(const struct root *root, struct look *look, const struct swap_line *line)
{
	struct place place = { 0 };
	struct holder *holder;
	int rc = find_place(root, look, line, &place);

	if (rc <= 0)
		return rc;
	holder = look_add_holder(look, HOLDER_SWAP, place.device, place.on, "%s", line->path);
	if (!holder)
		return -ENOMEM;
	holder->swap = (struct swap){ .path = strdup(line->path),
				      .priority = line->priority,
				      .size = line->size,
				      .used = line->used,
				      .file = line->file };
	return holder->swap.path ? 1 : -ENOMEM;
}

static int add_swaps(const struct root *root, struct look *look)
{
	_cleanup_free_ char *text = NULL;
	ssize_t length = root_readf(root, 1 << 20, &text, "/proc/swaps");
	char *cursor = text, *line;
	struct swap_line swap;
	int rc, added = 0;

	/* a kernel without swap has no such file */
	if (length < 0)
		return length == -ENOENT ? 0 : look_add_unknown(look, "swap areas", "%s", strerror((int)-length));
	strsep(&cursor, "\n"); /* the heading */
	for (; cursor && *cursor; added += rc) {
		line = strsep(&cursor, "\n");
		if (swap_parse(line, &swap) < 0)
			rc = add_unknown_once(look, "swap areas", "a line of /proc/swaps could not be understood");
		else
			rc = add_swap(root, look, &swap);
		if (rc < 0)
			return rc;
	}
	return added;
}

static int probe_swaps(const struct root *root, struct look *look, struct err *err)
{
	int rc = add_swaps(root, look);

	return rc < 0 ? err_errno(err, rc, "cannot list swap areas") : rc;
}

const struct holder_kind kind_swap = {
	.type = HOLDER_SWAP,
	.name = "swap",
	.probe = probe_swaps,
	.lifted_by = EVICT_STOP,
	.after = { STEP_SWAP_OFF },
};
