// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/holders/filesystem-state.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "retire/holders/mountinfo.h"
#include "retire/kernel-log.h"
#include "util/child.h"
#include "util/cleanup.h"
#include "util/root.h"

enum { STATE_MS = 5000 };

/* struct xfs_fsop_geom_v1 of fs/xfs/libxfs/xfs_fs.h: the oldest form, with flags, that every kernel answers. */
struct xfs_geometry_v1 {
	uint32_t blocksize, rtextsize, agblocks, agcount, logblocks, sectsize, inodesize, imaxpct;
	uint64_t datablocks, rtblocks, rtextents, logstart;
	unsigned char uuid[16];
	uint32_t sunit, swidth;
	int32_t version;
	uint32_t flags, logsectsize, rtsectsize, dirblocksize;
};
_Static_assert(sizeof(struct xfs_geometry_v1) == 112, "XFS_IOC_FSGEOMETRY_V1 has this size in its number");
#define GEOMETRY_V1	_IOR('X', 100, struct xfs_geometry_v1)
#define GEOMETRY_RMAPBT (1U << 19) /* XFS_FSOP_GEOM_FLAGS_RMAPBT */

/* The child's answer. */
enum { STATE_KNOWN = 1 << 0, STATE_RMAPBT = 1 << 1, STATE_SHUT_DOWN = 1 << 2 };

struct question {
	const struct look *look;
	int id;
};

/* Mount points have no links in them, so a link there is not what we were told of. */
static int open_root(const char *point, unsigned flags)
{
	struct open_how how = { .flags = flags | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW,
				.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, point, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static unsigned ask_xfs(int fd)
{
	struct xfs_geometry_v1 geometry;

	if (ioctl(fd, GEOMETRY_V1, &geometry) < 0)
		return 0;
	return STATE_KNOWN | (geometry.flags & GEOMETRY_RMAPBT ? STATE_RMAPBT : 0);
}

/*
 * ext4 opens its root and answers for it after a shutdown, and shows that one
 * in its options only from 6.15 on. But it gives out no attribute
 * (fs/ext4/xattr.c:ext4_xattr_get()). That there is none of this name is the
 * other answer.
 */
static bool is_shut_down(int fd)
{
	char value;

	return fgetxattr(fd, "trusted.dax-retire", &value, sizeof(value)) < 0 && errno == EIO;
}

/* Only of the root that was meant: another mount may cover it. */
static int ask_root(const struct mount *mount)
{
	_cleanup_close_ int path = open_root(mount->point, O_PATH), fd = -1;
	struct statx stx;

	if (path < 0 || statx(path, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID, &stx) < 0)
		return path == -EIO || (path >= 0 && errno == EIO) ? STATE_SHUT_DOWN : -ENODATA;
	if (!(stx.stx_mask & STATX_MNT_ID) || stx.stx_mnt_id != mount->id)
		return -ESTALE;
	fd = open_root(mount->point, O_RDONLY);
	if (fd < 0)
		return fd == -EIO ? STATE_SHUT_DOWN : -ENODATA;
	if (is_shut_down(fd))
		return STATE_SHUT_DOWN;
	return strcmp(mount->fstype, "xfs") == 0 ? ask_xfs(fd) : STATE_KNOWN;
}

static bool is_mount_of(const struct holder *holder, const struct holder *filesystem)
{
	return holder->type == HOLDER_MOUNT && !holder->mount.foreign && holder->mount.dev == filesystem->dev;
}

/* In the child: asks one mount after the other until one can be reached. */
static int ask(void *argument, int *fd)
{
	const struct question *question = argument;
	const struct look *look = question->look;
	const struct holder *filesystem = look_holder(look, question->id);
	int rc;

	(void)fd;
	array_each(holder, &look->holders) {
		if (!is_mount_of(holder, filesystem))
			continue;
		/* our own namespace needs no setns(), where we may not */
		if (setns(look->namespaces.items[holder->mount.ns].fd, CLONE_NEWNS) < 0 && holder->mount.ns != 0)
			continue;
		rc = ask_root(&holder->mount);
		if (rc >= 0)
			return rc;
	}
	return -ENODATA;
}

/* What the mount table says by itself: ext4 and others show a shutdown among their options. */
static void read_options(const struct look *look, struct holder *filesystem)
{
	array_each(holder, &look->holders) {
		if (!is_mount_of(holder, filesystem))
			continue;
		filesystem->filesystem.read_only |= has_option(holder->mount.super_options, "ro");
		filesystem->filesystem.shut_down |= has_option(holder->mount.super_options, "shutdown");
	}
}

void filesystem_read_state(struct look *look, int id, bool recorded)
{
	struct holder *filesystem = look_holder(look, id);
	struct question question = { .look = look, .id = id };
	struct child left;
	int answer;

	filesystem->filesystem.features = FS_FEATURES_UNKNOWN;
	read_options(look, filesystem);
	if (recorded)
		return;
	answer = child_run(ask, &question, -1, deadline_in(STATE_MS), NULL, &left);
	child_forget(&left);
	if (answer < 0)
		return;
	if (answer & STATE_SHUT_DOWN)
		filesystem->filesystem.shut_down = true;
	if (answer & STATE_KNOWN)
		filesystem->filesystem.features = answer & STATE_RMAPBT ? FS_XFS_RMAPBT : 0;
}

/*
 * Can no file of it be mapped directly? Without an option XFS and ext4 leave
 * it to each file (fs/ext4/inode.c:ext4_should_enable_dax()). Types that are
 * not known here may know of DAX.
 */
static bool has_no_dax(const struct look *look, const struct holder *filesystem)
{
	static const char *const never[] = { "btrfs", "vfat",	"exfat", "ntfs3",   "f2fs",
					     "jfs",   "nilfs2", "udf",	 "bcachefs" };
	const struct device *device = &look->devices.items[filesystem->device];

	if (device->mode == MODE_SECTOR)
		return true;
	for (size_t i = 0; i < COUNT_OF(never); i++)
		if (strcmp(filesystem->filesystem.fstype, never[i]) == 0)
			return true;
	array_each(holder, &look->holders)
		if (is_mount_of(holder, filesystem) && has_option(holder->mount.super_options, "dax=never"))
			return true;
	return false;
}

void filesystem_read_dead(const struct root *root, struct look *look, int id)
{
	struct holder *filesystem = look_holder(look, id);

	filesystem->filesystem.features = FS_FEATURES_UNKNOWN;
	read_options(look, filesystem);
	filesystem->filesystem.shut_down = true;
	filesystem->filesystem.no_dax = has_no_dax(look, filesystem);
	filesystem->filesystem.told = !root->recorded && strcmp(filesystem->filesystem.fstype, "xfs") == 0 &&
				      kernel_log_tells_of_removal(look_on_name(look, filesystem)) > 0;
}
