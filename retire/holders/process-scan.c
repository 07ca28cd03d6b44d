// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/holders/process-scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "retire/holders/container.h"
#include "retire/holders/pinner.h"
#include "retire/holders/proc-file.h"
#include "retire/holders/process-threads.h"
#include "retire/holders/suspects.h"
#include "util/cleanup.h"

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
	char text[PROC_FILE_SIZE];
	ssize_t length;

	if (proc_file_read(dir, "status", text) < 0 || status_parse_uid(text, &process->uid) < 0)
		process->uid = (uid_t)-1;
	if (proc_file_read(dir, "cgroup", text) >= 0)
		read_cgroup(process, text);
	if (!process->vm && is_vm_monitor(process->comm))
		process->vm = strdup("");
	/* systemd knows a name that was cut and cleaned */
	length = process->vm ? proc_file_read(dir, "cmdline", text) : 0;
	name = length > 0 ? cmdline_parse_vm(text, (size_t)length) : NULL;
	if (name && *name) {
		free(process->vm);
		process->vm = take_ptr(name);
	}
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
static int open_live_thread(const struct process_scan *scan, int process, pid_t *tid)
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
		if (thread < 0 || proc_file_stat(thread, "stat", &stat) < 0 || !has_files(&stat))
			continue;
		*tid = stat.pid;
		return take_fd(&thread);
	}
	return -ENOENT;
}

/* Only a process with memory has a program: the others are threads of the kernel, or dead. Cheaper than its stat.
 */
static bool has_program(int dir)
{
	char byte;

	return readlinkat(dir, "exe", &byte, sizeof(byte)) >= 0;
}

/* Where to look for the files of a process: 1: *dir, of thread *tid; 0: nowhere. Or a negative errno. */
static int find_files(const struct process_scan *scan, int process, int *dir, pid_t *tid)
{
	struct proc_stat stat;
	int rc;

	*dir = -1;
	if (has_program(process))
		return 1;
	rc = proc_file_stat(process, "stat", &stat);
	if (rc < 0 || has_files(&stat))
		return rc < 0 ? rc : 1;
	if (!stat.kernel_thread)
		*dir = open_live_thread(scan, process, tid);
	return *dir >= 0;
}

/* Not the process' fault: nobody could be looked at. */
static bool is_ours(int rc)
{
	return rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM;
}

static bool can_pin(const struct file_scan *files, int dir)
{
	return files->thread_can_pin || process_has_pinned(dir) ||
	       descriptors_can_pin(files->root, dir, files->special.items, files->special.count);
}

/*
 * Pins are not of a file: who can make some, and has a file of ours, may have
 * pinned pages of that. `dir`: where the files of the process were found.
 */
static void note_pins(struct process_scan *scan, int dir)
{
	unsigned uses = 0;

	array_each(match, &scan->files.matches)
		uses |= match->uses;
	if (!(uses & (USE_MAP | USE_OPEN)) || !can_pin(&scan->files, dir))
		return;
	array_each(match, &scan->files.matches)
		if (match->uses & (USE_MAP | USE_OPEN))
			match->uses |= USE_PIN;
}

/* What only the kernel knows of it; of ours, what a user gave it is on the standard descriptors. */
static int add_hidden(struct process_scan *scan, pid_t pid)
{
	size_t count = 0;
	const struct bpf_suspect *suspect = scan->suspects ? suspects_of(scan->suspects, pid, &count) : NULL;
	int rc = 0;

	for (size_t i = 0; rc == 0 && pid != scan->own && i < count; i++)
		if (suspect[i].hiding)
			rc = file_scan_hidden(&scan->files, &suspect[i]);
	return rc;
}

static int identify(int process, struct finding *finding)
{
	int rc = proc_file_stat(process, "stat", &finding->stat);

	if (rc < 0)
		return rc;
	finding->who = (struct process){ .pid = finding->pid, .starttime = finding->stat.starttime, .pidfd = -1 };
	memcpy(finding->who.comm, finding->stat.comm, sizeof(finding->stat.comm));
	read_owner(process, &finding->who);
	return 0;
}

static int scan_files(struct process_scan *scan, int process, struct finding *finding)
{
	_cleanup_close_ int thread = -1;
	pid_t tid = finding->pid;
	int rc = find_files(scan, process, &thread, &tid);

	if (rc <= 0)
		return rc;
	scan->files.thread = tid;
	rc = file_scan_process(&scan->files, thread < 0 ? process : thread, finding->pid == scan->own);
	if (rc == 0)
		rc = scan_threads(&scan->files, process, tid);
	rc = rc < 0 ? rc : add_hidden(scan, finding->pid);
	finding->denied = scan->files.denied;
	if (rc < 0 || !scan->files.matches.count)
		return rc;
	rc = identify(process, finding);
	if (rc == 0)
		note_pins(scan, thread < 0 ? process : thread);
	return rc;
}

static int open_process(int proc, pid_t pid)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "%d", pid);
	fd = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int process_identify(int proc, pid_t pid, struct finding *finding)
{
	_cleanup_close_ int process = open_process(proc, pid);

	*finding = (struct finding){ .pid = pid };
	return process < 0 ? process : identify(process, finding);
}

/*
 * What is denied of a process that may be looked at is a link of a thread, or of all of it, that has just ended:
 * fs/proc/base.c:proc_fd_access_allowed(). Looked at again, it is not there.
 */
static bool has_ended_meanwhile(int process, const struct finding *finding)
{
	struct proc_stat stat;

	return finding->denied == -EACCES &&
	       (has_program(process) || proc_file_stat(process, "stat", &stat) < 0 || !has_files(&stat));
}

enum { LOOKS = 4 };

int process_scan(struct process_scan *scan, pid_t pid, struct finding *finding)
{
	_cleanup_close_ int process = open_process(scan->proc, pid);
	int rc, looks = 0;

	do {
		if (looks)
			finding_free(finding);
		*finding = (struct finding){ .pid = pid };
		file_scan_forget(&scan->files);
		rc = process < 0 ? process : scan_files(scan, process, finding);
	} while (rc >= 0 && ++looks < LOOKS && has_ended_meanwhile(process, finding));
	if (rc == -ENOENT)
		return -ESRCH;
	if (rc == -ESRCH || is_ours(rc))
		return rc;
	if (rc < 0) {
		file_scan_forget(&scan->files);
		finding->denied = rc;
	}
	return finding->denied || scan->files.matches.count;
}

void process_scan_free(struct process_scan *scan)
{
	file_scan_free(&scan->files);
}

void finding_free(struct finding *finding)
{
	free(finding->who.unit);
	free(finding->who.vm);
	free(finding->who.container);
}
