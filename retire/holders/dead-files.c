// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * XFS answers EIO to stat(2) once it has been shut down, and where no mount
 * is left the id of one says nothing either. But an inotify watch needs no
 * word of the file system, and its fdinfo shows the number of the superblock:
 * fs/notify/fdinfo.c:inotify_fdinfo().
 */
#include "retire/holders/dead-files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "retire/holders/procfs.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

/* include/uapi/linux/major.h */
enum { BLOCK_EXT_MAJOR = 259, MINOR_BITS = 20 };

int dev_list_add(struct dev_list *list, dev_t dev)
{
	dev_t *added;

	array_each(known, &list->list)
		if (*known == dev)
			return 0;
	added = array_add(&list->list);
	if (!added)
		return -ENOMEM;
	*added = dev;
	return 0;
}

void dev_list_free(struct dev_list *list)
{
	free(list->list.items);
	*list = (struct dev_list){ { 0 } };
}

/* "inotify wd:1 ino:83 sdev:10300000 mask:400 …": the kernel's own form, 12 bits of major and 20 of minor */
static int watched_dev(int watch, dev_t *dev)
{
	char path[64], text[1024];
	const char *at;
	unsigned long number;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", watch);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	at = strstr(text, " sdev:");
	if (!at)
		return -EIO;
	number = strtoul(at + strlen(" sdev:"), NULL, 16);
	*dev = makedev(number >> MINOR_BITS, number & ((1U << MINOR_BITS) - 1));
	return 0;
}

int dead_file_dev(int dir, const char *name, dev_t *dev)
{
	_cleanup_close_ int file = openat(dir, name, O_PATH | O_CLOEXEC);
	_cleanup_close_ int watch = file < 0 ? -1 : inotify_init1(IN_CLOEXEC);
	char path[64];

	if (file < 0 || watch < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	if (inotify_add_watch(watch, path, IN_DELETE_SELF) < 0)
		return -errno;
	return watched_dev(watch, dev);
}

static int add_dev(struct dev_list *devs, dev_t dev)
{
	return major(dev) == BLOCK_EXT_MAJOR ? dev_list_add(devs, dev) : 0;
}

static int add_link(struct dev_list *devs, int dir, const char *name)
{
	struct statx found;
	dev_t dev;

	if (statx(dir, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &found) == 0)
		return add_dev(devs, makedev(found.stx_dev_major, found.stx_dev_minor));
	return errno == EIO && dead_file_dev(dir, name, &dev) == 0 ? add_dev(devs, dev) : 0;
}

static int add_descriptors(struct dev_list *devs, int process)
{
	int rc = 0, fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (dir && rc == 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			rc = add_link(devs, dirfd(dir), entry->d_name);
	return rc;
}

static int add_maps(struct dev_list *devs, int process)
{
	_cleanup_close_ int fd = openat(process, "maps", O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	struct maps_line maps;
	char *cursor, *line;
	int rc = 0;

	if (fd < 0 || read_whole(fd, 64UL << 20, &text) <= 0)
		return 0;
	for (cursor = text; rc == 0 && (line = next_field(&cursor, "\n"));)
		if (maps_parse(line, &maps) == 0 && maps.ino)
			rc = add_dev(devs, maps.dev);
	return rc;
}

static int add_process(struct dev_list *devs, int proc, const char *name)
{
	static const char *const links[] = { "cwd", "root", "exe" };
	_cleanup_close_ int process = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (process < 0)
		return 0;
	rc = add_descriptors(devs, process);
	for (size_t i = 0; rc == 0 && i < COUNT_OF(links); i++)
		rc = add_link(devs, process, links[i]);
	return rc < 0 ? rc : add_maps(devs, process);
}

int dead_files_list(const struct root *root, struct dev_list *devs)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, "/proc");
	struct dirent *entry;
	uint64_t pid;
	int rc = 0;

	if (!dir)
		return -errno;
	while (rc == 0 && (entry = readdir(dir)))
		if (parse_number(entry->d_name, &pid) == 0)
			rc = add_process(devs, dirfd(dir), entry->d_name);
	return rc;
}
