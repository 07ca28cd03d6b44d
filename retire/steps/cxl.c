// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is done to CXL devices when no driver has them any more, from the top
 * down: decoders of a region, the region, the power of a card. None can be undone;
 * `restore` makes them again. What stands above is read again by each, right
 * before it writes: targets/cxl.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "retire/steps/steps.h"

/* What the kernel may take for caches, a link, a driver. */
enum { CHANGE_MS = 60000 };

/* What the answers mean, of which the kernel says no more than the number; CXL_CHANGES: whatever was done. */
static const struct {
	enum cxl_change change;
	int error;
	const char *why;
} answers[] = {
	{ CXL_CHANGES, -EADDRINUSE,
	  "what stands on it has not gone, or is back: a driver has it, or memory at its addresses is online" },
	{ CXL_CHANGES, -ESTALE,
	  "it is not the one that it was: another card, another size, or another place on the card" },
	{ CXL_DECOMMIT, -ENXIO,
	  "the kernel cannot flush the caches of the processors here, as in a virtual machine: nothing uses "
	  "it any more, but its decoders stay programmed until a reboot" },
	{ CXL_DECOMMIT, -EPERM, "firmware has locked it" },
	{ CXL_DECOMMIT, -EBUSY,
	  "a decoder that was committed after it on one of its cards is in use, and this kernel resets them "
	  "in that order only" },
	{ CXL_COMMIT, -ENXIO,
	  "the kernel cannot flush the caches of the processors here, as in a virtual machine, or a card of "
	  "it is not where the root decoder leads to" },
	{ CXL_COMMIT, -ENODEV, "a card of it is not there, or has no driver" },
	{ CXL_COMMIT, -ENOSPC, "a card of it has no free decoder, or no room where it was" },
	{ CXL_COMMIT, -EBUSY,
	  "a decoder before it on one of its cards is not committed, or another region is there now" },
	{ CXL_COMMIT, -EEXIST, "its name is taken" },
	{ CXL_POWER_OFF, -ENOTUNIQ, "another PCI function is in its slot, and would lose its power, too" },
	{ CXL_POWER_OFF, -EPERM, "what is there is no memory device of CXL" },
	{ CXL_POWER_ON, -EPERM, "something else than a memory device of CXL is there" },
	{ CXL_POWER_ON, -ENODEV, "no card comes up there" },
};

static const char *reason_of(enum cxl_change change, int rc)
{
	for (size_t i = 0; i < COUNT_OF(answers); i++)
		if (answers[i].error == rc && (answers[i].change == change || answers[i].change == CXL_CHANGES))
			return answers[i].why;
	return strerror(-rc);
}

static int change(struct execution *execution, int device, enum cxl_change what, struct deadline deadline,
		  struct err *err)
{
	struct effects *effects = execution->effects;
	const struct device *on = &execution->look->devices.items[device];
	int rc = effects->change(effects, on, what, deadline, err);

	if (rc < 0 && on->cxl.slot)
		return err_set(err, rc, "slot %s: %s", on->cxl.slot, reason_of(what, rc));
	return rc < 0 ? err_set(err, rc, "%s", reason_of(what, rc)) : rc;
}

static int apply_decommit(struct execution *execution, const struct step *step, struct step_record *record,
			  struct err *err)
{
	(void)record;
	return change(execution, step->device, CXL_DECOMMIT, deadline_in(CHANGE_MS), err);
}

static int apply_erase(struct execution *execution, const struct step *step, struct step_record *record,
		       struct err *err)
{
	(void)record;
	return change(execution, step->device, CXL_ERASE, deadline_in(CHANGE_MS), err);
}

static int apply_power_off(struct execution *execution, const struct step *step, struct step_record *record,
			   struct err *err)
{
	(void)record;
	return change(execution, step->device, CXL_POWER_OFF, deadline_in(CHANGE_MS), err);
}

static int restore_region(struct execution *execution, const struct captured *captured, struct err *err)
{
	return change(execution, captured->device, CXL_COMMIT, step_deadline(execution, CHANGE_MS), err);
}

static int restore_power(struct execution *execution, const struct captured *captured, struct err *err)
{
	return change(execution, captured->device, CXL_POWER_ON, step_deadline(execution, CHANGE_MS), err);
}

const struct step_kind step_decommit = {
	STEP_DECOMMIT, step_capture_nothing, apply_decommit, NULL, step_verify_nothing, restore_region,
};

/* What was deleted is made again when its decoders are programmed. */
const struct step_kind step_erase = { STEP_ERASE, step_capture_nothing, apply_erase, NULL, step_verify_nothing };

const struct step_kind step_power_off = {
	STEP_POWER_OFF, step_capture_nothing, apply_power_off, NULL, step_verify_nothing, restore_power,
};
