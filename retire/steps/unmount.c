// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unmounting: never while frozen (umount would succeed and leave a superblock
 * that nothing can thaw), the inner mount first, each in its own namespace.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "retire/steps/steps.h"
#include "util/cleanup.h"

/* The file system that the mount shows: a foreign one has none among ours. */
static const struct holder *filesystem_of(const struct look *look, const struct holder *mount)
{
	return mount->mount.foreign ? NULL : look_filesystem(look, mount->mount.dev);
}

static int keep(struct execution *execution, int holder, int fd)
{
	struct kept_mount *kept;

	if (fd < 0)
		return 0;
	kept = array_add(&execution->kept);
	if (!kept) {
		close(fd);
		return -ENOMEM;
	}
	*kept = (struct kept_mount){ holder, fd };
	return 0;
}

static int take_kept(struct execution *execution, int holder)
{
	array_each(kept, &execution->kept)
		if (kept->holder == holder)
			return take_fd(&kept->fd);
	return -1;
}

static int pause_ms(struct execution *execution, uint64_t ms)
{
	return wait_readable(-1, execution->effects->interrupt, step_deadline(execution, ms));
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
		rc = execution->effects->unmount(execution->effects, execution->look, mount, kept,
						 step_deadline(execution, 30000), err);
	} while (rc == -EBUSY && !deadline_passed(patience));
	if (rc == -EBUSY)
		return err_set(err, rc,
			       "busy, though no process is seen using it: a descriptor in flight, or the kernel "
			       "(nfsd, loop, a storage target), may hold it");
	return rc;
}

static int unmount(struct execution *execution, const struct step *step, const struct holder *mount,
		   struct err *err)
{
	int kept = -1, rc, stored;

	rc = execution->effects->unmount(execution->effects, execution->look, mount, &kept,
					 step_deadline(execution, 30000), err);
	if (rc == -EBUSY)
		rc = unmount_busy(execution, step, mount, &kept, err);
	if (rc == -EINVAL && execution->look->namespaces.items[mount->mount.ns].less_privileged)
		return err_set(
			err, rc,
			"its mount namespace belongs to a less privileged user, where it is locked: it ends "
			"with the last process of that namespace");
	if (rc == -ESTALE)
		return err_set(err, rc, "something else is mounted over it: unmount that first");
	stored = keep(execution, mount->id, kept);
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

static int undo_unmount(struct execution *execution, const struct step *step, struct err *err)
{
	const struct holder *mount = look_holder(execution->look, step->holder);
	_cleanup_close_ int kept = take_kept(execution, mount->id);

	/* without a device nothing is left that could be mounted */
	if (execution->look->devices.items[mount->device].gone && !mount->mount.foreign) {
		result_add_loss(execution->result, "mount", mount->name, "its device is gone");
		return 1;
	}
	return execution->effects->mount(execution->effects, execution->look, mount, kept,
					 step_deadline(execution, 30000), err);
}

static int apply_swap_off(struct execution *execution, const struct step *step, struct step_record *record,
			  struct err *err)
{
	const struct holder *swap = look_holder(execution->look, step->holder);

	(void)record;
	return execution->effects->swap_off(execution->effects, &swap->swap, execution->deadline, err);
}

static int undo_swap_off(struct execution *execution, const struct step *step, struct err *err)
{
	const struct holder *swap = look_holder(execution->look, step->holder);

	return execution->effects->swap_on(execution->effects, &swap->swap, execution->deadline, err);
}

const struct step_kind step_unmount = { STEP_UNMOUNT, apply_unmount, undo_unmount };
const struct step_kind step_swap_off = { STEP_SWAP_OFF, apply_swap_off, undo_swap_off };
