// SPDX-License-Identifier: GPL-2.0-or-later
/* What stands against taking CXL regions down, and the cards that they are of. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "retire/plan-vetoes.h"

#define MESSAGE 768

static bool is_named(const struct look *look, const struct cxl_target *target)
{
	array_each(device, &look->devices)
		if (device->type == DEVICE_CXL_MEMDEV && target->memdev &&
		    strcmp(target->memdev, device->name) == 0)
			return true;
	return false;
}

enum { SIBLINGS_TOLD = 8 };

/* "mem1, mem2 and 3 more": the cards of the region that stay; and in *named, whether any goes. */
static size_t list_siblings(const struct look *look, const struct cxl *region, bool *named, char *text,
			    size_t size)
{
	size_t count = 0, at = 0;

	*named = false;
	*text = '\0';
	array_each(target, &region->targets) {
		if (is_named(look, target)) {
			*named = true;
			continue;
		}
		if (++count > SIBLINGS_TOLD || at >= size)
			continue;
		at += (size_t)snprintf(text + at, size - at, "%s%s", at ? ", " : "",
				       target->memdev ? target->memdev : "one that is not there");
	}
	if (count > SIBLINGS_TOLD && at < size)
		snprintf(text + at, size - at, " and %zu more", count - SIBLINGS_TOLD);
	return count;
}

/* With one card every region that has a part of it is lost on all of its cards. Who names the region knows that.
 */
static int veto_siblings(struct planning *planning, const struct device *device)
{
	struct veto veto = { .code = "interleave-siblings", .severity = SEVERITY_RISK };
	char message[MESSAGE], siblings[MESSAGE / 2];
	bool named;
	size_t count = list_siblings(planning->look, &device->cxl, &named, siblings, sizeof(siblings));

	if (!count || !named || !device->enabled)
		return 0;
	snprintf(message, sizeof(message),
		 "%s is interleaved over %zu memdevs, and goes on all of them: also on %s; name %s as well, or "
		 "take the risk",
		 device->name, device->cxl.targets.count, siblings, count > 1 ? "these" : "it");
	return plan_add_veto(planning, veto, device->name, message);
}

/* Nothing that could be retired has that memory: no block of it is taken offline, and to tear it down kills. */
static int veto_unowned(struct planning *planning, const struct device *device)
{
	struct veto veto = { .code = "burned", .severity = SEVERITY_CRITICAL };
	char message[MESSAGE];

	if (!device_is_burned(device)) {
		veto.code = "system-ram";
		snprintf(message, sizeof(message),
			 "%s is memory of this system that no dax device has: firmware has given it to the "
			 "kernel, or its dax device was taken away; only a reboot without it gives it back",
			 device->name);
	} else {
		snprintf(message, sizeof(message),
			 "burned: memory of %s was left to the system while it was online, by an unbind or "
			 "because its card was pulled: no driver has it, and only a reboot gives it back; do "
			 "not destroy the region or pull a card of it before",
			 device->name);
	}
	return plan_add_veto(planning, veto, device->name, message);
}

/* Firmware's: drivers/dax/hmem/hmem.c. It is retired by its own name, and is in nobody's way then. */
static int veto_other(struct planning *planning, const struct device *device)
{
	struct veto veto = { .code = "other-dax-device", .severity = SEVERITY_CRITICAL };
	const char *other = device->cxl.other;
	char message[MESSAGE];

	snprintf(message, sizeof(message),
		 "%s has memory of %s, and is on no region of CXL, as what firmware has set apart: retire it "
		 "first, "
		 "with 'daxctl retire-device %s'",
		 other, device->name, other);
	return plan_add_veto(planning, veto, device->name, message);
}

/* By whom its memory is had that no region of the look has. */
static int veto_users(struct planning *planning, const struct device *device)
{
	int rc = device->cxl.unowned ? veto_unowned(planning, device) : 0;

	/* one that is down has its addresses, and nothing at them */
	return rc < 0 || !device->cxl.other || !device->enabled ? rc : veto_other(planning, device);
}

/* drivers/cxl/core/region.c:commit_store() lets its lock go while the driver is taken away. */
static int veto_half_torn(struct planning *planning, const struct device *device)
{
	struct veto veto = { .code = "half-removed", .severity = SEVERITY_CRITICAL };
	char message[MESSAGE];

	snprintf(message, sizeof(message),
		 "somebody is just taking %s down: it has a driver, and its decoders are not committed; wait "
		 "for that to end first, and look at 'dmesg' when it does not",
		 device->name);
	return plan_add_veto(planning, veto, device->name, message);
}

/* Linux 7.2 refuses (CXL_REGION_F_LOCK); before, the decoders simply stay as they are. */
static int veto_locked(struct planning *planning, const struct device *device)
{
	struct veto veto = { .code = "locked", .severity = SEVERITY_RISK };
	char message[MESSAGE];

	if (device->cxl.refuses) {
		veto.severity = SEVERITY_CRITICAL;
		snprintf(message, sizeof(message),
			 "%s was made and locked by firmware, and the kernel does not take it down: unlock it "
			 "in the settings of the firmware first, if these have that",
			 device->name);
	} else {
		snprintf(message, sizeof(message),
			 "firmware has locked decoders of %s: they may stay as they are, and the region cannot "
			 "be made again before a reboot",
			 device->name);
	}
	return plan_add_veto(planning, veto, device->name, message);
}

/* drivers/cxl/core/hdm.c:cxl_decoder_commit(): on each card only the next one in the row. */
static int veto_order(struct planning *planning, const struct device *device)
{
	struct veto veto = { .code = "decoder-order", .severity = SEVERITY_RISK };
	char message[MESSAGE];

	snprintf(message, sizeof(message),
		 "%s was committed after %s on one of its memdevs: %s could not be made again while that is "
		 "there, and old kernels do not reset its decoders; name %s as well, or take the risk",
		 device->cxl.later, device->name, device->name, device->cxl.later);
	return plan_add_veto(planning, veto, device->name, message);
}

int plan_veto_cxl_region(struct planning *planning, int index)
{
	const struct device *device = &planning->look->devices.items[index];
	const struct cxl *cxl = &device->cxl;
	int rc = veto_users(planning, device);

	if (rc == 0 && !cxl->unowned && device->driver && !cxl->committed && cxl_has_cards(cxl))
		rc = veto_half_torn(planning, device);
	if (rc == 0 && cxl->committed && cxl->locked)
		rc = veto_locked(planning, device);
	if (rc == 0 && cxl->committed && cxl->later)
		rc = veto_order(planning, device);
	return rc < 0 ? rc : veto_siblings(planning, device);
}

int plan_veto_cxl_memdev(struct planning *planning, int index)
{
	const struct device *device = &planning->look->devices.items[index];
	struct veto veto = { .code = "no-slot", .severity = SEVERITY_CRITICAL };
	int rc = veto_users(planning, device);
	char message[MESSAGE];

	if (rc < 0 || !planning->request->power_off || device->cxl.slot || device->cxl.absent)
		return rc;
	snprintf(message, sizeof(message),
		 "%s (%s) is in no slot whose power can be switched: retire it without --power-off, and pull "
		 "it by hand as the machine's manual says",
		 device->name, device->cxl.host);
	return plan_add_veto(planning, veto, device->name, message);
}
