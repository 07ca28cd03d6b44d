// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/holders/namespaces.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "retire/holders/kinds.h"
#include "retire/holders/procfs.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

/* include/uapi/linux/nsfs.h of Linux 6.12; older headers lack them */
struct mnt_ns_info_v0 {
	uint32_t size, nr_mounts;
	uint64_t mnt_ns_id;
};
#define MNT_GET_ID   _IOR(NSIO, 5, uint64_t)
#define MNT_GET_NEXT _IOR(NSIO, 11, struct mnt_ns_info_v0)
#define MNT_GET_PREV _IOR(NSIO, 12, struct mnt_ns_info_v0)

/* PROC_USER_INIT_INO of include/linux/proc_ns.h: fixed for the initial user namespace. */
#define INITIAL_USER_NAMESPACE 0xEFFFFFFDU

struct finder {
	struct look *look;
	int proc;
	uint64_t initial[2]; /* inodes of our own namespace and of pid 1's; 0 when not readable */
	ARRAY_OF(pid_t) pids;
	bool denied;
};

/* The namespace's inode, 0 when it cannot be read. */
static uint64_t namespace_ino(int proc, const char *pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "%s/ns/mnt", pid);
	return fstatat(proc, path, &st, 0) < 0 ? 0 : st.st_ino;
}

/* Locked mounts: those in a namespace whose owner is not the initial user namespace (mount_namespaces(7)). */
static bool is_less_privileged(int fd)
{
	_cleanup_close_ int owner = ioctl(fd, NS_GET_USERNS);
	struct stat st;

	/* EPERM: the owner is out of our reach. Our own user namespace is judged elsewhere. */
	return owner < 0 || fstat(owner, &st) < 0 || st.st_ino != INITIAL_USER_NAMESPACE;
}

int namespaces_add(struct look *look, uint64_t ino, int fd)
{
	_cleanup_close_ int owned = fd;
	struct mount_namespace *namespace = array_add(&look->namespaces);

	if (!namespace)
		return -ENOMEM;
	namespace->ino = ino;
	namespace->less_privileged = is_less_privileged(fd);
	if (ioctl(fd, MNT_GET_ID, &namespace->unique) < 0)
	namespace->unique = 0;
	namespace->fd = take_fd(&owned);
	return (int)look->namespaces.count - 1;
}

/* The same for one of the walk. */
static int add_namespace(struct finder *finder, uint64_t ino, int fd)
{
	int index = namespaces_add(finder->look, ino, fd);

	if (index >= 0)
		finder->look->namespaces.items[index].initial =
			ino == finder->initial[0] || ino == finder->initial[1];
	return index;
}

int namespaces_index(const struct look *look, uint64_t ino)
{
	for (size_t i = 0; i < look->namespaces.count; i++)
		if (look->namespaces.items[i].ino == ino)
			return (int)i;
	return -ENOENT;
}

static void note_process(const struct finder *finder, struct mount_namespace *namespace, pid_t pid)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	struct proc_stat stat;
	char path[64];

	snprintf(path, sizeof(path), "%d/stat", pid);
	fd = openat(finder->proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read_whole(fd, 4096, &text) <= 0 || stat_parse(text, &stat) < 0)
		return;
	namespace->pid = pid;
	namespace->starttime = stat.starttime;
}

/* Remembers that `pid` lives in namespace `index`. */
static int note_pid(struct finder *finder, int index, pid_t pid)
{
	while (finder->pids.count <= (size_t)index)
		if (!array_add(&finder->pids))
			return -ENOMEM;
	if (!finder->pids.items[index]) {
		finder->pids.items[index] = pid;
		note_process(finder, &finder->look->namespaces.items[index], pid);
	}
	return 0;
}

/* "self" or a number. A process may end at any moment: that is no error. */
static int visit_process(struct finder *finder, const char *name)
{
	uint64_t ino = namespace_ino(finder->proc, name);
	int index = ino ? namespaces_index(finder->look, ino) : -ENOENT;
	struct stat st;
	char path[64];

	/* one that ends meanwhile is denied, too, the first time: fs/proc/namespaces.c:proc_ns_readlink() */
	if (!ino && errno == EACCES) {
		ino = namespace_ino(finder->proc, name);
		index = ino ? namespaces_index(finder->look, ino) : -ENOENT;
	}
	if (!ino) {
		finder->denied |= errno == EACCES || errno == EPERM;
		return 0;
	}
	if (index < 0) {
		_cleanup_close_ int fd = -1;

		snprintf(path, sizeof(path), "%s/ns/mnt", name);
		fd = openat(finder->proc, path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
			return -errno;
		if (fd < 0 || fstat(fd, &st) < 0)
			return 0;
		/* it may have moved on since: then the new one counts, if not known */
		index = namespaces_index(finder->look, st.st_ino);
		if (index < 0)
			index = add_namespace(finder, st.st_ino, take_fd(&fd));
	}
	return index < 0 ? index : note_pid(finder, index, (pid_t)strtol(name, NULL, 10));
}

typedef int visit(struct finder *finder, const char *name);

/* Every entry of a directory that is a number. */
static int visit_each(struct finder *finder, const char *path, visit *work)
{
	_cleanup_closedir_ DIR *dir = NULL;
	int fd = openat(finder->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	uint64_t id;

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		int rc = parse_number(entry->d_name, &id) ? 0 : work(finder, entry->d_name);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/*
 * A thread can have left the mount namespace of its process (unshare(2)). Each
 * answers to its own id in /proc, and counts as a link of the directory, which
 * has two of its own: fs/proc/base.c:proc_task_getattr().
 */
static int visit_threads(struct finder *finder, const char *process)
{
	struct stat st;
	char path[64];
	int rc;

	snprintf(path, sizeof(path), "%.20s/task", process);
	if (fstatat(finder->proc, path, &st, 0) < 0 || st.st_nlink <= 3)
		return 0;
	rc = visit_each(finder, path, visit_process);
	/* it has ended meanwhile */
	return rc == -ENOENT || rc == -ESRCH ? 0 : rc;
}

/*
 * From Linux 6.12 on the kernel walks those that we may enter, by age, also
 * those without a process. Both ways: ours may be anywhere. 1 when it did.
 */
static int walk_kernel_list(struct finder *finder, unsigned long direction)
{
	struct mnt_ns_info_v0 info = { .size = sizeof(info) };
	_cleanup_close_ int at = openat(finder->proc, "self/ns/mnt", O_RDONLY | O_CLOEXEC);
	struct stat st;

	for (;;) {
		int rc, next = at < 0 ? -1 : ioctl(at, direction, &info);

		cleanup_close(&at);
		at = next;
		if (at < 0 || fstat(at, &st) < 0)
			return errno == ENOENT; /* behind the last */
		if (namespaces_index(finder->look, st.st_ino) >= 0)
			continue;
		rc = add_namespace(finder, st.st_ino, fcntl(at, F_DUPFD_CLOEXEC, 0));
		if (rc < 0)
			return rc;
	}
}

static int tell_denied(struct finder *finder)
{
	if (!finder->denied)
		return 0;
	return add_unknown_once(finder->look, "mount namespaces",
				"not every process lets us see which one it lives in");
}

static int find_all(struct finder *finder, bool *walked_all)
{
	int walked, rc = visit_process(finder, "self");

	if (rc == 0)
		rc = visit_each(finder, ".", visit_process);
	if (rc < 0)
		return rc;
	walked = walk_kernel_list(finder, MNT_GET_NEXT);
	rc = walked < 0 ? walked : walk_kernel_list(finder, MNT_GET_PREV);
	*walked_all = walked > 0 && rc > 0;
	if (rc >= 0 && !*walked_all)
		rc = visit_each(finder, ".", visit_threads);
	/* one entry for each namespace, also for those without a process */
	if (rc >= 0 && finder->look->namespaces.count)
		rc = note_pid(finder, (int)finder->look->namespaces.count - 1, 0);
	return rc < 0 || walked ? rc : tell_denied(finder);
}

int namespaces_find(struct look *look, int proc, pid_t **pids, bool *walked)
{
	struct finder finder = {
		.look = look,
		.proc = proc,
		.initial = { namespace_ino(proc, "self"), namespace_ino(proc, "1") },
	};
	int rc = find_all(&finder, walked);

	if (rc < 0)
		free(finder.pids.items);
	else
		*pids = finder.pids.items;
	return rc;
}

int namespaces_recorded(struct look *look)
{
	struct mount_namespace *namespace;

	if (look->namespaces.count)
		return 0;
	namespace = array_add(&look->namespaces);
	if (!namespace)
		return -ENOMEM;
	*namespace = (struct mount_namespace){ .fd = -1, .initial = true };
	return 0;
}
