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

#include "retire/holders/hidepid.h"
#include "retire/holders/kinds.h"
#include "retire/holders/matcher.h"
#include "retire/holders/proc-file.h"
#include "retire/holders/process-pass.h"
#include "retire/holders/procfs.h"
#include "retire/holders/suspects.h"
#include "util/cleanup.h"
#include "util/root.h"

/* Deeper than any chain of parents that matters; it also ends a forged circle. */
enum { MAX_ANCESTORS = 64 };

/* While some look, others start. Each round is shorter than the one before; who still starts then is not one that
 * stays. */
enum { ROUNDS = 4 };

struct scan {
	const struct root *root;
	struct look *look;
	int proc; /* /proc */
	struct matcher matcher;
	pid_t ancestors[MAX_ANCESTORS]; /* of ours, ourselves first; 0 ends them */
	size_t denied;
	int denied_error;
};

static pid_t parent_of(const struct scan *scan, pid_t pid)
{
	struct proc_stat stat;
	char name[32];

	snprintf(name, sizeof(name), "%d/stat", pid);
	return proc_file_stat(scan->proc, name, &stat) < 0 ? 0 : stat.parent;
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

/*
 * The start time is read by a directory that was opened before: as long as that answers it is of the same process,
 * and so is the pidfd, however fast pids are reused.
 */
static int open_pidfd(const struct scan *scan, const struct proc_stat *stat)
{
	_cleanup_close_ int dir = -1, pidfd = -1;
	struct proc_stat again;
	char name[32];

	if (scan->root->recorded)
		return -1;
	snprintf(name, sizeof(name), "%d", stat->pid);
	dir = openat(scan->proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pidfd = (int)syscall(SYS_pidfd_open, stat->pid, 0);
	if (pidfd < 0)
		return -errno;
	if (dir < 0 || proc_file_stat(dir, "stat", &again) < 0 || again.starttime != stat->starttime)
		return -ESRCH;
	return take_fd(&pidfd);
}

static int copy_text(char **text)
{
	*text = *text ? strdup(*text) : NULL;
	return *text ? 0 : -ENOMEM;
}

/* The strings are those of the pass. */
static int copy_texts(struct process *process)
{
	char **texts[] = { &process->unit, &process->vm, &process->container, &process->path };
	int rc = 0;

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (*texts[i] && copy_text(texts[i]) < 0)
			rc = -ENOMEM;
	return rc;
}

static int add_holder(struct scan *scan, const struct finding *finding, const struct match *match)
{
	const struct place *place = &match->target.place;
	const struct proc_stat *stat = &finding->stat;
	int pidfd = open_pidfd(scan, stat);
	struct holder *holder;

	if (pidfd == -ESRCH)
		return 0;
	holder = look_add_holder(scan->look, HOLDER_PROCESS, place->device, place->on, "%s[%d]", stat->comm,
				 stat->pid);
	if (!holder) {
		cleanup_close(&pidfd);
		return -ENOMEM;
	}
	holder->process = finding->who;
	holder->process.uses = match->uses;
	holder->process.path = match->path;
	holder->process.pidfd = pidfd < 0 ? -1 : pidfd;
	holder->process.own = is_own(scan, stat->pid);
	return copy_texts(&holder->process);
}

static int filesystem_on(const struct look *look, int device)
{
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_FILESYSTEM && holder->device == device)
			return holder->id;
	return 0;
}

int process_add(const struct root *root, struct look *look, int device, pid_t pid, struct holder **added)
{
	_cleanup_close_ int proc = root_openf(root, O_RDONLY | O_DIRECTORY, "/proc");
	struct match match = { .target.place = { .device = device, .on = filesystem_on(look, device) } };
	struct scan scan = { .root = root, .look = look, .proc = proc };
	size_t before = look->holders.count;
	struct finding finding;
	int rc = proc < 0 ? proc : process_identify(proc, pid, &finding);

	if (rc < 0)
		return rc == -ENOMEM ? rc : 0;
	find_ancestors(&scan);
	if (!is_descendant(&scan, &finding.stat))
		rc = add_holder(&scan, &finding, &match);
	finding_free(&finding);
	if (rc == 0 && look->holders.count > before) {
		*added = &look->holders.items[before];
		(*added)->kind = &kind_process;
	}
	return rc;
}

static const char *reason_of(int error)
{
	return error == -ETIMEDOUT ? "does not answer"
	       : error == -EPROTO  ? "who looked at it died"
				   : strerror(-error);
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
	return look_add_unknown(scan->look, subject, "%s", reason_of(error));
}

/* A detached file system has no mount to ask: its users have found out. */
static void mark_shut_down(struct scan *scan, const struct match *match)
{
	struct holder *filesystem = match->shut_down ? look_filesystem(scan->look, match->shut_down) : NULL;

	if (filesystem)
		filesystem->filesystem.shut_down = true;
}

static int add_sighting(struct scan *scan, const struct process_pass *pass, const struct sighting *sighting)
{
	const struct finding *finding = &sighting->finding;
	int rc = 0;

	if (finding->denied)
		rc = note_denied(scan, finding->pid, finding->denied);
	if (!sighting->count || is_descendant(scan, &finding->stat))
		return rc;
	for (size_t i = 0; rc == 0 && i < sighting->count; i++) {
		const struct match *match = &pass->matches.items[sighting->first + i];

		mark_shut_down(scan, match);
		rc = add_holder(scan, finding, match);
	}
	return rc;
}

static int tell_left(struct scan *scan, size_t left)
{
	char subject[64];

	if (!left)
		return 0;
	snprintf(subject, sizeof(subject), "%zu more processes", left);
	return look_add_unknown(scan->look, subject, "not looked at, since too many others do not answer");
}

/* Looks at those of `pids`; who was there becomes known. */
static int scan_set(struct scan *scan, const struct pid_set *pids, const struct suspects *suspects,
		    struct pid_set *known)
{
	_cleanup_(process_pass_free) struct process_pass pass = { .root = scan->root,
								  .matcher = &scan->matcher,
								  .proc = scan->proc,
								  .own = scan->ancestors[0],
								  .pids = pids,
								  .suspects = suspects };
	int rc = process_pass_run(&pass);

	for (size_t i = 0; rc == 0 && i < pass.sightings.count; i++)
		rc = add_sighting(scan, &pass, &pass.sightings.items[i]);
	rc = rc < 0 ? rc : tell_left(scan, pass.left);
	return rc < 0 ? rc : pid_set_merge(known, pids, &pass.gone);
}

/* All who are not known yet, and then who has come meanwhile. */
static int scan_unknown(struct scan *scan, struct pid_set *known)
{
	size_t fresh = 1;
	int rc = 0;

	for (int round = 0; rc == 0 && fresh && round < ROUNDS; round++) {
		_cleanup_(pid_set_free) struct pid_set pids = { { 0 } };

		rc = pid_set_read(&pids, scan->proc, known);
		fresh = pids.list.count;
		if (rc == 0 && fresh)
			rc = scan_set(scan, &pids, NULL, known);
	}
	return rc;
}

/* Of those who were there when the kernel was asked, it has named who matters. */
static int scan_processes(struct scan *scan)
{
	_cleanup_close_ int proc = root_openf(scan->root, O_RDONLY | O_DIRECTORY, "/proc");
	_cleanup_(suspects_free) struct suspects suspects = { 0 };
	_cleanup_(pid_set_free) struct pid_set known = { { 0 } };
	int rc;

	if (proc < 0)
		return proc;
	scan->proc = proc;
	find_ancestors(scan);
	rc = suspects_find(scan->root, scan->look, proc, &suspects);
	if (rc == 0 && !suspects.all)
		rc = scan_set(scan, &suspects.pids, &suspects, &known);
	if (rc == 0)
		rc = pid_set_merge(&known, &suspects.asked, &suspects.pids);
	return rc < 0 ? rc : scan_unknown(scan, &known);
}

static int tell_denied(struct scan *scan)
{
	char subject[64];

	if (proc_hides_processes(scan->root))
		return look_add_unknown(scan->look, "processes", "/proc hides those of others (hidepid)");
	if (!scan->denied)
		return 0;
	snprintf(subject, sizeof(subject), "%zu processes", scan->denied);
	return look_add_unknown(scan->look, subject, "%s", strerror(-scan->denied_error));
}

static int probe_processes(const struct root *root, struct look *look, struct err *err)
{
	struct scan scan = { .root = root, .look = look };
	size_t before = look->holders.count;
	int rc = matcher_init(&scan.matcher, look);

	if (rc == 0)
		rc = scan_processes(&scan);
	matcher_free(&scan.matcher);
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

	if (root_readf(root, 16384, &text, "/proc/%d/status", pid) <= 0)
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
