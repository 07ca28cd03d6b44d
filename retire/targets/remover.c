// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who takes a driver away at this moment, or has begun to and does not come
 * back: a process that writes to `unbind`, or hangs in it.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "retire/targets/pmem.h"
#include "util/root.h"
#include "util/text.h"

/* Something of the kernel's stack, where a process that runs shows one. */
static bool is_unbinding(const struct root *root, const char *pid)
{
	_cleanup_free_ char *stack = NULL;

	return root_readf(root, 65536, &stack, "/proc/%s/stack", pid) > 0 &&
	       (strstr(stack, "unbind_store") || strstr(stack, "device_release_driver"));
}

/* A process has the file open that it writes to: "/sys/bus/nd/drivers/nd_pmem/unbind" */
static bool has_unbind_open(const struct root *root, const char *pid)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, "/proc/%s/fd", pid);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char target[256];
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		if (n <= 0)
			continue;
		target[n] = '\0';
		if (starts_with(target, "/sys/bus/nd/drivers/") && strstr(target, "/unbind"))
			return true;
	}
	return false;
}

static char *process_title(const struct root *root, const char *pid)
{
	_cleanup_free_ char *comm = root_attributef(root, "/proc/%s/comm", pid);
	char *title;

	return asprintf(&title, "%s[%s]", comm ? comm : "process ", pid) < 0 ? NULL : title;
}

char *pmem_remover(const struct root *root)
{
	_cleanup_closedir_ DIR *dir = root->recorded ? NULL : root_opendirf(root, "/proc");
	struct dirent *entry;
	uint64_t pid;

	while (dir && (entry = readdir(dir)))
		if (parse_number(entry->d_name, &pid) == 0 &&
		    (has_unbind_open(root, entry->d_name) || is_unbinding(root, entry->d_name)))
			return process_title(root, entry->d_name);
	return NULL;
}
