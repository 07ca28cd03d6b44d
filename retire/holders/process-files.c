// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Links in /proc/PID are followed by the kernel to the file itself, whatever
 * its path has become, and without asking a server: AT_STATX_DONT_SYNC, no
 * path walk, so dead NFS and FUSE mounts do not hold this up.
 */
#include "retire/holders/process-files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "retire/holders/procfs.h"
#include "util/cleanup.h"
#include "util/root.h"

/* Maps are read through a window; a path in them has at most PATH_MAX bytes, four times that when escaped. */
enum { MAPS_WINDOW = 64 << 10 };

/* A process that is gone is no failure, nor is a descriptor that it has closed. */
static void note_error(struct file_scan *scan, int rc)
{
	if (rc != -ENOENT && rc != -ESRCH && rc != -ENOTDIR && !scan->denied)
		scan->denied = rc;
}

static char *read_link(int dir, const char *name)
{
	char path[PATH_MAX];
	ssize_t n = readlinkat(dir, name, path, sizeof(path) - 1);

	return n < 0 ? NULL : strndup(path, (size_t)n);
}

static struct match *find_match(const struct file_scan *scan, int key)
{
	array_each(match, &scan->matches)
		if (match->target.key == key)
			return match;
	return NULL;
}

/* `name` in `dir` is the link to the file; NULL: there is none. */
static int note_use(struct file_scan *scan, const struct target *target, unsigned use, int dir, const char *name)
{
	struct match *match = find_match(scan, target->key);

	if (!match) {
		match = array_add(&scan->matches);
		if (!match)
			return -ENOMEM;
		match->target = *target;
	}
	match->uses |= use;
	if (!match->path && name)
		match->path = read_link(dir, name);
	return 0;
}

static int stat_link(int dir, const char *name, struct statx *stx)
{
	return statx(dir, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE | STATX_INO | STATX_MNT_ID, stx) <
			       0
		       ? -errno
		       : 0;
}

/* A descriptor of a namespace keeps its mounts, even when nobody lives there. */
static int note_pins(struct file_scan *scan, uint64_t ns, int dir, const char *name)
{
	struct target target;
	int rc = 0;

	for (size_t cursor = 0; rc == 0 && matcher_pin(scan->matcher, ns, &cursor, &target);)
		rc = note_use(scan, &target, USE_NAMESPACE, dir, name);
	return rc;
}

static int judge(struct file_scan *scan, const struct statx *stx, unsigned use, int dir, const char *name)
{
	struct target target;

	if (matcher_file(scan->matcher, stx, &target))
		return note_use(scan, &target, use, dir, name);
	if (scan->matcher->pins.count && makedev(stx->stx_dev_major, stx->stx_dev_minor) == scan->matcher->nsfs)
		return note_pins(scan, stx->stx_ino, dir, name);
	return 0;
}

/* In a recorded tree a link is only text. */
static int judge_recorded(struct file_scan *scan, unsigned use, int dir, const char *name)
{
	_cleanup_free_ char *path = read_link(dir, name);
	struct target target;
	struct place place;

	if (!path || path[0] != '/' || !place_of_path(scan->root, scan->matcher->look, path, &place))
		return 0;
	target = matcher_target(scan->matcher, &place);
	return note_use(scan, &target, use, dir, name);
}

/* XFS answers nothing any more when it has been shut down: xfs_vn_getattr(). */
static int judge_dead(struct file_scan *scan, unsigned use, int dir, const char *name)
{
	struct target target;
	dev_t dev;
	int rc = dead_file_dev(dir, name, &dev);

	if (rc < 0)
		note_error(scan, rc);
	if (rc < 0 || !matcher_dev(scan->matcher, dev, &target))
		return 0;
	rc = dev_list_add(&scan->shut_down, dev);
	return rc < 0 ? rc : note_use(scan, &target, use, dir, name);
}

static int scan_link(struct file_scan *scan, unsigned use, int dir, const char *name)
{
	struct statx stx;
	int rc;

	if (scan->root->recorded)
		return judge_recorded(scan, use, dir, name);
	rc = stat_link(dir, name, &stx);
	if (rc == 0)
		return judge(scan, &stx, use, dir, name);
	if (rc == -EIO)
		return judge_dead(scan, use, dir, name);
	note_error(scan, rc);
	return 0;
}

static bool is_standard(const char *name)
{
	return name[0] >= '0' && name[0] <= '2' && !name[1];
}

static int scan_descriptors(struct file_scan *scan, int process, bool own)
{
	_cleanup_closedir_ DIR *dir = NULL;
	int rc = 0, fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		note_error(scan, -errno);
		return 0;
	}
	while (rc == 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && (!own || is_standard(entry->d_name)))
			rc = scan_link(scan, USE_OPEN, dirfd(dir), entry->d_name);
	return rc;
}

/* A file that is mapped, by way of map_files/: st_rdev and the mount id are not in the maps. */
static int judge_mapping(struct file_scan *scan, int process, const struct maps_line *maps)
{
	struct target target;
	struct statx stx;
	char name[64];
	int rc;

	snprintf(name, sizeof(name), "map_files/%llx-%llx", (unsigned long long)maps->start,
		 (unsigned long long)maps->end);
	rc = scan->root->recorded ? -ENOENT : stat_link(process, name, &stx);
	if (rc == 0 && matcher_file(scan->matcher, &stx, &target))
		return note_use(scan, &target, USE_MAP, process, name);
	/* the number in the maps is true of a file that does not answer as well */
	if (rc < 0 && rc != -EIO)
		note_error(scan, rc);
	if (matcher_dev(scan->matcher, maps->dev, &target))
		return note_use(scan, &target, USE_MAP, process, rc == 0 ? name : NULL);
	if (rc == 0 && !matcher_needs_mount(scan->matcher, maps->dev))
		return inode_set_add(&scan->plain, maps->dev, maps->ino);
	return 0;
}

static int scan_mapping(struct file_scan *scan, int process, const struct maps_line *maps)
{
	struct target target;
	const struct match *match;

	if (!maps->ino || inode_set_has(&scan->plain, maps->dev, maps->ino))
		return 0;
	match = matcher_dev(scan->matcher, maps->dev, &target) ? find_match(scan, target.key) : NULL;
	if (match && (match->uses & USE_MAP))
		return 0;
	return judge_mapping(scan, process, maps);
}

/* The whole lines of the window; returns the bytes used. A mapping is cut into several lines by its rights. */
static ssize_t scan_lines(struct file_scan *scan, int process, const char *window, size_t length)
{
	struct maps_line maps, last = { 0 };
	const char *line = window, *end;
	int rc = 0;

	for (; rc == 0 && (end = memchr(line, '\n', length - (size_t)(line - window))); line = end + 1) {
		if (maps_parse(line, &maps) < 0) {
			note_error(scan, -EINVAL);
			continue;
		}
		if (maps.ino != last.ino || maps.dev != last.dev)
			rc = scan_mapping(scan, process, &maps);
		last = maps;
	}
	return rc < 0 ? rc : line - window;
}

static int scan_maps(struct file_scan *scan, int process)
{
	_cleanup_close_ int fd = openat(process, "maps", O_RDONLY | O_CLOEXEC);
	char window[MAPS_WINDOW + 1];
	size_t length = 0;
	ssize_t n = fd < 0 ? -1 : read(fd, window, MAPS_WINDOW);

	for (; n > 0; n = read(fd, window + length, MAPS_WINDOW - length)) {
		ssize_t used;

		length += (size_t)n;
		window[length] = '\0';
		used = scan_lines(scan, process, window, length);
		if (used < 0)
			return (int)used;
		if (used == 0 && length == MAPS_WINDOW)
			break; /* no line is that long */
		length -= (size_t)used;
		memmove(window, window + used, length);
	}
	if (n < 0)
		note_error(scan, -errno);
	else if (length)
		note_error(scan, -EINVAL);
	return 0;
}

static int scan_namespace(struct file_scan *scan, int process)
{
	struct statx stx;

	if (!scan->matcher->pins.count || stat_link(process, "ns/mnt", &stx) < 0)
		return 0;
	return note_pins(scan, stx.stx_ino, process, NULL);
}

static void forget_matches(struct file_scan *scan)
{
	array_each(match, &scan->matches)
		free(match->path);
	scan->matches.count = 0;
	scan->denied = 0;
}

int file_scan_process(struct file_scan *scan, int dir, bool own)
{
	static const struct {
		const char *name;
		unsigned use;
	} links[] = { { "cwd", USE_CWD }, { "root", USE_ROOT }, { "exe", USE_EXE } };
	int rc;

	forget_matches(scan);
	rc = scan_descriptors(scan, dir, own);
	for (size_t i = 0; rc == 0 && i < COUNT_OF(links); i++)
		rc = scan_link(scan, links[i].use, dir, links[i].name);
	if (rc == 0)
		rc = scan_maps(scan, dir);
	return rc < 0 ? rc : scan_namespace(scan, dir);
}

void file_scan_free(struct file_scan *scan)
{
	forget_matches(scan);
	free(scan->matches.items);
	inode_set_free(&scan->plain);
	dev_list_free(&scan->shut_down);
}
