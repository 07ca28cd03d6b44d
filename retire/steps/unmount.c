// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unmounting: never while frozen (umount would succeed and leave a superblock
 * that nothing can thaw), the inner mount first, each in its own namespace.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "retire/capture.h"
#include "retire/holders/holders.h"
#include "retire/steps/steps.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

/* The file system that the mount shows: a foreign one has none among ours. */
static const struct holder *filesystem_of(const struct look *look, const struct holder *mount)
{
	return mount->mount.foreign ? NULL : look_filesystem(look, mount->mount.dev);
}

static int keep(struct execution *execution, uint64_t id, int fd)
{
	struct kept_mount *kept;

	if (fd < 0)
		return 0;
	kept = array_add(&execution->kept);
	if (!kept) {
		close(fd);
		return -ENOMEM;
	}
	*kept = (struct kept_mount){ id, fd };
	return 0;
}

static int take_kept(struct execution *execution, uint64_t id)
{
	array_each(kept, &execution->kept)
		if (kept->id == id)
			return take_fd(&kept->fd);
	return -1;
}

static int pause_ms(struct execution *execution, uint64_t ms)
{
	return wait_readable(-1, execution->effects->interrupt, step_deadline(execution, ms));
}

static int call_unmount(struct execution *execution, const struct holder *mount, int *kept, struct err *err)
{
	return execution->effects->unmount(execution->effects, &mount->mount,
					   execution->look->namespaces.items[mount->mount.ns].fd, kept,
					   step_deadline(execution, 30000), err);
}

/*
 * Busy: somebody came after the last look, or a process is still on its way
 * out. Whoever is found is treated as the request says, then it is tried again.
 */
static int unmount_busy(struct execution *execution, const struct step *step, const struct holder *mount,
			int *kept, struct err *err)
{
	const struct holder *filesystem = filesystem_of(execution->look, mount);
	struct step about = { .type = STEP_KILL,
			      .device = step->device,
			      .holder = filesystem ? filesystem->id : 0 };
	struct deadline patience = step_deadline(execution, 10000);
	int rc;

	do {
		rc = filesystem ? evict_again(execution, &about, patience, err) : 0;
		if (rc < 0)
			return rc;
		if (pause_ms(execution, 100) == -EINTR)
			return err_set(err, -EINTR, "interrupted by a signal");
		rc = call_unmount(execution, mount, kept, err);
	} while (rc == -EBUSY && !deadline_passed(patience));
	if (rc == -EBUSY)
		return step_unseen(execution,
				   "no process is seen using it: a descriptor in flight, or the kernel "
				   "(nfsd, loop, a storage target), may hold it",
				   err);
	return rc;
}

static int unmount(struct execution *execution, const struct step *step, const struct holder *mount,
		   struct err *err)
{
	int kept = -1, rc, stored;

	rc = call_unmount(execution, mount, &kept, err);
	if (rc == -EBUSY)
		rc = unmount_busy(execution, step, mount, &kept, err);
	if (rc == -EINVAL && execution->look->namespaces.items[mount->mount.ns].less_privileged)
		return err_set(
			err, rc,
			"its mount namespace belongs to a less privileged user, where it is locked: it ends "
			"with the last process of that namespace");
	if (rc == -ESTALE)
		return err_set(err, rc, "something else is mounted over it: unmount that first");
	stored = keep(execution, mount->mount.id, kept);
	return rc < 0 ? rc : stored < 0 ? stored : rc;
}

static int apply_unmount(struct execution *execution, const struct step *step, struct step_record *record,
			 struct err *err)
{
	const struct holder *mount = look_holder(execution->look, step->holder);
	int rc = 0;

	(void)record;
	if (!mount->mount.foreign)
		rc = files_close(execution, mount->mount.dev, err);
	return rc < 0 ? rc : unmount(execution, step, mount, err);
}

static struct json_object *capture_unmount(const struct execution *execution, const struct step *step)
{
	return capture_mount(execution->look, look_holder(execution->look, step->holder));
}

/* What is told as lost is not looked for afterwards. */
static int lost(struct execution *execution, const struct captured *captured, const struct mount *mount,
		const char *reason)
{
	result_add_loss_once(execution->result, "mount", mount->point, reason);
	put_bool(captured->memo, "lost", true);
	return 1;
}

/* Numbers of major 0 are the kernel's, anew with each mount. */
static bool is_same_filesystem(const struct mount *now, const struct mount *was)
{
	if (major(now->dev) || major(was->dev))
		return now->dev == was->dev;
	return strcmp(now->fstype, was->fstype) == 0 && strcmp(now->source, was->source) == 0;
}

static const struct holder *find_again(const struct look *now, const struct captured_mount *was)
{
	array_each(holder, &now->holders)
		if (holder->type == HOLDER_MOUNT && is_same_filesystem(&holder->mount, &was->mount) &&
		    strcmp(holder->mount.point, was->mount.point) == 0 &&
		    strcmp(holder->mount.root, was->mount.root) == 0 &&
		    holder->mount.ns == look_namespace(now, &was->ns))
			return holder;
	return NULL;
}

/* It was never unmounted: the step failed, or was cut before. What it is in was put back before it. */
static bool is_still_there(const struct execution *execution, const struct captured_mount *was)
{
	_cleanup_(look_free) struct look now = { 0 };

	return look_copy_devices(execution->look, &now) == 0 &&
	       execution->find_holders(execution->root, &now, NULL) == 0 && find_again(&now, was);
}

/*
 * Where the mount was. Inode numbers are given anew: long after, one alone does
 * not tell a namespace, and after a boot nothing does but that it is the
 * initial one. Somebody else's must not get a mount of ours.
 */
static int find_namespace(const struct execution *execution, const struct mount_namespace *was)
{
	const struct process anchor = { .pid = was->pid, .starttime = was->starttime };

	if (!was->initial && execution->other_boot)
		return -1;
	if (!was->initial && execution->long_after && !was->unique &&
	    !(was->pid && holders_process_lives(execution->root, &anchor)))
		return -1;
	return look_namespace(execution->look, was);
}

/* It has no disk any more, or only a dead one. */
static bool is_gone(const struct execution *execution, const struct captured *captured)
{
	const struct device *device = &execution->look->devices.items[captured->device];

	return device->gone || !device->dev;
}

/* Options that name where a part of a file system is; a kernel takes none that is not its own. */
static const char *const part_options[] = { "logdev=", "rtdev=", "journal_path=" };

/* Of a file system that is elsewhere, and has a part on the device. */
static int check_part(const struct execution *execution, const struct captured *captured,
		      const struct mount *mount)
{
	for (size_t i = 0; i < COUNT_OF(part_options); i++) {
		_cleanup_free_ char *path = option_value(mount->super_options, part_options[i]);

		if (path && step_check_source(execution, captured, false, 0, &path, NULL) == 0)
			return 0;
	}
	return -EPERM;
}

static int check_source(const struct execution *execution, const struct captured *captured, struct mount *mount,
			struct err *err)
{
	int rc = step_check_source(execution, captured, false, mount->dev, &mount->source, err);

	return rc == -EPERM && check_part(execution, captured, mount) == 0 ? 0 : rc;
}

/* A clone is what it is, whatever a journal says; all else is looked at before it is mounted. */
static int check_mount(const struct execution *execution, const struct captured *captured, struct mount *mount,
		       int ns, struct err *err)
{
	int rc;

	if (strcmp(mount->fstype, "overlay") == 0)
		return step_check_layers(execution, captured, mount, ns, err);
	rc = check_source(execution, captured, mount, err);
	return rc < 0 ? rc : step_check_fstype(execution, mount->fstype, err);
}

static int mount_again(struct execution *execution, const struct captured *captured, struct captured_mount *was,
		       int kept, struct err *err)
{
	int ns = find_namespace(execution, &was->ns), rc = 0;
	const char *why = mount_why_once(&was->mount);

	if (was->pinned || ns < 0 || execution->look->namespaces.items[ns].fd < 0)
		return lost(execution, captured, &was->mount, "its mount namespace ended");
	/* without a device nothing is left that could be mounted */
	if (is_gone(execution, captured) && !was->mount.foreign)
		return lost(execution, captured, &was->mount, "its device is gone");
	/* without its ids everybody's files would be somebody else's */
	if (why && kept < 0)
		return is_still_there(execution, was) ? 1 : lost(execution, captured, &was->mount, why);
	/* what it is on was none of ours, nor is it known here any more */
	if (was->mount.foreign && kept < 0)
		return is_still_there(execution, was) ? 1
						      : lost(execution, captured, &was->mount,
							     "not of the device: mount it again by hand");
	if (execution->recovering && kept < 0)
		rc = check_mount(execution, captured, &was->mount, execution->look->namespaces.items[ns].fd, err);
	return rc < 0 ? rc
		      : execution->effects->mount(execution->effects, &was->mount,
						  execution->look->namespaces.items[ns].fd, kept,
						  step_deadline(execution, 30000), err);
}

static int undo_unmount(struct execution *execution, const struct captured *captured, struct err *err)
{
	_cleanup_close_ int kept = -1;
	struct captured_mount was;
	int rc = captured_mount(captured->memo, &was);

	if (rc < 0)
		return err_errno(err, rc, "its journal does not say how it was mounted");
	kept = take_kept(execution, was.mount.id);
	if (kept < 0 && was.mount.foreign)
		kept = execution->effects->find_kept(execution->effects, &was.mount);
	rc = mount_again(execution, captured, &was, kept, err);
	mount_free(&was.mount);
	return rc;
}

static int verify_unmount(const struct look *now, const struct captured *captured, struct err *err)
{
	const struct holder *found;
	struct captured_mount was;
	int rc = captured_mount(captured->memo, &was);

	if (rc < 0)
		return err_set(err, 0, "its journal does not say how it was mounted");
	found = find_again(now, &was);
	if (found)
		rc = strcmp(found->mount.options, was.mount.options) == 0 ||
		     err_set(err, 0, "it is mounted with %s, not %s", found->mount.options, was.mount.options);
	else
		/* a foreign one is seen only below one of ours; and what is lost is told as lost */
		rc = was.pinned || was.mount.foreign || bool_of(captured->memo, "lost") ||
		     look_namespace(now, &was.ns) < 0 || err_set(err, 0, "it is not mounted");
	mount_free(&was.mount);
	return rc;
}

static int apply_swap_off(struct execution *execution, const struct step *step, struct step_record *record,
			  struct err *err)
{
	const struct holder *swap = look_holder(execution->look, step->holder);

	(void)record;
	return execution->effects->swap_off(execution->effects, &swap->swap, execution->deadline, err);
}

static struct json_object *capture_swap_off(const struct execution *execution, const struct step *step)
{
	return capture_swap(&look_holder(execution->look, step->holder)->swap);
}

static int undo_swap_off(struct execution *execution, const struct captured *captured, struct err *err)
{
	struct swap was;
	int rc = captured_swap(captured->memo, &was);

	if (rc < 0)
		return err_errno(err, rc, "its journal does not say which swap area");
	if (is_gone(execution, captured)) {
		result_add_loss_once(execution->result, "swap", was.path, "its device is gone");
		free(was.path);
		return 1;
	}
	if (execution->recovering)
		rc = step_check_source(execution, captured, was.file, 0, &was.path, err);
	if (rc == 0)
		rc = execution->effects->swap_on(execution->effects, &was, execution->deadline, err);
	free(was.path);
	return rc;
}

static int verify_swap_off(const struct look *now, const struct captured *captured, struct err *err)
{
	struct swap was;
	int rc = captured_swap(captured->memo, &was);

	if (rc < 0)
		return err_set(err, 0, "its journal does not say which swap area");
	rc = err_set(err, 0, "it is not in use");
	array_each(holder, &now->holders)
		if (holder->type == HOLDER_SWAP && strcmp(holder->swap.path, was.path) == 0)
			/* a priority below 0 is the kernel's own choice, a new one each time */
			rc = holder->swap.priority == was.priority || was.priority < 0 ||
			     err_set(err, 0, "its priority is %d, not %d", holder->swap.priority, was.priority);
	free(was.path);
	return rc;
}

/* The device has come back with a new number. "dm-3" is then whichever has that number now, not what it was. */
static int restore_mount(struct execution *execution, const struct captured *captured, struct err *err)
{
	const char *source = text_of(captured->memo, "source");
	struct stat found;

	if (source && !starts_with(source, "/dev/dm-") &&
	    fstatat(execution->root->fd, source + strspn(source, "/"), &found, 0) == 0 && S_ISBLK(found.st_mode) &&
	    !bool_of(captured->memo, "foreign"))
		put_dev(captured->memo, "number", found.st_rdev);
	return undo_unmount(execution, captured, err);
}

const struct step_kind step_unmount = {
	STEP_UNMOUNT, capture_unmount, apply_unmount, undo_unmount, verify_unmount, restore_mount,
};
const struct step_kind step_swap_off = {
	STEP_SWAP_OFF, capture_swap_off, apply_swap_off, undo_swap_off, verify_swap_off, undo_swap_off,
};
