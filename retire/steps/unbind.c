// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The one step that cannot be undone. The kernel never says that an unbind
 * failed, so the answer is read back.
 */
#include <errno.h>
#include <string.h>

#include "retire/steps/steps.h"
#include "util/cleanup.h"

/* What an unbind may take at most; after the commit there is no way back, only waiting. */
enum { UNBIND_MS = 60000 };

static enum notify notify_of(const struct execution *execution, const struct step *step)
{
	/* a file system is on a namespace, never on a region or a memdev */
	if (!device_has_users(execution->look->devices.items[step->device].type))
		return NOTIFY_NONE;
	if (execution->kernel->facts[KERNEL_PRE_REMOVE] != ANSWER_YES)
		return NOTIFY_UNSUPPORTED;
	return step->while_mounted ? NOTIFY_SENT : NOTIFY_NOT_NEEDED;
}

/* After a mounted unbind the file system is shut down but still there: its mounts go, the inner first. */
static void unmount_dead(struct execution *execution, int device)
{
	const struct look *look = execution->look;

	for (size_t i = look->holders.count; i-- > 0;) {
		const struct holder *holder = &look->holders.items[i];
		struct deadline patience = deadline_in(5000);
		int rc = -EBUSY;

		while (holder->type == HOLDER_MOUNT && holder->device == device && rc == -EBUSY &&
		       !deadline_passed(patience)) {
			rc = execution->effects->unmount(execution->effects, &holder->mount,
							 look->namespaces.items[holder->mount.ns].fd, NULL,
							 deadline_in(10000), NULL);
			if (rc == -EBUSY)
				wait_readable(-1, -1, deadline_in(100));
		}
	}
}

/*
 * Nothing keeps anybody from opening a character device after the claim: what
 * they reference by now is found, and not pulled away from under them.
 */
static int check_unclaimed(struct execution *execution, const struct step *step, struct err *err)
{
	const struct device *device = &execution->look->devices.items[step->device];
	int rc = 0;

	if (device->mode == MODE_DEVDAX && device_has_pages(device))
		rc = references_gone(execution, step->device, -1, NULL, err);
	return rc < 0 ? rc : 0;
}

static int apply_unbind(struct execution *execution, const struct step *step, struct step_record *record,
			struct err *err)
{
	const struct device *device = &execution->look->devices.items[step->device];
	int rc = 0;

	array_each(holder, &execution->look->holders)
		if (step->while_mounted && holder->type == HOLDER_FILESYSTEM && holder->device == step->device)
			rc = rc < 0 ? rc : files_close(execution, holder->dev, err);
	rc = rc < 0 ? rc : check_unclaimed(execution, step, err);
	if (rc >= 0 && device->system_ram)
		rc = memory_stays_offline(execution, step->device, deadline_in(UNBIND_MS), err);
	if (rc < 0)
		return rc;
	rc = execution->effects->disable(execution->effects, device, deadline_in(UNBIND_MS), err);
	cleanup_close(&execution->claims[step->device]);
	execution->claims[step->device] = -1;
	record->notify = notify_of(execution, step);
	if (rc == 0 && step->while_mounted) {
		unmount_dead(execution, step->device);
		/* a namespace whose last process the kernel has ended goes when we let go of it, too */
		look_release_pinned(execution->look, step->device);
	}
	return rc;
}

/* From the captured device, which is what execution->look has of it. */
static int restore_device(struct execution *execution, const struct captured *captured, struct err *err)
{
	return execution->effects->enable(execution->effects, &execution->look->devices.items[captured->device],
					  step_deadline(execution, UNBIND_MS), err);
}

const struct step_kind step_unbind = {
	STEP_UNBIND, step_capture_nothing, apply_unbind, NULL, step_verify_nothing, restore_device,
};
