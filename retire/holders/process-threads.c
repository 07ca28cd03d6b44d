// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A thread can leave the file table and the directories of its process behind
 * (unshare(2) with CLONE_FILES, CLONE_FS; CLONE_NEWNS implies the latter). Few
 * ever do, and kcmp(2) tells for a fraction of what it costs to look.
 */
#include "retire/holders/process-threads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

/* Without an answer they count as different: then the thread is looked at, and what is refused there is noted. */
static bool differ(pid_t base, pid_t thread, int what)
{
	long order = syscall(SYS_kcmp, base, thread, what, 0UL, 0UL);

	return order > 0 || (order < 0 && errno != ESRCH);
}

static unsigned own_tables(pid_t base, pid_t thread)
{
	return (differ(base, thread, KCMP_FILES) ? THREAD_FILES : 0U) |
	       (differ(base, thread, KCMP_FS) ? THREAD_PLACES : 0U);
}

static int scan_thread(struct file_scan *scan, int task, const char *name, pid_t thread, unsigned tables)
{
	_cleanup_close_ int dir = openat(task, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	scan->thread = thread;
	return dir < 0 ? 0 : file_scan_thread(scan, dir, tables);
}

/* Each counts as a link of the directory, which has two of its own: fs/proc/base.c:proc_task_getattr(). */
static bool has_threads(int process)
{
	struct stat st;

	return fstatat(process, "task", &st, 0) == 0 && st.st_nlink > 3;
}

int scan_threads(struct file_scan *scan, int process, pid_t base)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	int rc = 0, fd;

	if (scan->root->recorded || !has_threads(process))
		return 0;
	fd = openat(process, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	while (dir && rc == 0 && (entry = readdir(dir))) {
		uint64_t thread;
		unsigned tables = 0;

		file_scan_goes_on(scan);
		if (parse_number(entry->d_name, &thread) == 0 && thread <= INT32_MAX && (pid_t)thread != base)
			tables = own_tables(base, (pid_t)thread);
		if (tables)
			rc = scan_thread(scan, dirfd(dir), entry->d_name, (pid_t)thread, tables);
	}
	return rc;
}
