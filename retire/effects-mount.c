// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/effects-mount.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "retire/effects-kept.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

/* Where a mount point is: its directory's descriptor and its name in there. */
struct spot {
	int directory;
	char name[NAME_MAX + 1];
};

static int open_strict(const char *path, int flags)
{
	/* a mount table has real paths: a link in one means that somebody changes them under us */
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static int find_spot(const char *point, struct spot *spot)
{
	char path[PATH_MAX];
	char *slash;

	if (snprintf(path, sizeof(path), "%s", point) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	slash = strrchr(path, '/');
	/* the root of a namespace ends with its last process, not by umount() */
	if (!slash || !slash[1] || strlen(slash + 1) >= sizeof(spot->name))
		return -EINVAL;
	strcpy(spot->name, slash + 1);
	*slash = '\0';
	spot->directory = open_strict(*path ? path : "/", O_PATH | O_DIRECTORY);
	return spot->directory < 0 ? spot->directory : 0;
}

/* The same part of the same file system at the same place: another one there may be what it was mounted over. */
static bool is_same(const struct mount *mount, const char *dev, char *root, char *point)
{
	dev_t found;

	if (!point || parse_dev(dev, &found) < 0 || found != mount->dev)
		return false;
	unescape_octal(root);
	unescape_octal(point);
	return strcmp(point, mount->point) == 0 && strcmp(root, mount->root) == 0;
}

/* Is there a line of the mount, by its id or by what it shows where? Of the namespace that this process is in. */
static int is_in_table(int proc, const struct mount *mount, bool by_id)
{
	_cleanup_close_ int fd = openat(proc, "thread-self/mountinfo", O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *table = NULL;
	char *cursor, *line;

	if (fd < 0)
		return -errno;
	if (read_whole(fd, 64 << 20, &table) < 0)
		return -EIO;
	for (cursor = table; (line = next_field(&cursor, "\n"));) {
		char *number = next_field(&line, " "), *device, *root, *at;
		uint64_t found;

		next_field(&line, " ");
		device = next_field(&line, " ");
		root = next_field(&line, " ");
		at = next_field(&line, " ");
		if (by_id ? parse_number(number, &found) == 0 && found == mount->id
			  : is_same(mount, device, root, at))
			return 1;
	}
	return 0;
}

/* Enters the namespace and finds the mount. 0, 1 when it is gone, -ESTALE when something is mounted over it. */
static int find_mount(const struct mount_work *work, struct spot *spot)
{
	_cleanup_close_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statx found;
	int rc;

	if (proc < 0 || setns(work->ns, CLONE_NEWNS) < 0)
		return -errno;
	rc = is_in_table(proc, work->mount, true);
	if (rc <= 0)
		return rc < 0 ? rc : 1;
	rc = find_spot(work->mount->point, spot);
	if (rc < 0)
		return rc;
	if (statx(spot->directory, spot->name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		  STATX_MNT_ID, &found) == 0)
		return found.stx_mnt_id == work->mount->id ? 0 : -ESTALE;
	/* a file system that was shut down answers EIO for its root, and can be unmounted all the same */
	return errno == EIO ? 0 : -errno;
}

int mount_open(void *argument, int *fd)
{
	const struct mount_work *work = argument;
	struct spot spot = { .directory = -1 };
	struct stat found;
	int rc = find_mount(work, &spot);

	if (rc)
		return rc > 0 ? -ENOENT : rc;
	/* a bind mount can be of a fifo or a device node; those must not be opened */
	if (fstatat(spot.directory, spot.name, &found, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return -errno;
	if (!S_ISDIR(found.st_mode) && !S_ISREG(found.st_mode))
		return -ENOTSUP;
	*fd = openat(spot.directory, spot.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (*fd < 0)
		return -errno;
	return fstat(*fd, &found) < 0 || found.st_dev != work->mount->dev ? -ESTALE : 0;
}

/* A clone of an overlay would keep its layers busy, and those may be what is to go. */
static bool can_be_kept(const struct mount *mount)
{
	static const char *const layered[] = { "overlay", "aufs", "ecryptfs" };

	for (size_t i = 0; i < COUNT_OF(layered); i++)
		if (strcmp(mount->fstype, layered[i]) == 0)
			return false;
	return mount->foreign;
}

/*
 * A clone, hung up where this program runs. Where that does not work (a mount
 * that must not be moved) its descriptor is enough, as long as we live.
 */
static int keep(const struct mount_work *work, const struct spot *spot, int home, int *fd)
{
	*fd = open_tree(spot->directory, spot->name,
			OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT);
	if (*fd < 0 || setns(home, CLONE_NEWNS) < 0)
		return -errno;
	kept_hang(*fd, work->mount->id);
	return setns(work->ns, CLONE_NEWNS) < 0 ? -errno : 0;
}

int mount_detach(void *argument, int *fd)
{
	const struct mount_work *work = argument;
	_cleanup_close_ int home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	struct spot spot = { .directory = -1 };
	int rc = home < 0 ? -errno : find_mount(work, &spot);

	if (rc)
		return rc;
	if (can_be_kept(work->mount)) {
		rc = keep(work, &spot, home, fd);
		if (rc < 0)
			return rc;
	}
	if (fchdir(spot.directory) < 0)
		return -errno;
	return umount2(spot.name, UMOUNT_NOFOLLOW) < 0 ? -errno : 0;
}

static const struct {
	const char *option;
	uint64_t attribute;
} mount_attributes[] = {
	{ "ro", MOUNT_ATTR_RDONLY },
	{ "nosuid", MOUNT_ATTR_NOSUID },
	{ "nodev", MOUNT_ATTR_NODEV },
	{ "noexec", MOUNT_ATTR_NOEXEC },
	{ "noatime", MOUNT_ATTR_NOATIME },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME },
	{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW },
};

static unsigned attributes_of(const char *options)
{
	/* neither noatime nor relatime is how the table shows strictatime */
	unsigned attributes = strstr(options, "relatime") ? 0 : MOUNT_ATTR_STRICTATIME;
	_cleanup_free_ char *copy = strdup(options);
	char *cursor = copy, *option;

	while ((option = next_field(&cursor, ",")))
		for (size_t i = 0; i < COUNT_OF(mount_attributes); i++)
			if (strcmp(option, mount_attributes[i].option) == 0)
				attributes |= (unsigned)mount_attributes[i].attribute;
	if (attributes & MOUNT_ATTR_NOATIME)
		attributes &= ~(unsigned)MOUNT_ATTR_STRICTATIME;
	return attributes;
}

/* The next option of "a,b=\"x,y\",c"; commas within quotes do not count (SELinux contexts have them). */
static char *next_option(char **cursor)
{
	char *start = *cursor, *end = start;
	bool quoted = false;

	if (!start || !*start)
		return NULL;
	for (; *end && (quoted || *end != ','); end++)
		quoted ^= *end == '"';
	*cursor = *end ? end + 1 : end;
	*end = '\0';
	return start;
}

static int set_option(int context, char *option)
{
	char *value = strchr(option, '=');
	int rc;

	/* shown in the table, but no options */
	if (strcmp(option, "rw") == 0 || strcmp(option, "seclabel") == 0 || strcmp(option, "shutdown") == 0)
		return 0;
	if (value)
		*value++ = '\0';
	rc = fsconfig(context, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, option, value, 0);
	return rc < 0 ? -errno : 0;
}

/* A new, still detached mount of the file system, with the options that it had. */
static int make_mount(const struct mount *mount)
{
	_cleanup_close_ int context = fsopen(mount->fstype, FSOPEN_CLOEXEC);
	_cleanup_free_ char *options = strdup(mount->super_options);
	char *cursor = options, *option;
	int rc = 0, fd;

	if (context < 0 || !options)
		return -errno;
	if (fsconfig(context, FSCONFIG_SET_STRING, "source", mount->source, 0) < 0)
		return -errno;
	while (rc == 0 && (option = next_option(&cursor)))
		rc = set_option(context, option);
	if (rc < 0)
		return rc;
	if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = fsmount(context, FSMOUNT_CLOEXEC, attributes_of(mount->options));
	return fd < 0 ? -errno : fd;
}

static int place(int mount, const struct spot *spot)
{
	return move_mount(mount, "", spot->directory, spot->name, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

/*
 * A bind of a part, as a detached tree. The kernel clones only from a mount
 * that is in the namespace (before 6.15), so the whole is attached in one that
 * nobody else ever sees, and that goes when this process leaves it.
 */
static int part_of(int whole, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	_cleanup_close_ int part = -1;
	int tree;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	if (move_mount(whole, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	part = (int)syscall(SYS_openat2, whole, path, &how, sizeof(how));
	if (part < 0)
		return -errno;
	tree = open_tree(part, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	return tree < 0 ? -errno : tree;
}

/* The name of a node can lead elsewhere by now. Numbers of major 0 are the kernel's, anew with each mount. */
static bool is_of_device(int whole, dev_t dev)
{
	struct stat found;

	return fstat(whole, &found) < 0 || major(found.st_dev) == 0 || found.st_dev == dev;
}

/* What is to be placed, still detached. */
static int mount_again(const struct mount_work *work)
{
	const struct mount *mount = work->mount;
	_cleanup_close_ int whole = -1;

	/* its layers are found where it was */
	if (strcmp(mount->fstype, "overlay") == 0 && setns(work->ns, CLONE_NEWNS) < 0)
		return -errno;
	whole = make_mount(mount);
	if (whole >= 0 && !is_of_device(whole, mount->dev))
		return -ESTALE;
	if (whole < 0 || strcmp(mount->root, "/") == 0)
		return take_fd(&whole);
	return part_of(whole, mount->root + 1);
}

/* Shared again where it was shared; a peer group of its own takes the place of the old one. */
static int set_propagation(const struct mount *mount, const struct spot *spot)
{
	unsigned long flags = strstr(mount->propagation, "shared:")	 ? MS_SHARED
			      : strstr(mount->propagation, "unbindable") ? MS_UNBINDABLE
									 : 0;

	if (!flags || fchdir(spot->directory) < 0)
		return flags ? -errno : 0;
	return mount_setattr(spot->directory, spot->name, AT_SYMLINK_NOFOLLOW,
			     &(struct mount_attr){ .propagation = flags }, sizeof(struct mount_attr)) < 0
		       ? -errno
		       : 0;
}

/* Of one that hangs somewhere; one that does not can itself be placed (and is not cloned before 6.15). */
static int clone_of(int kept)
{
	int tree = open_tree(kept, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

	if (tree < 0)
		tree = fcntl(kept, F_DUPFD_CLOEXEC, 0);
	return tree < 0 ? -errno : tree;
}

int mount_attach(void *argument, int *fd)
{
	const struct mount_work *work = argument;
	_cleanup_close_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int mount = -1;
	struct spot spot = { .directory = -1 };
	int rc;

	(void)fd;
	/* the device's node is found where this program runs, the mount point where the mount was */
	mount = work->kept >= 0 ? clone_of(work->kept) : mount_again(work);
	if (mount < 0)
		return mount;
	if (proc < 0 || setns(work->ns, CLONE_NEWNS) < 0)
		return -errno;
	/* the service manager, an automounter or propagation may have been quicker */
	rc = is_in_table(proc, work->mount, false);
	if (rc)
		return rc;
	rc = find_spot(work->mount->point, &spot);
	if (rc == 0)
		rc = place(mount, &spot);
	return rc < 0 ? rc : set_propagation(work->mount, &spot);
}
