// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/effects-memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "retire/effects-system.h"
#include "util/cleanup.h"
#include "util/root.h"

#define UNPLUGGED "unplugged"

struct memory_work {
	uint64_t number;
	const char *state; /* "offline", "online_movable" */
	pid_t parent;	   /* with which the write ends; 0: it goes on */
};

/* "online_movable" is how to get there; what it reads then is "online". */
static int is_so(int state, const char *wanted)
{
	size_t length = strcspn(wanted, "_");
	char now[32] = "";
	ssize_t got = pread(state, now, sizeof(now) - 1, 0);

	if (got < 0)
		return -errno;
	now[strcspn(now, "\n")] = '\0';
	return strlen(now) == length && strncmp(now, wanted, length) == 0;
}

/*
 * Nobody would stop a child that outlives us, and the kernel never gives up on
 * a page that does not move: it ends with us, and the block is online as before.
 */
static int end_with_parent(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	return getppid() == parent ? 0 : -ESRCH;
}

/* A write of what it is already answers EINVAL: so read first, and after an error again. */
static int set_state(void *argument, int *fd)
{
	const struct memory_work *work = argument;
	_cleanup_close_ int state = -1;
	char path[96];
	int rc;

	(void)fd;
	if (work->parent && end_with_parent(work->parent) < 0)
		return -ESRCH;
	snprintf(path, sizeof(path), "/sys/devices/system/memory/memory%" PRIu64 "/state", work->number);
	state = open(path, O_RDWR | O_CLOEXEC);
	if (state < 0)
		return -errno;
	rc = is_so(state, work->state);
	if (rc != 0)
		return rc;
	if (pwrite(state, work->state, strlen(work->state), 0) >= 0)
		return 0;
	rc = -errno;
	return is_so(state, work->state) == 1 ? 1 : rc;
}

/* Between two looks at signals the kernel goes over a whole block: mm/memory_hotplug.c:do_migrate_range(). */
enum { ROUND_MS = 60000 };

/* One that was told to stop does stop, and what is done next must not meet it. */
static void await_end(struct effects *effects, pid_t before)
{
	if (effects->hanging.pid < 0 || effects->hanging.pid == before)
		return;
	wait_readable(effects->hanging.pidfd, -1, deadline_in(ROUND_MS));
	child_reap(&effects->hanging);
}

static int set_block(struct effects *effects, const struct memory_work *work, const struct effects_watch *watch,
		     struct deadline deadline, struct err *err)
{
	struct memory_work copy = *work;
	pid_t before = effects->hanging.pid;
	int rc = effects_watched(effects, set_state, &copy, watch, deadline);

	await_end(effects, before);
	return rc < 0 ? err_set(err, rc, "%s", strerror(-rc)) : rc;
}

int memory_offline_block(struct effects *effects, uint64_t number, const struct effects_watch *watch,
			 struct deadline deadline, struct err *err)
{
	return set_block(effects, &(struct memory_work){ number, "offline", getpid() }, watch, deadline, err);
}

int memory_online_block(struct effects *effects, uint64_t number, enum memory_zone zone, struct deadline deadline,
			struct err *err)
{
	struct memory_work work = { number, zone == ZONE_MOVABLE ? "online_movable" : "online_kernel", 0 };

	return set_block(effects, &work, NULL, deadline, err);
}

/*
 * It is a memory of what was written there last, not a reading of the blocks:
 * drivers/dax/kmem.c:state_show(). From "unplugged" it goes to what is online, and from that back,
 * whatever was done to single blocks meanwhile.
 */
int memory_change_state(const struct root *root, const char *dax, const char *state)
{
	_cleanup_free_ char *now = root_attributef(root, "/sys/bus/dax/devices/%s/state", dax);
	_cleanup_close_ int fd = -1;

	if (!now || strcmp(now, state) == 0 || (strcmp(state, UNPLUGGED) != 0 && strcmp(now, UNPLUGGED) != 0))
		return 1;
	fd = root_openf(root, O_WRONLY | O_CLOEXEC, "/sys/bus/dax/devices/%s/state", dax);
	if (fd < 0)
		return fd;
	return pwrite(fd, state, strlen(state), 0) < 0 ? -errno : 0;
}

struct plug_work {
	const char *dax, *state;
	pid_t parent; /* as above */
};

static int change_state(void *argument, int *fd)
{
	const struct root root = { .fd = AT_FDCWD };
	const struct plug_work *work = argument;

	(void)fd;
	if (work->parent && end_with_parent(work->parent) < 0)
		return -ESRCH;
	return memory_change_state(&root, work->dax, work->state);
}

static int change_in_child(struct effects *effects, const struct device *device, const char *state, pid_t parent,
			   struct deadline deadline, struct err *err)
{
	struct plug_work work = { device->blockdev, state, parent };
	pid_t before = effects->hanging.pid;
	int rc = work.dax ? effects_in_child(effects, change_state, &work, deadline, NULL) : 1;

	await_end(effects, before);
	return rc < 0 ? err_set(err, rc, "%s", strerror(-rc)) : rc;
}

/* Where somebody has brought a block back, it goes on trying as the write to that block would. */
int memory_unplug(struct effects *effects, const struct device *device, struct deadline deadline, struct err *err)
{
	return change_in_child(effects, device, UNPLUGGED, getpid(), deadline, err);
}

int memory_plug(struct effects *effects, const struct device *device, enum memory_zone zone,
		struct deadline deadline, struct err *err)
{
	return change_in_child(effects, device, zone == ZONE_MOVABLE ? "online_movable" : "online_kernel", 0,
			       deadline, err);
}
