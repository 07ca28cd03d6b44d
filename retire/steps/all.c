// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/steps/steps.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "util/root.h"

static const struct step_kind *const kinds[STEP_TYPES] = {
	[STEP_TERMINATE] = &step_terminate,   [STEP_GRACE] = &step_grace,	[STEP_FREEZE] = &step_freeze,
	[STEP_FLUSH] = &step_flush,	      [STEP_KILL] = &step_kill,		[STEP_THAW] = &step_thaw,
	[STEP_AWAIT_EXIT] = &step_await_exit, [STEP_SWAP_OFF] = &step_swap_off, [STEP_UNMOUNT] = &step_unmount,
	[STEP_CLAIM] = &step_claim,	      [STEP_UNBIND] = &step_unbind,
};

const struct step_kind *step_kind(enum step_type type)
{
	return kinds[type];
}

struct json_object *step_capture_nothing(const struct execution *execution, const struct step *step)
{
	(void)execution;
	(void)step;
	errno = 0;
	return NULL;
}

int step_undo_nothing(struct execution *execution, const struct captured *captured, struct err *err)
{
	(void)execution;
	(void)captured;
	(void)err;
	return 1;
}

int step_verify_nothing(const struct look *now, const struct captured *captured, struct err *err)
{
	(void)now;
	(void)captured;
	(void)err;
	return 1;
}

int step_check_source(const struct execution *execution, const struct captured *captured, const char *path,
		      struct err *err)
{
	struct stat found;
	int device = -1;
	const struct holder *place;

	if (fstatat(execution->root->fd, path + strspn(path, "/"), &found, 0) < 0)
		return err_errno(err, -errno, "%s", path);
	place = look_place(execution->look, S_ISBLK(found.st_mode) ? found.st_rdev : found.st_dev, &device);
	if (place)
		device = place->device;
	if (device != captured->device)
		return err_set(err, -EPERM, "%s is not on %s", path,
			       execution->look->devices.items[captured->device].name);
	return 0;
}

/* A file system is known to people by where it is mounted. */
static const char *filesystem_name(const struct look *look, const struct holder *filesystem)
{
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_MOUNT && holder->on == filesystem->id && !holder->mount.foreign)
			return holder->mount.point;
	return look_on_name(look, filesystem);
}

const char *step_subject(const struct look *look, const struct step *step)
{
	const struct holder *holder = look_holder(look, step->holder);
	const struct device *device = &look->devices.items[step->device];

	if (step->type == STEP_GRACE)
		return "processes";
	if (step->type == STEP_UNBIND)
		return device->driver_device ? device->driver_device : device->name;
	if (holder && holder->type == HOLDER_FILESYSTEM)
		return filesystem_name(look, holder);
	if (holder)
		return holder->name;
	return device->blockdev ? device->blockdev : device->name;
}

struct deadline step_deadline(const struct execution *execution, uint64_t ms)
{
	return deadline_sooner(execution->deadline, deadline_in(ms));
}
