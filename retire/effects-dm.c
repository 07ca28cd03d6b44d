// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Device-mapper devices are removed and made by libdevmapper rather than by the
 * bare ioctls: it hands udev the cookie without which its rules make no link
 * for the device (10-dm.rules), waits for them, makes the nodes where udev does
 * not run, and takes back what was made when a table does not load.
 */
#include "retire/effects-stack.h"

#ifdef HAVE_DEVMAPPER
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "retire/devmapper.h"
#include "retire/effects-system.h"
#include "util/cleanup.h"

__attribute__((format(printf, 5, 6))) static void say_nothing(int level, const char *file, int line,
							      int dm_errno_or_class, const char *fmt, ...)
{
	(void)level, (void)file, (void)line, (void)dm_errno_or_class, (void)fmt;
}

/* Quiet, and names as the kernel has them: the library would write "a b" as "a\x20b", which is another one. */
static void prepare(void)
{
	dm_log_with_errno_init(say_nothing);
	dm_set_name_mangling_mode(DM_STRING_MANGLING_NONE);
}

static void cleanup_task(struct dm_task **task)
{
	if (*task)
		dm_task_destroy(*task);
}

/* With udev, until its rules are through. */
static int run(struct dm_task *task)
{
	uint32_t cookie = 0;
	int rc;

	if (!dm_task_set_cookie(task, &cookie, 0))
		return -EIO;
	rc = dm_task_run(task) ? 0 : -dm_task_get_errno(task);
	dm_udev_wait(cookie);
	return rc;
}

/* The one of its name. 1: it is this one; 0: there is none; -EADDRINUSE: it is another one. */
static int is_there(const struct dm *dm)
{
	_cleanup_(cleanup_task) struct dm_task *task = dm_task_create(DM_DEVICE_INFO);
	struct dm_info info;

	if (!task || !dm_task_set_name(task, dm->name))
		return -ENOMEM;
	if (!dm_task_run(task))
		return dm_task_get_errno(task) == ENXIO ? 0 : -dm_task_get_errno(task);
	if (!dm_task_get_info(task, &info))
		return -EIO;
	if (!info.exists)
		return 0;
	return strcmp(dm_task_get_uuid(task), dm->uuid) == 0 ? 1 : -EADDRINUSE;
}

/* A cache writes back what only it has: admin-guide/device-mapper/writecache.rst, message "flush". */
static int write_back(const struct dm *dm)
{
	array_each(target, &dm->targets) {
		_cleanup_(cleanup_task) struct dm_task *task = NULL;

		if (strcmp(target->type, "writecache") != 0)
			continue;
		task = dm_task_create(DM_DEVICE_TARGET_MSG);
		if (!task || !dm_task_set_name(task, dm->name) || !dm_task_set_sector(task, target->start) ||
		    !dm_task_set_message(task, "flush"))
			return -ENOMEM;
		if (!dm_task_run(task))
			return -dm_task_get_errno(task);
	}
	return 0;
}

static int remove_it(const struct dm *dm)
{
	_cleanup_(cleanup_task) struct dm_task *task = dm_task_create(DM_DEVICE_REMOVE);

	/* again for a while: udev opens whatever was just closed after writing */
	if (!task || !dm_task_set_name(task, dm->name) || !dm_task_retry_remove(task))
		return -ENOMEM;
	return run(task);
}

int dm_remove(void *argument, int *none)
{
	const struct holder *stack = argument;
	char node[32];
	int fd, rc;

	(void)none;
	if (!devmapper_is_there())
		return -ENOSYS;
	prepare();
	rc = is_there(&stack->dm);
	if (rc != 1)
		return rc == 0 ? 1 : rc;
	snprintf(node, sizeof(node), "dm-%u", minor(stack->dev));
	/* refused while it has a file system, a table or swap on it */
	fd = effects_open_block(node, stack->dev, O_RDONLY | O_EXCL);
	if (fd < 0)
		return fd;
	rc = fsync(fd) < 0 ? -errno : write_back(&stack->dm);
	close(fd);
	return rc < 0 ? rc : remove_it(&stack->dm);
}

/* With the number that it had, if that is free. */
static int create(const struct holder *stack, bool numbered)
{
	_cleanup_(cleanup_task) struct dm_task *task = dm_task_create(DM_DEVICE_CREATE);
	const struct dm *dm = &stack->dm;

	if (!task || !dm_task_set_name(task, dm->name) || (*dm->uuid && !dm_task_set_uuid(task, dm->uuid)) ||
	    (dm->read_only && !dm_task_set_ro(task)))
		return -ENOMEM;
	if (numbered &&
	    (!dm_task_set_major(task, (int)major(stack->dev)) || !dm_task_set_minor(task, (int)minor(stack->dev))))
		return -ENOMEM;
	array_each(target, &dm->targets)
		if (!dm_task_add_target(task, target->start, target->length, target->type, target->params))
			return -ENOMEM;
	return run(task);
}

int dm_create(void *argument, int *none)
{
	const struct holder *stack = argument;
	int rc;

	(void)none;
	if (!devmapper_is_there())
		return -ENOSYS;
	prepare();
	/* the volume manager may have been quicker */
	rc = is_there(&stack->dm);
	if (rc != 0)
		return rc;
	rc = create(stack, true);
	return rc == -EBUSY ? create(stack, false) : rc;
}
#endif
