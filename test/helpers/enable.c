// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Enables devices that a command has disabled, for the scenarios:
 *
 *   enable [--stale] NAME... -- COMMAND...
 *       looks at the devices, runs the command, and enables them again, the
 *       regions before their namespaces. --stale: as if each had been another
 *       device. Prints "NAME identity RC MESSAGE" and "NAME enable RC" for each.
 *   enable --disable NAME
 *       what the last step of a retirement does, and nothing before it
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "retire/targets/targets.h"
#include "util/root.h"

static int run(char **command)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		/* our lines are all that goes to stdout */
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execvp(command[0], command);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void make_stale(struct device *device)
{
	if (device->uuid)
		*device->uuid = *device->uuid == '0' ? '1' : '0';
	else
		device->capacity++;
}

static void enable(const struct root *root, const struct device *device)
{
	struct err err = { 0 };
	int rc = targets_check_identity(root, device, &err);

	printf("%s identity %d %s\n", device->name, rc, rc < 0 ? err.message : "");
	rc = targets_enable(device);
	printf("%s enable %d\n", device->name, rc);
	fflush(stdout);
}

static int find(const struct root *root, char **names, size_t count, struct look *look)
{
	const struct request request = { .command = "enable",
					 .names = (const char *const *)names,
					 .name_count = count };
	struct err err = { 0 };
	int rc = targets_find_nd(root, &request, look, &err);

	if (rc < 0)
		fprintf(stderr, "enable: %s\n", err.message);
	return rc;
}

int main(int argc, char **argv)
{
	bool stale = argc > 1 && strcmp(argv[1], "--stale") == 0;
	bool disable = argc > 1 && strcmp(argv[1], "--disable") == 0;
	char **names = argv + 1 + (stale || disable), **end = names;
	struct look look = { 0 };
	struct root root;

	while (*end && strcmp(*end, "--") != 0)
		end++;
	if (end == names || (!*end && !disable) || root_open(&root, NULL) < 0 ||
	    find(&root, names, (size_t)(end - names), &look) < 0)
		return 2;
	if (disable) {
		printf("%s disable %d\n", *names, targets_disable(&look.devices.items[look.devices.count - 1]));
	} else {
		printf("command %d\n", run(end + 1));
		for (int type = DEVICE_TYPES; type-- > 0;)
			array_each(device, &look.devices) {
				if (device->type != (enum device_type)type)
					continue;
				if (stale)
					make_stale(device);
				enable(&root, device);
			}
	}
	look_free(&look);
	root_close(&root);
	return 0;
}
