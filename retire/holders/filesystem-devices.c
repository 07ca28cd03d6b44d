// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/holders/filesystem-devices.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

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

/* An option such as "logdev=/dev/pmem0". */
static bool place_of_option(const struct root *root, const struct look *look, const struct mount *mount,
			    const char *key, struct place *place)
{
	const char *at = strstr(mount->super_options, key);
	_cleanup_free_ char *path = NULL;

	if (!at || (at != mount->super_options && at[-1] != ','))
		return false;
	at += strlen(key);
	path = strndup(at, strcspn(at, ","));
	return path && place_of_node(root, look, path, place);
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

bool filesystem_place(const struct root *root, const struct look *look, const char *types,
		      const struct mount *mount, struct place *place)
{
	if (place_of_dev(look, mount->dev, place))
		return true;
	if (strcmp(mount->fstype, "xfs") == 0)
		return place_of_option(root, look, mount, "logdev=", place) ||
		       place_of_option(root, look, mount, "rtdev=", place);
	if (major(mount->dev) != 0 || !type_needs_device(types, mount->fstype))
		return false;
	return place_of_source(root, look, mount->source, place) ||
	       (strcmp(mount->fstype, "btrfs") == 0 && place_of_btrfs(root, look, mount, place));
}
