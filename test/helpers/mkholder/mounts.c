// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mkholder.h"

static void private_mounts(int flags)
{
	if (unshare(flags) < 0)
		fail("unshare");
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		fail("make mounts private");
}

/* Copies of all mounts, which an unmount elsewhere does not reach. */
static void make_mount_namespace(const char *path, const char *argument)
{
	(void)path;
	(void)argument;
	private_mounts(CLONE_NEWNS);
}

/* The same, but locked: the mounts belong to a user namespace of less privilege. */
static void make_user_namespace(const char *path, const char *argument)
{
	char map[64];
	uid_t uid = geteuid();

	(void)path;
	(void)argument;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (unshare(CLONE_NEWUSER) < 0)
		fail("unshare");
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", map);
	private_mounts(CLONE_NEWNS);
}

/* A clone of a mount that is in no namespace: it keeps the file system, and no table shows it. */
static int clone_mount(const char *path)
{
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0)
		fail(path);
	return tree;
}

static void make_mount_descriptor(const char *path, const char *argument)
{
	(void)argument;
	clone_mount(path);
}

/* No process shows it, either. */
static void make_detached_mount(const char *path, const char *argument)
{
	(void)argument;
	send_away(clone_mount(path));
}

/* As for a remount; it has the superblock, and no mount. */
static void make_context(const char *path, const char *argument)
{
	(void)argument;
	if (syscall(SYS_fspick, AT_FDCWD, path, 0) < 0)
		fail(path);
}

const struct kind kinds_mounts[] = {
	{ "mount-ns", make_mount_namespace, false, "private copies of all mounts" },
	{ "user-ns", make_user_namespace, false, "locked private copies of all mounts" },
	{ "mount-fd", make_mount_descriptor, true, "a mount's clone in no namespace, by its descriptor" },
	{ "fscontext", make_context, true, "a descriptor that configures the file system, of fspick(2)" },
	{ "detached-mount", make_detached_mount, true,
	  "a mount's clone in no namespace, in flight over a socket" },
	{ 0 },
};
