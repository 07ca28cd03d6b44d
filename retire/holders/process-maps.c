// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mapped files. Since Linux 6.11 the kernel answers for one mapping after the
 * other and makes no text (fs/proc/task_mmu.c:do_procmap_query()); before, the
 * text is read. Either gives the device and the inode number, which is enough
 * for most: only a file that neither way is known needs a look at itself.
 */
#include "retire/holders/process-maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "retire/holders/procfs.h"
#include "util/cleanup.h"
#include "util/root.h"

/* Text is read through a window; a path in it has at most PATH_MAX bytes, four times that when escaped. */
enum { MAPS_WINDOW = 64 << 10 };

/* include/uapi/linux/fs.h of Linux 6.11; older headers lack it */
struct map_query {
	uint64_t size, flags, address;
	uint64_t start, end, rights, page_size, offset, inode;
	uint32_t dev_major, dev_minor;
	uint32_t name_size, build_id_size;
	uint64_t name, build_id;
};
_Static_assert(sizeof(struct map_query) == 104, "the size is part of the number of the call");
#define MAP_QUERY	   _IOWR('f', 17, struct map_query)
#define QUERY_THIS_OR_NEXT 0x10
#define QUERY_OF_FILES	   0x20

/* By way of map_files/: st_rdev and the mount id are not in the maps. */
static int judge_mapping(struct file_scan *scan, int process, const struct maps_line *maps)
{
	struct target target;
	struct statx stx;
	char name[64];
	int rc;

	snprintf(name, sizeof(name), "map_files/%llx-%llx", (unsigned long long)maps->start,
		 (unsigned long long)maps->end);
	/* the number of a node is not in the maps, and its path is nowhere else in a recorded tree */
	if (scan->root->recorded && file_scan_recorded(scan, USE_MAP, process, name) < 0)
		return -ENOMEM;
	rc = scan->root->recorded ? -ENOENT : file_scan_stat(scan, process, name, &stx);
	if (rc == 0 && matcher_file(scan->matcher, &stx, &target))
		return file_scan_use(scan, &target, USE_MAP, process, name);
	/* the number in the maps is true of a file that does not answer as well */
	if (rc < 0 && rc != -EIO)
		file_scan_error(scan, rc);
	if (matcher_dev(scan->matcher, maps->dev, &target))
		return file_scan_use(scan, &target, USE_MAP, process, rc == 0 ? name : NULL);
	if (rc == 0 && !matcher_needs_mount(scan->matcher, maps->dev))
		return inode_set_add(&scan->plain, maps->dev, maps->ino);
	return 0;
}

/* A file is cut into several mappings by its rights, one behind the other: `last` is the one before. */
static int scan_mapping(struct file_scan *scan, int process, const struct maps_line *maps, struct maps_line *last)
{
	bool same = maps->ino == last->ino && maps->dev == last->dev;
	const struct match *match;
	struct target target;

	*last = *maps;
	if (same || !maps->ino || inode_set_has(&scan->plain, maps->dev, maps->ino))
		return 0;
	match = matcher_dev(scan->matcher, maps->dev, &target) ? file_scan_match(scan, target.key) : NULL;
	if (match && (match->uses & USE_MAP))
		return 0;
	return judge_mapping(scan, process, maps);
}

/* The whole lines of the window; returns the bytes used. */
static ssize_t scan_lines(struct file_scan *scan, int process, const char *window, size_t length,
			  struct maps_line *last)
{
	const char *line = window, *end;
	struct maps_line maps;
	int rc = 0;

	for (; rc == 0 && (end = memchr(line, '\n', length - (size_t)(line - window))); line = end + 1) {
		if (maps_parse(line, &maps) < 0)
			file_scan_error(scan, -EINVAL);
		else
			rc = scan_mapping(scan, process, &maps, last);
	}
	return rc < 0 ? rc : line - window;
}

static int scan_text(struct file_scan *scan, int process, int fd)
{
	struct maps_line last = { 0 };
	char window[MAPS_WINDOW + 1];
	size_t length = 0;
	ssize_t n = read(fd, window, MAPS_WINDOW);

	for (; n > 0; n = read(fd, window + length, MAPS_WINDOW - length)) {
		ssize_t used;

		file_scan_goes_on(scan);
		length += (size_t)n;
		window[length] = '\0';
		used = scan_lines(scan, process, window, length, &last);
		if (used < 0)
			return (int)used;
		if (used == 0 && length == MAPS_WINDOW)
			break; /* no line is that long */
		length -= (size_t)used;
		memmove(window, window + used, length);
	}
	if (n < 0)
		file_scan_error(scan, -errno);
	else if (length)
		file_scan_error(scan, -EINVAL);
	return 0;
}

/* The next mapping of a file from `address` on. 1, 0 behind the last, or a negative errno. */
static int query_next(int fd, uint64_t address, struct maps_line *maps)
{
	struct map_query query = { .size = sizeof(query),
				   .flags = QUERY_THIS_OR_NEXT | QUERY_OF_FILES,
				   .address = address };

	if (ioctl(fd, MAP_QUERY, &query) < 0)
		return errno == ENOENT ? 0 : -errno;
	*maps = (struct maps_line){ .start = query.start,
				    .end = query.end,
				    .dev = makedev(query.dev_major, query.dev_minor),
				    .ino = query.inode };
	return 1;
}

/* 1 when the kernel does not know the question. */
static int scan_by_query(struct file_scan *scan, int process, int fd)
{
	struct maps_line maps, last = { 0 };
	int rc = query_next(fd, 0, &maps);

	if (rc == -ENOTTY)
		return 1;
	while (rc > 0) {
		file_scan_goes_on(scan);
		rc = scan_mapping(scan, process, &maps, &last);
		if (rc < 0)
			return rc;
		rc = query_next(fd, maps.end, &maps);
	}
	if (rc < 0)
		file_scan_error(scan, rc);
	return 0;
}

int file_scan_maps(struct file_scan *scan, int process)
{
	_cleanup_close_ int fd = openat(process, "maps", O_RDONLY | O_CLOEXEC);
	int rc = 1;

	if (fd < 0) {
		file_scan_error(scan, -errno);
		return 0;
	}
	if (!scan->no_map_query)
		rc = scan_by_query(scan, process, fd);
	scan->no_map_query |= rc == 1;
	return rc == 1 ? scan_text(scan, process, fd) : rc;
}
