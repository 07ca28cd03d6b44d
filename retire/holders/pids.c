// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/holders/pids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>

#include "util/cleanup.h"
#include "util/text.h"

static int compare_pids(const void *a, const void *b)
{
	const pid_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static int add(struct pid_set *set, pid_t pid)
{
	pid_t *added = array_add(&set->list);

	if (!added)
		return -ENOMEM;
	*added = pid;
	return 0;
}

static void sort(struct pid_set *set)
{
	if (set->list.count)
		qsort(set->list.items, set->list.count, sizeof(*set->list.items), compare_pids);
}

int pid_set_read(struct pid_set *set, int proc, const struct pid_set *known)
{
	int rc = 0, fd = openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint64_t pid;

	if (!dir)
		return -errno;
	while (rc == 0 && (entry = readdir(dir)))
		if (parse_number(entry->d_name, &pid) == 0 && pid <= INT32_MAX && !pid_set_has(known, (pid_t)pid))
			rc = add(set, (pid_t)pid);
	sort(set);
	return rc;
}

int pid_set_merge(struct pid_set *set, const struct pid_set *more, const struct pid_set *but)
{
	int rc = 0;

	array_each(pid, &more->list)
		if (rc == 0 && !pid_set_has(but, *pid))
			rc = add(set, *pid);
	sort(set);
	return rc;
}

bool pid_set_has(const struct pid_set *set, pid_t pid)
{
	return set->list.count && bsearch(&pid, set->list.items, set->list.count, sizeof(pid), compare_pids);
}

void pid_set_free(struct pid_set *set)
{
	free(set->list.items);
	*set = (struct pid_set){ { 0 } };
}
