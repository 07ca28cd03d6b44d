// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/guardian-scope.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/root.h"

#ifdef HAVE_SYSTEMD
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>

enum { BUS_TIMEOUT_US = 2000000 };

static int start_scope(sd_bus *bus, const char *name, pid_t pid)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
	int rc =
		sd_bus_message_new_method_call(bus, &call, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
					       "org.freedesktop.systemd1.Manager", "StartTransientUnit");

	if (rc < 0)
		return rc;
	/* no default dependencies: at shutdown it ends when its work does, not before */
	rc = sd_bus_message_append(call, "ssa(sv)a(sa(sv))", name, "fail", 5, "Description", "s",
				   "Thaws what dax-retire has frozen", "PIDs", "au", 1, (uint32_t)pid,
				   "DefaultDependencies", "b", 0, "CollectMode", "s", "inactive-or-failed",
				   "Slice", "s", "system.slice", 0);
	return rc < 0 ? rc : sd_bus_call(bus, call, BUS_TIMEOUT_US, NULL, NULL);
}

static bool is_in_scope(pid_t pid, const char *name)
{
	struct root root = { .fd = AT_FDCWD };
	_cleanup_free_ char *groups = NULL;

	return root_readf(&root, 65536, &groups, "/proc/%d/cgroup", pid) > 0 && strstr(groups, name);
}

/* The answer to StartTransientUnit comes when the job is queued, not when it is done. */
static int await_scope(pid_t pid, const char *name)
{
	struct deadline deadline = deadline_in(1000);

	while (!is_in_scope(pid, name)) {
		if (deadline_passed(deadline))
			return -ETIMEDOUT;
		wait_readable(-1, -1, deadline_in(5));
	}
	return 0;
}

int guardian_scope(pid_t pid)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	char name[64];
	int rc;

	if (sd_booted() <= 0)
		return 1;
	snprintf(name, sizeof(name), "dax-retire-guardian-%d.scope", pid);
	rc = sd_bus_open_system(&bus);
	rc = rc < 0 ? rc : start_scope(bus, name, pid);
	return rc < 0 ? rc : await_scope(pid, name);
}

#else

int guardian_scope(pid_t pid)
{
	(void)pid;
	return 1;
}

#endif
