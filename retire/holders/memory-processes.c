// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which processes have memory of a node, by /proc/PID/numa_maps, and which of
 * them may have it of that node only. Where other memory is on the node, too, that is among it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "retire/holders/asked.h"
#include "retire/holders/holders.h"
#include "retire/holders/memory-use.h"
#include "retire/holders/pids.h"
#include "retire/holders/proc-file.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

/* What the child tells of one. */
struct told {
	pid_t pid;
	int error; /* negative errno; 0: it could be looked at */
	struct numa_use use;
};

struct question {
	const struct root *root;
	int node;
	bool binds; /* there are other nodes that it could have memory of */
};

static int read_maps(int dir, int node, struct numa_use *use)
{
	int fd = openat(dir, "numa_maps", O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	int rc = 0;

	if (!file) {
		rc = -errno;
		cleanup_close(&fd);
		return rc;
	}
	while (getline(&line, &room, file) > 0)
		numa_maps_line(line, node, use);
	rc = ferror(file) ? -errno : 0;
	fclose(file);
	return rc;
}

static bool is_gone(int error)
{
	return error == -ENOENT || error == -ESRCH;
}

static void look_at(int proc, pid_t pid, const struct question *question, struct told *told)
{
	_cleanup_close_ int dir = -1;
	char status[PROC_FILE_SIZE], name[16];

	*told = (struct told){ .pid = pid };
	snprintf(name, sizeof(name), "%d", pid);
	dir = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	told->error = dir < 0 ? -errno : read_maps(dir, question->node, &told->use);
	if (told->error == 0 && proc_file_read(dir, "status", status) > 0)
		told->use.bound |= status_is_confined(status, question->node);
	told->use.bound &= question->binds;
	/* a kernel without NUMA has no such file, either: then nothing is bound to a node */
	if (is_gone(told->error))
		*told = (struct told){ .pid = pid };
}

/* In a child: to read the maps of a process waits for a lock that may be held for ever. */
static int ask(void *argument, int *answer)
{
	const struct question *question = argument;
	_cleanup_close_ int proc = root_openf(question->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC, "/proc");
	struct pid_set pids = { 0 };
	ARRAY_OF(struct told) list = { 0 };
	int rc = proc < 0 ? proc : pid_set_read(&pids, proc, &(struct pid_set){ 0 });

	array_each(pid, &pids.list) {
		struct told told, *added;

		look_at(proc, *pid, question, &told);
		if (rc < 0 || (!told.error && !told.use.bytes && !told.use.bound))
			continue;
		added = array_add(&list);
		rc = added ? 0 : -ENOMEM;
		if (added)
			*added = told;
	}
	rc = rc < 0 ? rc : asked_answer(answer, list.items, list.count * sizeof(*list.items));
	free(list.items);
	pid_set_free(&pids);
	return rc;
}

static int add_process(const struct root *root, const struct told *told, struct system_ram *memory)
{
	_cleanup_free_ char *cgroup = NULL, *comm = root_attributef(root, "/proc/%d/comm", told->pid);
	struct memory_process *added;

	/* it has ended meanwhile */
	if (!comm)
		return 0;
	added = array_add(&memory->processes);
	if (!added)
		return -ENOMEM;
	*added = (struct memory_process){ .pid = told->pid, .bytes = told->use.bytes, .bound = told->use.bound };
	snprintf(added->comm, sizeof(added->comm), "%s", comm);
	if (root_readf(root, 1 << 16, &cgroup, "/proc/%d/cgroup", told->pid) > 0)
		added->unit = cgroup_parse_unit(cgroup);
	return 0;
}

static int compare_processes(const void *a, const void *b)
{
	const struct memory_process *one = a, *other = b;

	return one->bytes == other->bytes  ? (one->pid > other->pid) - (one->pid < other->pid)
	       : one->bytes < other->bytes ? 1
					   : -1;
}

/* Of a page or two, as of a library that is cached there, nobody wants to know. */
enum { WORTH_TELLING = 1 << 20 };

static int take(const struct root *root, struct look *look, const struct told *list, size_t count,
		struct system_ram *memory)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		char subject[32];

		snprintf(subject, sizeof(subject), "process %d", list[i].pid);
		/* without privilege most are refused, which is told of their other files */
		if (list[i].error && geteuid() == 0)
			rc = look_add_unknown(look, subject, "to which nodes its memory is bound: %s",
					      strerror(-list[i].error));
		else if (list[i].use.bound || list[i].use.bytes >= WORTH_TELLING)
			rc = add_process(root, &list[i], memory);
	}
	if (memory->processes.count)
		qsort(memory->processes.items, memory->processes.count, sizeof(memory->processes.items[0]),
		      compare_processes);
	return rc;
}

int memory_find_processes(const struct root *root, struct look *look, const char *name, struct system_ram *memory)
{
	_cleanup_free_ char *nodes = root_attributef(root, "/sys/devices/system/node/has_memory");
	struct question question = { .root = root, .node = memory->node };
	void *answer = NULL;
	uint64_t only;
	size_t size = 0;
	int rc;

	if (memory->node < 0 || !memory_online(memory))
		return 0;
	question.binds = nodes && !(parse_number(nodes, &only) == 0 && only == (uint64_t)memory->node);
	rc = asked_in_child(ask, &question, &answer, &size);
	if (rc < 0)
		return rc == -ENOMEM ? rc
				     : look_add_unknown(look, name, "which processes are bound to its memory: %s",
							strerror(-rc));
	rc = take(root, look, answer, size / sizeof(struct told), memory);
	free(answer);
	return rc;
}
