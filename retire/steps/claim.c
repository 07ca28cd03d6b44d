// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The claim is the proof: an exclusive open of the whole disk succeeds only
 * when no superblock, dm table, swap area or partition user is left, seen or
 * unseen (block/bdev.c:bd_may_claim()). It is held across the unbind, so that
 * nobody slips in.
 */
#include <errno.h>
#include <string.h>

#include "retire/holders/holders.h"
#include "retire/steps/steps.h"
#include "util/cleanup.h"

/*
 * A superblock goes a moment after its last umount or its last process: the
 * claim is tried again for a while before it counts as refused.
 */
static int claim_patiently(struct execution *execution, const struct device *device, int *fd, struct err *err)
{
	struct deadline patience = step_deadline(execution, 5000);
	int rc;

	for (;;) {
		rc = execution->effects->claim(execution->effects, device, fd, err);
		if (rc != -EBUSY || deadline_passed(patience))
			return rc;
		if (wait_readable(-1, execution->effects->interrupt, step_deadline(execution, 50)) == -EINTR)
			return err_set(err, -EINTR, "interrupted by a signal");
	}
}

/* On 6.1 and 6.12 the last umount says so, once a boot, when a page is still referenced: fs/dax.c. */
static int check_log(struct execution *execution, struct err *err)
{
	_cleanup_free_ char *line = NULL;

	if (kernel_log_find(&execution->log, KERNEL_LOG_PINNED, &line) <= 0)
		return 0;
	return err_set(err, -EBUSY, "a page of it is still referenced by what the kernel does not show (%s)",
		       line);
}

/* Whoever just opens the node: no claim keeps them out, and a character device has none. */
static int nobody_came(struct execution *execution, int device, struct err *err)
{
	const struct step raw = { .type = STEP_KILL, .device = device };

	return evict_again(execution, &raw, step_deadline(execution, 10000), err);
}

static int apply_claim(struct execution *execution, const struct step *step, struct step_record *record,
		       struct err *err)
{
	const struct device *device = &execution->look->devices.items[step->device];
	int *fd = &execution->claims[step->device], rc = 0;

	(void)record;
	if (device->system_ram)
		return memory_stays_offline(execution, step->device, execution->deadline, err);
	if (device->mode == MODE_DEVDAX)
		return nobody_came(execution, step->device, err);
	array_each(holder, &execution->look->holders)
		if (rc == 0 && holder_is_filesystem(holder) && holder->device == step->device)
			rc = files_close(execution, holder->dev, err);
	look_release_pinned(execution->look, step->device);
	if (rc == 0)
		rc = claim_patiently(execution, device, fd, err);
	if (rc == -EBUSY)
		return step_unseen(execution,
				   "no mount and no process is seen: a mount namespace or a descriptor "
				   "in flight may keep a file system alive, or a driver of the kernel has "
				   "claimed it (bcache, drbd, zram, zfs, a storage target)",
				   err);
	/* what was written through the block device itself */
	if (rc == 0)
		rc = execution->effects->flush(execution->effects, *fd, step_deadline(execution, 30000), err);
	if (rc == 0)
		rc = nobody_came(execution, step->device, err);
	return rc < 0 ? rc : check_log(execution, err);
}

static int undo_claim(struct execution *execution, const struct captured *captured, struct err *err)
{
	int *fd = &execution->claims[captured->device];

	(void)err;
	cleanup_close(fd);
	*fd = -1;
	return 0;
}

const struct step_kind step_claim = { STEP_CLAIM, step_capture_nothing, apply_claim, undo_claim,
				      step_verify_nothing };
