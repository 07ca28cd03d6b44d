// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/holders/filesystem-devices.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "util/child.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

enum { NODE_MS = 5000 };

char *filesystem_types(const struct root *root)
{
	char *text = NULL;

	return root_readf(root, 65536, &text, "/proc/filesystems") < 0 ? NULL : text;
}

/* Lines are "nodev\tNAME" or "\tNAME". A type that is not listed is not one with a device. */
static bool type_needs_device(const char *types, const char *fstype)
{
	size_t length = strlen(fstype);

	for (const char *line = types; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (line[0] == '\t' && strncmp(line + 1, fstype, length) == 0 &&
		    (line[length + 1] == '\n' || line[length + 1] == '\0'))
			return true;
	return false;
}

/* A node's path in our root. Where there is none any more its name still tells. */
static bool place_of_node(const struct root *root, const struct look *look, const char *path, struct place *place)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (path[0] != '/')
		return false;
	if (!root->recorded)
		fd = root_openf(root, O_PATH, "%s", path);
	if (fd >= 0 && fstat(fd, &st) == 0)
		return S_ISBLK(st.st_mode) && place_of_dev(look, st.st_rdev, place);
	return starts_with(path, "/dev/") && place_of_path(root, look, path, place);
}

/* Does the path lead to a block device here, whichever? */
static bool is_block_node(const struct root *root, const char *path)
{
	_cleanup_close_ int fd = root->recorded || path[0] != '/' ? -1 : root_openf(root, O_PATH, "%s", path);
	struct stat st;
	dev_t dev;

	if (fd >= 0)
		return fstat(fd, &st) == 0 && S_ISBLK(st.st_mode);
	return starts_with(path, "/dev/") && !strchr(path + strlen("/dev/"), '/') && path[5] && path[5] != '.' &&
	       root_devf(root, &dev, "/sys/class/block/%s/dev", path + strlen("/dev/")) == 0;
}

/* bcachefs joins its members by ':'. */
static bool place_of_source(const struct root *root, const struct look *look, const char *source,
			    struct place *place)
{
	_cleanup_free_ char *copy = strdup(source);
	char *cursor = copy, *part;

	while ((part = next_field(&cursor, ":")))
		if (place_of_node(root, look, part, place))
			return true;
	return false;
}

/* In the child: the node where the mount is. */
struct node {
	int ns;
	const char *path;
};

static int open_node(void *argument, int *fd)
{
	const struct node *node = argument;

	if (setns(node->ns, CLONE_NEWNS) < 0)
		return -errno;
	*fd = open(node->path, O_PATH | O_CLOEXEC);
	return *fd < 0 ? -errno : 0;
}

/* Of a block device: its number; of anything else, or of a path that leads nowhere there, 0. */
static dev_t dev_of_node(const struct look *look, const struct mount *mount, const char *path)
{
	struct node node = { .ns = look->namespaces.items[mount->ns].fd, .path = path };
	_cleanup_close_ int fd = -1;
	struct child left;
	struct stat st;
	int rc = child_run(open_node, &node, -1, deadline_in(NODE_MS), &fd, &left);

	child_forget(&left);
	return rc == 0 && fstat(fd, &st) == 0 && S_ISBLK(st.st_mode) ? st.st_rdev : 0;
}

/* The path is as whoever mounted it gave it: it may lead nowhere here, or nowhere at all any more. */
static int place_of_option(const struct root *root, struct look *look, const struct mount *mount, const char *key,
			   struct place *place)
{
	_cleanup_free_ char *path = option_value(mount->super_options, key);
	char reason[512];
	dev_t dev;

	if (!path || place_of_node(root, look, path, place))
		return path ? 1 : 0;
	if (is_block_node(root, path))
		return 0;
	dev = root->recorded || path[0] != '/' ? 0 : dev_of_node(look, mount, path);
	if (dev)
		return place_of_dev(look, dev, place);
	snprintf(reason, sizeof(reason), "%.200s%.200s leads to no block device", key, path);
	return add_unknown_once(look, mount->point, reason);
}

/* jbd2 names its thread by its device, "jbd2/pmem1", or by an inode there, "jbd2/pmem0-8" (fs/jbd2/journal.c). */
static bool has_journal_on(const struct root *root, const char *disk, const char *block)
{
	_cleanup_free_ char *task = root_attributef(root, "/sys/fs/ext4/%s/journal_task", disk), *comm = NULL;
	uint64_t pid;

	if (!task || parse_number(task, &pid) < 0)
		return false;
	comm = root_attributef(root, "/proc/%llu/comm", (unsigned long long)pid);
	return comm && starts_with(comm, "jbd2/") && strcmp(comm + strlen("jbd2/"), block) == 0;
}

bool filesystem_journal_exists(const struct root *root, const char *block)
{
	return root_existsf(root, "/proc/fs/jbd2/%s", block);
}

char *filesystem_of_journal(const struct root *root, const char *block)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, "/sys/fs/ext4");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && has_journal_on(root, entry->d_name, block))
			return strdup(entry->d_name);
	return NULL;
}

/* The mount table does not show where the journal of an ext4 is. */
static bool place_of_journal(const struct root *root, const struct look *look, const struct mount *mount,
			     struct place *place)
{
	_cleanup_free_ char *link = NULL;
	const char *disk;
	struct block block;

	if (!starts_with(mount->fstype, "ext"))
		return false;
	for (size_t cursor = 0; block_next(look, &cursor, &block);) {
		if (!filesystem_journal_exists(root, block.name))
			continue;
		if (!link)
			link = root_readlinkf(root, "/sys/dev/block/%u:%u", major(mount->dev), minor(mount->dev));
		disk = link ? strrchr(link, '/') : NULL;
		if (!disk || !has_journal_on(root, disk + 1, block.name))
			continue;
		*place = block.place;
		return true;
	}
	return false;
}

/* A btrfs mount shows one of its members as its source; sysfs lists all: /sys/fs/btrfs/UUID/devices/NAME. */
static bool btrfs_has_member(const struct root *root, const struct look *look, const char *uuid,
			     const char *source, struct place *place)
{
	struct block block;

	if (!root_existsf(root, "/sys/fs/btrfs/%s/devices/%s", uuid, source))
		return false;
	for (size_t cursor = 0; block_next(look, &cursor, &block);)
		if (root_existsf(root, "/sys/fs/btrfs/%s/devices/%s", uuid, block.name)) {
			*place = block.place;
			return true;
		}
	return false;
}

static bool place_of_btrfs(const struct root *root, const struct look *look, const struct mount *mount,
			   struct place *place)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, "/sys/fs/btrfs");
	_cleanup_free_ char *link = NULL;
	const char *slash = strrchr(mount->source, '/');
	struct dirent *entry;
	struct stat st;

	_cleanup_close_ int fd = slash ? root_openf(root, O_PATH, "%s", mount->source) : -1;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISBLK(st.st_mode)) {
		link = root_readlinkf(root, "/sys/dev/block/%u:%u", major(st.st_rdev), minor(st.st_rdev));
		slash = link ? strrchr(link, '/') : slash;
	}
	if (!slash || !slash[1] || slash[1] == '.')
		return false;
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && btrfs_has_member(root, look, entry->d_name, slash + 1, place))
			return true;
	return false;
}

/* Places where only a part of the file system is. */
static int place_of_part(const struct root *root, struct look *look, const struct mount *mount,
			 struct place *place, const char **part)
{
	int rc;

	if (strcmp(mount->fstype, "xfs") == 0) {
		*part = "log";
		rc = place_of_option(root, look, mount, "logdev=", place);
		if (rc)
			return rc;
		*part = "real-time section";
		return place_of_option(root, look, mount, "rtdev=", place);
	}
	*part = "journal";
	return place_of_journal(root, look, mount, place);
}

int filesystem_place(const struct root *root, struct look *look, const char *types, const struct mount *mount,
		     struct place *place, const char **part)
{
	*part = NULL;
	if (place_of_dev(look, mount->dev, place))
		return 1;
	if (major(mount->dev) != 0)
		return place_of_part(root, look, mount, place, part);
	if (!type_needs_device(types, mount->fstype))
		return 0;
	return place_of_source(root, look, mount->source, place) ||
	       (strcmp(mount->fstype, "btrfs") == 0 && place_of_btrfs(root, look, mount, place));
}

static bool is_known_btrfs(const struct look *look, const struct block *block)
{
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_FILESYSTEM && holder->device == block->place.device &&
		    holder->on == block->place.on && strcmp(holder->filesystem.fstype, "btrfs") == 0)
			return true;
	return false;
}

/* /sys/fs/btrfs/UUID is there as long as the superblock is. */
int filesystem_next_btrfs(const struct root *root, const struct look *look, DIR **cursor, struct block *first,
			  bool *known)
{
	struct dirent *entry;
	struct block block;

	if (!*cursor)
		*cursor = root_opendirf(root, "/sys/fs/btrfs");
	while (*cursor && (entry = readdir(*cursor))) {
		bool found = false;

		*known = false;
		for (size_t at = 0; entry->d_name[0] != '.' && block_next(look, &at, &block);) {
			if (!root_existsf(root, "/sys/fs/btrfs/%s/devices/%s", entry->d_name, block.name))
				continue;
			*known |= is_known_btrfs(look, &block);
			*first = found ? *first : block;
			found = true;
		}
		if (found)
			return 1;
	}
	if (*cursor)
		closedir(*cursor);
	*cursor = NULL;
	return 0;
}
