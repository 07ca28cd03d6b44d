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

/* What the child tells of one, for each node that it has memory of. */
struct told {
	pid_t pid;
	int error; /* negative errno; 0: it could be looked at */
	struct numa_use use;
};

struct question {
	const struct root *root;
	ARRAY_OF(struct numa_use) nodes; /* nothing used yet */
	const char *has_memory;		 /* the nodes that have: "0-1"; NULL where that cannot be read */
};

struct tale {
	ARRAY_OF(struct told) list;
};

static int read_maps(int dir, struct numa_use *uses, size_t count)
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
		numa_maps_line(line, uses, count);
	rc = ferror(file) ? -errno : 0;
	fclose(file);
	return rc;
}

static bool is_gone(int error)
{
	return error == -ENOENT || error == -ESRCH;
}

/* To a node that has all memory of the machine nobody is bound. */
static bool can_be_bound(const struct question *question, int node)
{
	uint64_t only;

	return question->has_memory && !(parse_number(question->has_memory, &only) == 0 && only == (uint64_t)node);
}

/* Fills `uses`, one for each node. */
static int look_at(int proc, pid_t pid, const struct question *question, struct numa_use *uses)
{
	size_t count = question->nodes.count;
	_cleanup_close_ int dir = -1;
	char status[PROC_FILE_SIZE], name[16];
	int rc;

	memcpy(uses, question->nodes.items, count * sizeof(*uses));
	snprintf(name, sizeof(name), "%d", pid);
	dir = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = dir < 0 ? -errno : read_maps(dir, uses, count);
	if (rc < 0 || proc_file_read(dir, "status", status) <= 0)
		return rc;
	for (size_t i = 0; i < count; i++) {
		uses[i].bound |= status_is_confined(status, uses[i].node);
		uses[i].bound &= can_be_bound(question, uses[i].node);
	}
	return 0;
}

static int add_told(struct tale *tale, const struct told *told)
{
	struct told *added = array_add(&tale->list);

	if (!added)
		return -ENOMEM;
	*added = *told;
	return 0;
}

static int add_uses(struct tale *tale, pid_t pid, const struct numa_use *uses, size_t count)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		if (uses[i].bytes || uses[i].bound)
			rc = add_told(tale, &(struct told){ pid, 0, uses[i] });
	return rc;
}

static int look_at_all(int proc, const struct pid_set *pids, const struct question *question,
		       struct tale *tale)
{
	size_t count = question->nodes.count;
	_cleanup_free_ struct numa_use *uses = calloc(count, sizeof(*uses));
	int rc = uses ? 0 : -ENOMEM;

	array_each(pid, &pids->list) {
		int one = rc < 0 ? rc : look_at(proc, *pid, question, uses);

		if (rc < 0)
			break;
		/* a kernel without NUMA has no such file, either: then nothing is bound to a node */
		if (one == 0)
			rc = add_uses(tale, *pid, uses, count);
		else if (!is_gone(one))
			rc = add_told(tale, &(struct told){ *pid, one, { .node = -1 } });
	}
	return rc;
}

/* In a child: to read the maps of a process waits for a lock that may be held for ever. */
static int ask(void *argument, int *fd)
{
	const struct question *question = argument;
	_cleanup_close_ int proc = root_openf(question->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC, "/proc");
	struct pid_set pids = { 0 };
	struct tale tale = { 0 };
	int rc = proc < 0 ? proc : pid_set_read(&pids, proc, &(struct pid_set){ 0 });

	rc = rc < 0 ? rc : look_at_all(proc, &pids, question, &tale);
	rc = rc < 0 ? rc : asked_answer(fd, tale.list.items, tale.list.count * sizeof(*tale.list.items));
	free(tale.list.items);
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

static int take_use(const struct root *root, struct look *look, const struct told *told)
{
	int rc = 0;

	array_each(holder, &look->holders)
		if (rc == 0 && holder->type == HOLDER_MEMORY && holder->memory.node == told->use.node &&
		    memory_online(&holder->memory))
			rc = add_process(root, told, &holder->memory);
	return rc;
}

static int take(const struct root *root, struct look *look, const struct told *told)
{
	char subject[32];

	snprintf(subject, sizeof(subject), "process %d", told->pid);
	/* without privilege most are refused, which is told of their other files */
	if (told->error && geteuid() == 0)
		return look_add_unknown(look, subject, "to which nodes its memory is bound: %s",
					strerror(-told->error));
	return told->use.bound || told->use.bytes >= WORTH_TELLING ? take_use(root, look, told) : 0;
}

static void sort_processes(struct look *look)
{
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_MEMORY && holder->memory.processes.count)
			qsort(holder->memory.processes.items, holder->memory.processes.count,
			      sizeof(holder->memory.processes.items[0]), compare_processes);
}

static bool asks_for(const struct question *question, int node)
{
	array_each(one, &question->nodes)
		if (one->node == node)
			return true;
	return false;
}

static int find_nodes(const struct look *look, struct question *question)
{
	array_each(holder, &look->holders) {
		struct numa_use *added;

		if (holder->type != HOLDER_MEMORY || holder->memory.node < 0 || !memory_online(&holder->memory) ||
		    asks_for(question, holder->memory.node))
			continue;
		added = array_add(&question->nodes);
		if (!added)
			return -ENOMEM;
		*added = (struct numa_use){ .node = holder->memory.node };
	}
	return 0;
}

static int ask_processes(const struct root *root, struct question *question, struct look *look)
{
	void *answer = NULL;
	size_t size = 0;
	int rc = asked_in_child(ask, question, &answer, &size);
	const struct told *told = answer;

	if (rc < 0 && rc != -ENOMEM)
		return look_add_unknown(look, "memory", "which processes are bound to it: %s", strerror(-rc));
	for (size_t i = 0; rc == 0 && i < size / sizeof(*told); i++)
		rc = take(root, look, &told[i]);
	free(answer);
	sort_processes(look);
	return rc;
}

int memory_find_processes(const struct root *root, struct look *look)
{
	_cleanup_free_ char *nodes = root_attributef(root, "/sys/devices/system/node/has_memory");
	struct question question = { .root = root, .has_memory = nodes };
	int rc = find_nodes(look, &question);

	if (rc == 0 && question.nodes.count)
		rc = ask_processes(root, &question, look);
	free(question.nodes.items);
	return rc;
}
