// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/steps/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "retire/holders/holders.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

static const struct step_kind *const kinds[STEP_TYPES] = {
	[STEP_TERMINATE] = &step_terminate,
	[STEP_GRACE] = &step_grace,
	[STEP_FREEZE] = &step_freeze,
	[STEP_FLUSH] = &step_flush,
	[STEP_KILL] = &step_kill,
	[STEP_THAW] = &step_thaw,
	[STEP_AWAIT_EXIT] = &step_await_exit,
	[STEP_WITHDRAW] = &step_withdraw,
	[STEP_FORESEE] = &step_foresee,
	[STEP_SWAP_OFF] = &step_swap_off,
	[STEP_OFFLINE] = &step_offline,
	[STEP_UNMOUNT] = &step_unmount,
	[STEP_DM_REMOVE] = &step_dm_remove,
	[STEP_MD_STOP] = &step_md_stop,
	[STEP_LOOP_DETACH] = &step_loop_detach,
	[STEP_CLAIM] = &step_claim,
	[STEP_REFERENCES] = &step_references,
	[STEP_UNBIND] = &step_unbind,
	[STEP_DECOMMIT] = &step_decommit,
	[STEP_ERASE] = &step_erase,
	[STEP_POWER_OFF] = &step_power_off,
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

/* The number of a node or, of a file, of the file system that it is on. */
static bool is_in(const struct look *look, int device, const struct stat *found)
{
	const struct holder *place, *filesystem = NULL;
	int whole = -1;

	if (!S_ISBLK(found->st_mode))
		filesystem = look_filesystem(look, found->st_dev);
	if (filesystem)
		return filesystem->device == device;
	place = look_place(look, S_ISBLK(found->st_mode) ? found->st_rdev : found->st_dev, &whole);
	return place ? place->device == device : whole == device;
}

/* What stands on the device may have been put up since the look. */
bool step_is_on(const struct execution *execution, int device, const struct stat *found)
{
	_cleanup_(look_free) struct look now = { 0 };

	if (is_in(execution->look, device, found))
		return true;
	return look_copy_devices(execution->look, &now) == 0 &&
	       execution->find_holders(execution->root, &now, NULL) == 0 && is_in(&now, device, found);
}

/* In place of *path, where the open file really is. */
static int take_real_path(int fd, char **path)
{
	char link[64], real[PATH_MAX];
	ssize_t length;
	char *copy;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, real, sizeof(real) - 1);
	if (length < 0)
		return -errno;
	real[length] = '\0';
	copy = strdup(real);
	if (!copy)
		return -ENOMEM;
	free(*path);
	*path = copy;
	return 0;
}

/* No link at all, or one such as udev makes: "../dm-0", to a node in the directories of its own path. */
static bool leads_straight(int root, const char *path, const struct stat *found)
{
	const char *slash = strrchr(path, '/'), *name;
	char target[64], whole[PATH_MAX];
	struct stat st;
	ssize_t length = readlinkat(root, path + 1, target, sizeof(target) - 1);

	if (length < 0 || (size_t)length == sizeof(target) - 1)
		return length < 0 && errno == EINVAL;
	target[length] = '\0';
	for (name = target; starts_with(name, "../");)
		name += strlen("../");
	if (strchr(name, '/') ||
	    snprintf(whole, sizeof(whole), "%.*s/%s", (int)(slash - path), path, target) >= (int)sizeof(whole))
		return false;
	return fstatat(root, whole + 1, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == found->st_dev &&
	       st.st_ino == found->st_ino;
}

/* Is it root alone who can say what is found by this path? */
static bool is_by_root(int root, const char *path, const struct stat *found)
{
	for (const char *end = path; (end = strchr(end + 1, '/'));) {
		_cleanup_free_ char *directory = strndup(path + 1, (size_t)(end - path) - 1);
		struct stat st;

		if (!directory || fstatat(root, directory, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode) ||
		    st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)))
			return false;
	}
	return leads_straight(root, path, found);
}

int step_check_source(const struct execution *execution, const struct captured *captured, bool file, dev_t dev,
		      char **path, struct err *err)
{
	_cleanup_close_ int fd = -1;
	struct stat found;
	char text[256];
	int rc = 0;

	printable(*path, text, sizeof(text));
	if (!is_plain_path(*path))
		return err_set(err, -EPERM, "%s is no path of a device or file", text);
	fd = openat(execution->root->fd, *path + 1, O_PATH | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &found) < 0)
		return err_errno(err, -errno, "%s", text);
	if (!(file ? S_ISREG(found.st_mode) || S_ISDIR(found.st_mode) : S_ISBLK(found.st_mode)) ||
	    !step_is_on(execution, captured->device, &found))
		return err_set(err, -EPERM, "%s is not on %s", text,
			       execution->look->devices.items[captured->device].name);
	/* numbers of major 0 are the kernel's, anew with each mount */
	if (major(dev) && dev != found.st_rdev)
		return err_set(err, -EPERM, "%s has another device number", text);
	/* a name such as /dev/mapper/a-b stays; a recorded tree is not where effects are done */
	if (!execution->root->recorded && !is_by_root(execution->root->fd, *path, &found))
		rc = take_real_path(fd, path);
	return rc < 0 ? err_errno(err, rc, "%s", text) : 0;
}

int step_check_fstype(const struct execution *execution, const char *fstype, struct err *err)
{
	_cleanup_free_ char *known = NULL;
	char *cursor, *line, text[64];

	if (root_readf(execution->root, 1 << 20, &known, "/proc/filesystems") < 0)
		return 0;
	for (cursor = known; (line = next_field(&cursor, "\n"));)
		if (starts_with(line, "nodev\t") && strcmp(line + strlen("nodev\t"), fstype) == 0)
			return err_set(err, -EPERM, "%s is no file system of a device",
				       printable(fstype, text, sizeof(text)));
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

/* cxl's region0 and the nd region on it; no other two kinds share their names */
static bool is_ambiguous(const struct look *look, const struct device *device)
{
	enum device_type twin = device->type == DEVICE_CXL_REGION ? DEVICE_PMEM_REGION : DEVICE_CXL_REGION;

	if (device->type != DEVICE_CXL_REGION && device->type != DEVICE_PMEM_REGION)
		return false;
	array_each(other, &look->devices)
		if (other->type == twin && strcmp(other->name, device->name) == 0)
			return true;
	return false;
}

static const char *device_subject(const struct look *look, const struct device *device, const char *name,
				  char text[SUBJECT_ROOM])
{
	if (!is_ambiguous(look, device))
		return name;
	snprintf(text, SUBJECT_ROOM, "%s %s", device_bus(device->type), name);
	return text;
}

const char *step_subject(const struct look *look, const struct step *step, char text[SUBJECT_ROOM])
{
	const struct holder *holder = look_holder(look, step->holder);
	const struct device *device = &look->devices.items[step->device];

	if (step->type == STEP_GRACE)
		return "processes";
	if (step->type == STEP_UNBIND)
		return device_subject(look, device, device->driver_device ? device->driver_device : device->name,
				      text);
	if (step->type == STEP_POWER_OFF && device->cxl.host)
		return device->cxl.host;
	if (holder && holder_is_filesystem(holder))
		return filesystem_name(look, holder);
	if (holder)
		return holder->name;
	return device->blockdev ? device->blockdev : device_subject(look, device, device->name, text);
}

struct deadline step_deadline(const struct execution *execution, uint64_t ms)
{
	return deadline_sooner(execution->deadline, deadline_in(ms));
}

int step_unseen(const struct execution *execution, const char *why, struct err *err)
{
	_cleanup_free_ char *likely = holders_likely(execution->root);

	return err_set(err, -EBUSY, "busy, though %s%s%s", why, likely ? "; likely: " : "", likely ? likely : "");
}
