// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Processes that use a file of a watched file system, a watched block device
 * or a device-dax: one pass over /proc, one holder for each process and place.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "retire/holders/container.h"
#include "retire/holders/kinds.h"
#include "retire/holders/matcher.h"
#include "retire/holders/pinner.h"
#include "retire/holders/process-files.h"
#include "retire/holders/procfs.h"
#include "retire/holders/suspects.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

/* Deeper than any chain of parents that matters; it also ends a forged circle. */
enum { MAX_ANCESTORS = 64, FACT_SIZE = 16 << 10 };

struct scan {
	const struct root *root;
	struct look *look;
	int proc; /* /proc */
	struct matcher matcher;
	struct file_scan files;
	pid_t ancestors[MAX_ANCESTORS]; /* of ours, ourselves first; 0 ends them */
	size_t denied;
	int denied_error;
};

/* A small file of a process into `text`. Length or a negative errno. */
static ssize_t read_fact(int dir, const char *name, char text[FACT_SIZE])
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, FACT_SIZE - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return n;
}

static int read_stat(int dir, const char *name, struct proc_stat *stat)
{
	char text[FACT_SIZE];
	ssize_t n = read_fact(dir, name, text);

	return n < 0 ? (int)n : stat_parse(text, stat);
}

static pid_t parent_of(const struct scan *scan, pid_t pid)
{
	struct proc_stat stat;
	char name[32];

	snprintf(name, sizeof(name), "%d/stat", pid);
	return read_stat(scan->proc, name, &stat) < 0 ? 0 : stat.parent;
}

/* A recorded tree does not know us. */
static void find_ancestors(struct scan *scan)
{
	pid_t pid = scan->root->recorded ? 0 : getpid();

	for (size_t i = 0; pid > 0 && i < MAX_ANCESTORS; i++) {
		scan->ancestors[i] = pid;
		pid = parent_of(scan, pid);
	}
}

static bool is_own(const struct scan *scan, pid_t pid)
{
	for (size_t i = 0; i < MAX_ANCESTORS && scan->ancestors[i]; i++)
		if (scan->ancestors[i] == pid)
			return true;
	return false;
}

/* Our children work for us: they hold what we gave them, and let go when told. */
static bool is_descendant(const struct scan *scan, const struct proc_stat *stat)
{
	pid_t pid = stat->parent;

	if (stat->pid == scan->ancestors[0])
		return false;
	for (int hops = 0; pid > 1 && hops < MAX_ANCESTORS; hops++, pid = parent_of(scan, pid))
		if (pid == scan->ancestors[0])
			return true;
	return false;
}

/* The start time is read again by the same directory: that proves whose pidfd it is, however fast pids are reused.
 */
static int open_pidfd(const struct scan *scan, int dir, const struct proc_stat *stat)
{
	_cleanup_close_ int pidfd = -1;
	struct proc_stat again;

	if (scan->root->recorded)
		return -1;
	pidfd = (int)syscall(SYS_pidfd_open, stat->pid, 0);
	if (pidfd < 0)
		return -errno;
	if (read_stat(dir, "stat", &again) < 0 || again.starttime != stat->starttime)
		return -ESRCH;
	return take_fd(&pidfd);
}

/* What systemd takes for a container is a virtual machine when it runs one. */
static void read_cgroup(struct process *process, const char *text)
{
	_cleanup_free_ char *container = NULL;
	bool vm;

	process->unit = cgroup_parse_unit(text);
	container = cgroup_parse_container(text, &vm);
	if (vm)
		process->vm = take_ptr(container);
	else
		process->container = take_ptr(container);
}

static void read_owner(int dir, struct process *process)
{
	_cleanup_free_ char *name = NULL;
	char text[FACT_SIZE];
	ssize_t length;

	if (read_fact(dir, "status", text) < 0 || status_parse_uid(text, &process->uid) < 0)
		process->uid = (uid_t)-1;
	if (read_fact(dir, "cgroup", text) >= 0)
		read_cgroup(process, text);
	if (!process->vm && is_vm_monitor(process->comm))
		process->vm = strdup("");
	/* systemd knows a name that was cut and cleaned */
	length = process->vm ? read_fact(dir, "cmdline", text) : 0;
	name = length > 0 ? cmdline_parse_vm(text, (size_t)length) : NULL;
	if (name && *name) {
		free(process->vm);
		process->vm = take_ptr(name);
	}
}

static int add_holder(struct scan *scan, int dir, const struct proc_stat *stat, struct match *match)
{
	const struct place *place = &match->target.place;
	int pidfd = open_pidfd(scan, dir, stat);
	struct holder *holder;

	if (pidfd == -ESRCH)
		return 0;
	holder = look_add_holder(scan->look, HOLDER_PROCESS, place->device, place->on, "%s[%d]", stat->comm,
				 stat->pid);
	if (!holder) {
		cleanup_close(&pidfd);
		return -ENOMEM;
	}
	holder->process = (struct process){ .pid = stat->pid,
					    .starttime = stat->starttime,
					    .uses = match->uses,
					    .path = take_ptr(match->path),
					    .pidfd = pidfd < 0 ? -1 : pidfd,
					    .own = is_own(scan, stat->pid) };
	memcpy(holder->process.comm, stat->comm, sizeof(stat->comm));
	read_owner(dir, &holder->process);
	if ((match->uses & (USE_MAP | USE_OPEN)) && process_can_pin(scan->root, dir))
		holder->process.uses |= USE_PIN;
	return 1;
}

/* Without privilege most are refused: one line tells them all. */
static int note_denied(struct scan *scan, pid_t pid, int error)
{
	char subject[32];

	if (!scan->root->recorded && geteuid() != 0) {
		scan->denied++;
		scan->denied_error = error;
		return 0;
	}
	snprintf(subject, sizeof(subject), "process %d", pid);
	return look_add_unknown(scan->look, subject, "%s", strerror(-error));
}

static int add_holders(struct scan *scan, int dir, const struct proc_stat *stat)
{
	int rc = 0;

	if (scan->files.denied)
		rc = note_denied(scan, stat->pid, scan->files.denied);
	if (!scan->files.matches.count || is_descendant(scan, stat))
		return rc;
	array_each(match, &scan->files.matches) {
		rc = rc < 0 ? rc : add_holder(scan, dir, stat, match);
	}
	return rc < 0 ? rc : 0;
}

/* Kernel threads have no files of their own, and the dead have none any more. */
static bool has_files(const struct proc_stat *stat)
{
	return !stat->kernel_thread && stat->state != 'Z' && stat->state != 'X';
}

/*
 * When the first thread has ended, the others go on, and the process shows no
 * files any more. /proc/TID does (it has map_files, which task/TID has not).
 */
static int open_live_thread(const struct scan *scan, int process)
{
	int fd = openat(process, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		_cleanup_close_ int thread = -1;
		struct proc_stat stat;

		if (entry->d_name[0] == '.')
			continue;
		thread = openat(scan->proc, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (thread >= 0 && read_stat(thread, "stat", &stat) == 0 && has_files(&stat))
			return take_fd(&thread);
	}
	return -ENOENT;
}

static int scan_process(struct scan *scan, const char *name)
{
	_cleanup_close_ int dir = openat(scan->proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), thread = -1;
	struct proc_stat stat;
	int rc = dir < 0 ? -errno : read_stat(dir, "stat", &stat);

	if (rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM)
		return rc;
	if (rc == -ENOENT || rc == -ESRCH)
		return 0;
	if (rc < 0)
		return note_denied(scan, (pid_t)strtol(name, NULL, 10), rc);
	if (!has_files(&stat))
		thread = stat.kernel_thread ? -1 : open_live_thread(scan, dir);
	if (!has_files(&stat) && thread < 0)
		return 0;
	rc = file_scan_process(&scan->files, thread < 0 ? dir : thread, stat.pid == scan->ancestors[0]);
	return rc < 0 ? rc : add_holders(scan, dir, &stat);
}

static int scan_all(struct scan *scan, DIR *dir)
{
	struct dirent *entry;
	uint64_t pid;
	int rc = 0;

	while (rc == 0 && (entry = readdir(dir)))
		if (parse_number(entry->d_name, &pid) == 0 && pid <= INT32_MAX)
			rc = scan_process(scan, entry->d_name);
	return rc;
}

static int scan_suspects(struct scan *scan, const struct suspects *suspects)
{
	char name[16];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < suspects->count; i++) {
		snprintf(name, sizeof(name), "%d", suspects->pids[i]);
		rc = scan_process(scan, name);
	}
	return rc;
}

static int scan_processes(struct scan *scan)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(scan->root, "/proc");
	_cleanup_(suspects_free) struct suspects suspects = { .all = true };

	if (!dir)
		return -errno;
	scan->proc = dirfd(dir);
	find_ancestors(scan);
	suspects_find(scan->root, scan->look, &suspects);
	return suspects.all ? scan_all(scan, dir) : scan_suspects(scan, &suspects);
}

static int tell_denied(struct scan *scan)
{
	char subject[64];

	if (!scan->denied)
		return 0;
	snprintf(subject, sizeof(subject), "%zu processes", scan->denied);
	return look_add_unknown(scan->look, subject, "%s", strerror(-scan->denied_error));
}

/* A detached one has no mount to ask: its users have found out. */
static void mark_shut_down(struct scan *scan)
{
	array_each(dev, &scan->files.shut_down.list) {
		struct holder *filesystem = look_filesystem(scan->look, *dev);

		if (filesystem)
			filesystem->filesystem.shut_down = true;
	}
}

static void cleanup_scan(struct scan *scan)
{
	matcher_free(&scan->matcher);
	file_scan_free(&scan->files);
}

static int probe_processes(const struct root *root, struct look *look, struct err *err)
{
	_cleanup_(cleanup_scan) struct scan scan = { .root = root, .look = look };
	size_t before = look->holders.count;
	int rc = matcher_init(&scan.matcher, look);

	scan.files.root = root;
	scan.files.matcher = &scan.matcher;
	if (rc == 0)
		rc = scan_processes(&scan);
	mark_shut_down(&scan);
	if (rc == 0)
		rc = tell_denied(&scan);
	return rc < 0 ? err_errno(err, rc, "cannot list processes") : (int)(look->holders.count - before);
}

const struct holder_kind kind_process = {
	.type = HOLDER_PROCESS,
	.name = "process",
	.probe = probe_processes,
	.lifted_by = EVICT_TERM,
};

/* Killed, and asleep where no signal reaches it: it ends as soon as it wakes. */
static bool is_doomed(const struct root *root, pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	const char *pending;

	if (root_readf(root, FACT_SIZE, &text, "/proc/%d/status", pid) <= 0)
		return false;
	pending = strstr(text, "\nSigPnd:\t");
	return pending && (strtoull(pending + strlen("\nSigPnd:\t"), NULL, 16) & 1ULL << (SIGKILL - 1));
}

bool holders_process_lives(const struct root *root, const struct process *process)
{
	_cleanup_free_ char *text = NULL;
	struct proc_stat stat;

	if (root_readf(root, 4096, &text, "/proc/%d/stat", process->pid) <= 0 || stat_parse(text, &stat) < 0)
		return false;
	return stat.starttime == process->starttime && !strchr("ZX", stat.state) && !is_doomed(root, process->pid);
}
