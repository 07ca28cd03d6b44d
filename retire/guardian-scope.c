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
#include <unistd.h>

#include "util/library.h"

enum { BUS_TIMEOUT_US = 2000000 };

struct bus {
	__typeof__(&sd_bus_open_system) open_system;
	__typeof__(&sd_bus_message_new_method_call) new_call;
	__typeof__(&sd_bus_message_append) append;
	__typeof__(&sd_bus_call) call;
	__typeof__(&sd_bus_message_unref) unref_message;
	__typeof__(&sd_bus_flush_close_unref) close;
};

static bool find_bus(struct bus *bus)
{
	static const char library[] = "libsystemd.so.0";

	*bus = (struct bus){ LIBRARY_FUNCTION(library, sd_bus_open_system),
			     LIBRARY_FUNCTION(library, sd_bus_message_new_method_call),
			     LIBRARY_FUNCTION(library, sd_bus_message_append),
			     LIBRARY_FUNCTION(library, sd_bus_call),
			     LIBRARY_FUNCTION(library, sd_bus_message_unref),
			     LIBRARY_FUNCTION(library, sd_bus_flush_close_unref) };
	return bus->open_system && bus->new_call && bus->append && bus->call && bus->unref_message && bus->close;
}

static int start_scope(const struct bus *bus, sd_bus *system, const char *name, pid_t pid)
{
	sd_bus_message *call = NULL;
	int rc = bus->new_call(system, &call, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
			       "org.freedesktop.systemd1.Manager", "StartTransientUnit");

	if (rc < 0)
		return rc;
	/* no default dependencies: at shutdown it ends when its work does, not before */
	rc = bus->append(call, "ssa(sv)a(sa(sv))", name, "fail", 5, "Description", "s",
			 "Thaws what dax-retire has frozen", "PIDs", "au", 1, (uint32_t)pid, "DefaultDependencies",
			 "b", 0, "CollectMode", "s", "inactive-or-failed", "Slice", "s", "system.slice", 0);
	if (rc >= 0)
		rc = bus->call(system, call, BUS_TIMEOUT_US, NULL, NULL);
	bus->unref_message(call);
	return rc;
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
	sd_bus *system = NULL;
	struct bus bus;
	char name[64];
	int rc;

	/* as sd_booted(3) */
	if (access("/run/systemd/system", F_OK) < 0)
		return 1;
	if (!find_bus(&bus))
		return -ENOSYS;
	snprintf(name, sizeof(name), "dax-retire-guardian-%d.scope", pid);
	rc = bus.open_system(&system);
	rc = rc < 0 ? rc : start_scope(&bus, system, name, pid);
	if (system)
		bus.close(system);
	return rc < 0 ? rc : await_scope(pid, name);
}

#else

int guardian_scope(pid_t pid)
{
	(void)pid;
	return 1;
}

#endif
