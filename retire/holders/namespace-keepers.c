// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/holders/namespace-keepers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "retire/holders/kinds.h"
#include "retire/holders/mountinfo.h"
#include "retire/holders/namespaces.h"
#include "retire/holders/procfs.h"
#include "util/child.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

enum { OPEN_MS = 5000 };

static int set_keeper(struct mount_namespace *namespace, const char *keeper)
{
	if (namespace->pid || namespace->keeper)
		return 0;
	namespace->keeper = strdup(keeper);
	return namespace->keeper ? 0 : -ENOMEM;
}

/* Is it the file of that mount namespace, and no other's? */
static int check_file(int fd, uint64_t ino)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_ino == ino && ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNS ? 0 : -ESTALE;
}

/* Adds the namespace of this file, which it takes over. */
static int add_kept(struct look *look, uint64_t ino, int file, const char *keeper)
{
	_cleanup_close_ int fd = file;
	int rc = check_file(fd, ino);

	if (rc < 0)
		return rc;
	rc = namespaces_add(look, ino, take_fd(&fd));
	return rc < 0 ? rc : set_keeper(&look->namespaces.items[rc], keeper);
}

static int tell_unopened(struct look *look, uint64_t ino, const char *keeper, int error)
{
	char subject[64], reason[512];

	snprintf(subject, sizeof(subject), "mount namespace %" PRIu64, ino);
	snprintf(reason, sizeof(reason), "its file, which %.400s keeps, cannot be opened: %s", keeper,
		 strerror(-error));
	return add_unknown_once(look, subject, reason);
}

struct opening {
	int ns;
	const char *point;
};

/* In the child. */
static int open_point(void *argument, int *fd)
{
	const struct opening *opening = argument;
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC,
				.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };

	if (setns(opening->ns, CLONE_NEWNS) < 0)
		return -errno;
	*fd = (int)syscall(SYS_openat2, AT_FDCWD, opening->point, &how, sizeof(how));
	return *fd < 0 ? -errno : 0;
}

static int add_mounted(struct look *look, const struct mount *mount, uint64_t ino)
{
	struct opening opening = { .ns = look->namespaces.items[mount->ns].fd, .point = mount->point };
	struct child left;
	int fd = -1, rc = child_run(open_point, &opening, -1, deadline_in(OPEN_MS), &fd, &left);

	child_forget(&left);
	if (rc == 0)
		rc = add_kept(look, ino, fd, mount->point);
	return rc >= 0 || rc == -ENOMEM ? rc : tell_unopened(look, ino, mount->point, rc);
}

int keepers_find_mounts(struct look *look, const struct mount_table *table, size_t first)
{
	int rc = 0;

	for (size_t i = first; rc == 0 && i < table->mounts.count; i++) {
		const struct mount *mount = &table->mounts.items[i];
		uint64_t ino;
		int known;

		if (strcmp(mount->fstype, "nsfs") != 0 || namespace_parse(mount->root, &ino) < 0)
			continue;
		known = namespaces_index(look, ino);
		rc = known < 0 ? add_mounted(look, mount, ino)
			       : set_keeper(&look->namespaces.items[known], mount->point);
	}
	return rc;
}

/* "sleep[812]". False for a process of ours: what it has it has from us. */
static bool name_process(int process, const char *pid, char *name, size_t size)
{
	_cleanup_close_ int fd = openat(process, "stat", O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	struct proc_stat stat = { .comm = "process" };

	if (fd >= 0 && read_whole(fd, 4096, &text) > 0 && stat_parse(text, &stat) == 0 && stat.parent == getpid())
		return false;
	snprintf(name, size, "%s[%s]", stat.comm, pid);
	return true;
}

static int judge_descriptor(struct look *look, int process, const char *pid, int fds, const char *name)
{
	char link[64], keeper[128];
	ssize_t length = readlinkat(fds, name, link, sizeof(link) - 1);
	uint64_t ino;
	int known, fd, rc;

	link[length < 0 ? 0 : length] = '\0';
	if (namespace_parse(link, &ino) < 0)
		return 0;
	known = namespaces_index(look, ino);
	if (known >= 0 && (look->namespaces.items[known].pid || look->namespaces.items[known].keeper))
		return 0;
	if (!name_process(process, pid, keeper, sizeof(keeper)))
		return 0;
	if (known >= 0)
		return set_keeper(&look->namespaces.items[known], keeper);
	fd = openat(fds, name, O_RDONLY | O_CLOEXEC);
	rc = fd < 0 ? -errno : add_kept(look, ino, fd, keeper);
	/* closed meanwhile, or replaced by another one */
	if (rc >= 0 || rc == -ENOENT || rc == -ESTALE || rc == -ENOMEM)
		return rc == -ENOMEM ? rc : 0;
	return tell_unopened(look, ino, keeper, rc);
}

static int judge_process(struct look *look, int proc, const char *pid)
{
	_cleanup_close_ int process = openat(proc, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = NULL;
	int rc = 0, fd = process < 0 ? -1 : openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;

	/* what is refused is told when its files are looked at */
	dir = fd < 0 ? NULL : fdopendir(fd);
	while (dir && rc == 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			rc = judge_descriptor(look, process, pid, dirfd(dir), entry->d_name);
	return rc;
}

static bool has_unexplained(const struct look *look, const pid_t *pids, size_t lived_in)
{
	for (size_t i = 0; i < look->namespaces.count; i++)
		if (!(i < lived_in && pids[i]) && !look->namespaces.items[i].keeper)
			return true;
	return false;
}

int keepers_find_descriptors(struct look *look, int proc, const pid_t *pids, size_t lived_in, bool walked)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	uint64_t pid;
	int rc = 0, fd;

	if (look->keepers_searched || (walked && !has_unexplained(look, pids, lived_in)))
		return 0;
	look->keepers_searched = true;
	fd = openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return -errno;
	while (rc == 0 && (entry = readdir(dir)))
		/* what we have open ourselves keeps nothing that somebody else does not */
		if (parse_number(entry->d_name, &pid) == 0 && pid != (uint64_t)getpid())
			rc = judge_process(look, proc, entry->d_name);
	return rc;
}
