// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Links in /proc/PID are followed by the kernel to the file itself, whatever
 * its path has become, and without asking a server: AT_STATX_DONT_SYNC, no
 * path walk, so dead NFS and FUSE mounts do not hold this up.
 */
#include "retire/holders/process-files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "retire/holders/process-maps.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

/* struct linux_dirent64 of getdents64(2). */
struct entry {
	uint64_t ino;
	int64_t next;
	unsigned short size;
	unsigned char type;
	char name[];
};

void file_scan_error(struct file_scan *scan, int rc)
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

struct match *file_scan_match(const struct file_scan *scan, int key)
{
	array_each(match, &scan->matches)
		if (match->target.key == key)
			return match;
	return NULL;
}

int file_scan_use(struct file_scan *scan, const struct target *target, unsigned use, int dir, const char *name)
{
	struct match *match = file_scan_match(scan, target->key);

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

int file_scan_stat(struct file_scan *scan, int dir, const char *name, struct statx *stx)
{
	file_scan_goes_on(scan);
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
		rc = file_scan_use(scan, &target, USE_NAMESPACE, dir, name);
	return rc;
}

static int scan_socket(struct file_scan *scan, uint64_t ino, int dir, const char *name);

static int judge(struct file_scan *scan, const struct statx *stx, unsigned use, int dir, const char *name)
{
	struct target target;

	if (matcher_file(scan->matcher, stx, &target))
		return file_scan_use(scan, &target, use, dir, name);
	if (scan->matcher->pins.count && makedev(stx->stx_dev_major, stx->stx_dev_minor) == scan->matcher->nsfs)
		return note_pins(scan, stx->stx_ino, dir, name);
	if (S_ISSOCK(stx->stx_mode) && use == USE_OPEN && scan->matcher->filesystems.count)
		return scan_socket(scan, stx->stx_ino, dir, name);
	return 0;
}

static int note_special(struct file_scan *scan, const char *name, dev_t rdev)
{
	struct special *special;
	uint64_t fd;

	if (parse_number(name, &fd) < 0 || fd > INT32_MAX)
		return 0;
	special = array_add(&scan->special);
	if (!special)
		return -ENOMEM;
	*special = (struct special){ .fd = (int)fd, .rdev = rdev };
	return 0;
}

/* What is no file at all has no type: fs/anon_inodes.c:anon_inode_getattr(). */
static bool is_special(const struct statx *stx)
{
	return !(stx->stx_mode & S_IFMT) || S_ISCHR(stx->stx_mode);
}

int file_scan_recorded(struct file_scan *scan, unsigned use, int dir, const char *name)
{
	_cleanup_free_ char *path = read_link(dir, name);
	struct target target;
	struct place place;

	if (path && path[0] != '/')
		return note_special(scan, name, 0);
	if (!path || !place_of_path(scan->root, scan->matcher->look, path, &place))
		return 0;
	target = matcher_target(scan->matcher, &place);
	return file_scan_use(scan, &target, use, dir, name);
}

/* XFS answers nothing any more when it has been shut down: xfs_vn_getattr(). */
static int judge_dead(struct file_scan *scan, unsigned use, int dir, const char *name)
{
	struct target target;
	dev_t dev;
	int rc = dead_file_dev(dir, name, &dev);

	if (rc < 0)
		file_scan_error(scan, rc);
	if (rc < 0 || !matcher_dev(scan->matcher, dev, &target))
		return 0;
	rc = file_scan_use(scan, &target, use, dir, name);
	if (rc == 0)
		file_scan_match(scan, target.key)->shut_down = dev;
	return rc;
}

static int scan_link(struct file_scan *scan, unsigned use, int dir, const char *name)
{
	struct statx stx;
	int rc;

	if (scan->root->recorded)
		return file_scan_recorded(scan, use, dir, name);
	rc = file_scan_stat(scan, dir, name, &stx);
	if (rc == 0 && use == USE_OPEN && is_special(&stx) &&
	    note_special(scan, name, makedev(stx.stx_rdev_major, stx.stx_rdev_minor)) < 0)
		return -ENOMEM;
	if (rc == 0)
		return judge(scan, &stx, use, dir, name);
	if (rc == -EIO)
		return judge_dead(scan, use, dir, name);
	file_scan_error(scan, rc);
	return 0;
}

/* The file that it is bound to. */
static int scan_socket(struct file_scan *scan, uint64_t ino, int dir, const char *name)
{
	_cleanup_close_ int file = bound_socket_open(&scan->sockets, scan->thread, dir, name, ino);
	char link[64];

	if (file == -ENOMEM)
		return file;
	if (file < 0) {
		file_scan_error(scan, file);
		return 0;
	}
	snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
	return scan_link(scan, USE_SOCKET, AT_FDCWD, link);
}

static bool is_standard(const char *name)
{
	return name[0] >= '0' && name[0] <= '2' && !name[1];
}

static int scan_entries(struct file_scan *scan, int dir, const char *entries, size_t size, bool own)
{
	const struct entry *entry;
	int rc = 0;

	for (size_t at = 0; rc == 0 && at < size; at += entry->size) {
		entry = (const struct entry *)(entries + at);
		if (entry->name[0] != '.' && (!own || is_standard(entry->name)))
			rc = scan_link(scan, USE_OPEN, dir, entry->name);
	}
	return rc;
}

static int scan_descriptors(struct file_scan *scan, int process, bool own)
{
	_cleanup_close_ int dir = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_Alignas(struct entry) char entries[32 << 10];
	ssize_t n = -1;
	int rc = 0;

	while (dir >= 0 && rc == 0 && (n = syscall(SYS_getdents64, dir, entries, sizeof(entries))) > 0)
		rc = scan_entries(scan, dir, entries, (size_t)n, own);
	if (n < 0)
		file_scan_error(scan, -errno);
	return rc;
}

static int scan_namespace(struct file_scan *scan, int process)
{
	struct statx stx;

	if (!scan->matcher->pins.count || file_scan_stat(scan, process, "ns/mnt", &stx) < 0)
		return 0;
	return note_pins(scan, stx.stx_ino, process, NULL);
}

void file_scan_forget(struct file_scan *scan)
{
	array_each(match, &scan->matches)
		free(match->path);
	scan->matches.count = scan->special.count = 0;
	scan->thread_can_pin = false;
	scan->denied = 0;
	scan->sockets.learned = 0;
}

int file_scan_thread(struct file_scan *scan, int dir, unsigned tables)
{
	size_t before = scan->special.count, own;
	int rc = tables & THREAD_FILES ? scan_descriptors(scan, dir, false) : 0;

	/* asked at once, whatever the process will turn out to use: few threads have a table of their own */
	own = scan->special.count - before;
	if (own && !scan->thread_can_pin)
		scan->thread_can_pin = descriptors_can_pin(scan->root, dir, &scan->special.items[before], own);
	scan->special.count = before;
	if (rc == 0 && tables & THREAD_PLACES)
		rc = scan_link(scan, USE_CWD, dir, "cwd");
	if (rc == 0 && tables & THREAD_PLACES)
		rc = scan_link(scan, USE_ROOT, dir, "root");
	return rc < 0 ? rc : scan_namespace(scan, dir);
}

int file_scan_hidden(struct file_scan *scan, const struct bpf_suspect *suspect)
{
	struct statx stx = {
		.stx_mask = STATX_MNT_ID,
		.stx_mode = (uint16_t)suspect->mode,
		.stx_ino = suspect->inode,
		.stx_mnt_id = suspect->mount,
		.stx_dev_major = BPF_WATCH_MAJOR(suspect->dev),
		.stx_dev_minor = BPF_WATCH_MINOR(suspect->dev),
		.stx_rdev_major = BPF_WATCH_MAJOR(suspect->rdev),
		.stx_rdev_minor = BPF_WATCH_MINOR(suspect->rdev),
	};

	return judge(scan, &stx, suspect->hiding == BPF_IN_RING ? USE_RING : USE_FLIGHT, -1, NULL);
}

int file_scan_process(struct file_scan *scan, int dir, bool own)
{
	static const struct {
		const char *name;
		unsigned use;
	} links[] = { { "cwd", USE_CWD }, { "root", USE_ROOT }, { "exe", USE_EXE } };
	int rc;

	file_scan_forget(scan);
	rc = scan_descriptors(scan, dir, own);
	for (size_t i = 0; rc == 0 && i < COUNT_OF(links); i++)
		rc = scan_link(scan, links[i].use, dir, links[i].name);
	if (rc == 0)
		rc = file_scan_maps(scan, dir);
	return rc < 0 ? rc : scan_namespace(scan, dir);
}

void file_scan_free(struct file_scan *scan)
{
	file_scan_forget(scan);
	free(scan->matches.items);
	free(scan->special.items);
	inode_set_free(&scan->plain);
	bound_sockets_free(&scan->sockets);
}
