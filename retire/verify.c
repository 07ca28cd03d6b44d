// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retire/holders/holders.h"
#include "util/cleanup.h"

#define NOT_BURNED "not-burned"

/* Which holders each check is about. */
static const struct {
	const char *check;
	enum holder_type types[4];
} holder_checks[] = {
	{ "no-mount", { HOLDER_MOUNT, HOLDER_TYPES } },
	{ "no-superblock", { HOLDER_FILESYSTEM, HOLDER_OVERLAY, HOLDER_TYPES } },
	{ "no-swap", { HOLDER_SWAP, HOLDER_TYPES } },
	{ "not-served", { HOLDER_EXPORT, HOLDER_NVME_TARGET, HOLDER_SCSI_TARGET, HOLDER_TYPES } },
	{ "no-process", { HOLDER_PROCESS, HOLDER_TYPES } },
	{ "no-stack", { HOLDER_DM, HOLDER_MD, HOLDER_LOOP, HOLDER_TYPES } },
};

static bool is_one_of(enum holder_type type, const enum holder_type *types)
{
	for (; *types != HOLDER_TYPES; types++)
		if (*types == type)
			return true;
	return false;
}

static bool check_holders(struct result *result, const struct look *look, size_t check)
{
	char reason[256];

	array_each(holder, &look->holders) {
		if (!is_one_of(holder->type, holder_checks[check].types))
			continue;
		snprintf(reason, sizeof(reason), "%s is still there", holder->name);
		result_add_verify(result, holder_checks[check].check, CHECK_FALSE, reason);
		return false;
	}
	if (look->unknowns.count) {
		snprintf(reason, sizeof(reason), "%s could not be looked at", look->unknowns.items[0].subject);
		result_add_verify(result, holder_checks[check].check, CHECK_NULL, reason);
	} else {
		result_add_verify(result, holder_checks[check].check, CHECK_TRUE, NULL);
	}
	return true;
}

static int look_again(struct execution *execution, struct look *again, struct err *err)
{
	int rc = look_copy_devices(execution->look, again);

	return rc < 0 ? err_errno(err, rc, "cannot look again")
		      : execution->find_holders(execution->root, again, err);
}

static bool has_gone(const struct look *look)
{
	array_each(device, &look->devices)
		if (device->gone)
			return true;
	return false;
}

/* A superblock goes a moment after its last user. Elsewhere the claim has waited for that; a dead disk has none.
 */
static int look_patiently(struct execution *execution, struct look *again, struct err *err)
{
	struct deadline patience = deadline_in(3000);
	int rc = look_again(execution, again, err);

	while (rc == 0 && has_gone(again) && !deadline_passed(patience)) {
		wait_readable(-1, -1, deadline_in(100));
		look_free(again);
		rc = look_again(execution, again, err);
	}
	return rc;
}

/* *known: everything could be looked at. */
static bool check_all_holders(struct execution *execution, bool *known)
{
	_cleanup_(look_free) struct look again = { 0 };
	struct err err = { 0 };
	bool good = true;
	int rc = look_patiently(execution, &again, &err);

	for (size_t i = 0; i < COUNT_OF(holder_checks); i++) {
		if (rc < 0)
			result_add_verify(execution->result, holder_checks[i].check, CHECK_NULL, err.message);
		else
			good &= check_holders(execution->result, &again, i);
	}
	*known = rc == 0 && again.unknowns.count == 0;
	return good;
}

static bool check_driver(struct execution *execution, device_is_enabled *is_enabled)
{
	bool good = true;
	char reason[256];

	for (size_t i = 0; i < execution->look->devices.count; i++) {
		const struct device *device = &execution->look->devices.items[i];
		int rc = is_enabled(execution->root, device);

		if (rc > 0) {
			snprintf(reason, sizeof(reason), "%s still has a driver%s", device->name,
				 device->type == DEVICE_CXL_REGION ? ", or its decoders are committed" : "");
			result_add_verify(execution->result, "driver-gone", CHECK_FALSE, reason);
		} else if (rc < 0) {
			result_add_verify(execution->result, "driver-gone", CHECK_NULL, strerror(-rc));
		}
		if (execution->result->unused)
			execution->result->unused[i] = rc == 0;
		good &= rc <= 0;
	}
	if (good)
		result_add_verify(execution->result, "driver-gone", CHECK_TRUE, NULL);
	return good;
}

/* What the kernel says itself, of this device: "kmem dax0.0: mapping0: … cannot be hotremoved until the next
 * reboot" */
static bool log_says_burned(struct execution *execution, const struct device *device, char *why, size_t size)
{
	_cleanup_free_ char *line = NULL;

	if (kernel_log_find(&execution->log, KERNEL_LOG_BURNED, &line) <= 0 || !device->blockdev ||
	    !strstr(line, device->blockdev))
		return false;
	snprintf(why, size, "%s", line);
	return true;
}

/* 1: it is burned, and told; 0: not; negative errno: that cannot be told. */
static int check_burned(struct execution *execution, const struct device *device)
{
	char why[256];
	int rc = holders_burned(execution->root, device, why, sizeof(why));

	if (rc <= 0 && !log_says_burned(execution, device, why, sizeof(why)))
		return rc;
	result_add_verify(execution->result, NOT_BURNED, CHECK_FALSE, why);
	result_add_stuck(
		execution->result, device->name, NULL,
		"burned: its memory was online when it lost its driver, since somebody brought it online between "
		"the last look and the unbind, or pulled its card (%s). The system goes on using it, and only a "
		"reboot gives it back: until then do not destroy its namespace or region; what of it is online "
		"can still be taken offline",
		why);
	return 1;
}

/* Memory whose driver was unbound with a block online would be lost until reboot, and no unbind says so. */
static bool check_memory(struct execution *execution, device_is_enabled *is_enabled)
{
	bool any = false, good = true;

	array_each(device, &execution->look->devices) {
		int rc = device->system_ram && device->enabled && is_enabled(execution->root, device) == 0
				 ? check_burned(execution, device)
				 : -ENOENT;

		any |= rc == 0;
		good &= rc <= 0;
		if (rc < 0 && rc != -ENOENT)
			result_add_verify(execution->result, NOT_BURNED, CHECK_NULL, strerror(-rc));
	}
	if (any && good)
		result_add_verify(execution->result, NOT_BURNED, CHECK_TRUE, NULL);
	return good;
}

/* --no-unbind: its driver stays, with nothing online. */
static bool check_offline(struct execution *execution)
{
	bool good = true;

	array_each(device, &execution->look->devices) {
		struct system_ram now;
		char reason[128];
		int rc = holders_read_memory(execution->root, device, &now);

		if (rc < 0) {
			result_add_verify(execution->result, "memory-offline", CHECK_NULL, strerror(-rc));
			continue;
		}
		snprintf(reason, sizeof(reason), "%" PRIu64 " of %zu blocks of %s are online again",
			 memory_online(&now), now.blocks.count, device->name);
		good &= !memory_online(&now);
		result_add_verify(execution->result, "memory-offline",
				  memory_online(&now) ? CHECK_FALSE : CHECK_TRUE,
				  memory_online(&now) ? reason : NULL);
		memory_free(&now);
	}
	return good;
}

static bool has_pages(const struct look *look)
{
	array_each(device, &look->devices)
		if (device_has_pages(device))
			return true;
	return false;
}

/*
 * Counted right before the unbind: with the driver the memory map has gone. A
 * device that vanished had lost it before; what has no pages has none that
 * could be referenced.
 */
static void check_references(struct execution *execution)
{
	const char *unknown = NULL;
	bool counted = false;
	uint64_t pages = 0;

	array_each(record, &execution->result->steps) {
		if (record->type == STEP_UNBIND && record->state == STATE_FAILED && !unknown)
			unknown = record->message;
		if (record->type != STEP_REFERENCES)
			continue;
		counted = true;
		if (record->state != STATE_DONE && !unknown)
			unknown = record->message ? record->message : "page references were not counted";
		pages += record->pages;
	}
	if (has_gone(execution->look))
		unknown = "the device vanished, and with it what could be counted";
	else if (!counted && has_pages(execution->look))
		unknown = "page references were not counted";
	result_add_counted(execution->result, unknown ? CHECK_NULL : CHECK_TRUE, pages, unknown);
}

/* A warning may be about something else; it is shown, and the machine is as it is either way. */
static void check_log(struct execution *execution)
{
	_cleanup_free_ char *line = NULL;
	int rc = kernel_log_find(&execution->log, KERNEL_LOG_WARNING, &line);

	if (rc < 0)
		result_add_verify(execution->result, "no-kernel-warning", CHECK_NULL,
				  "the kernel log cannot be read");
	else
		result_add_verify(execution->result, "no-kernel-warning", rc ? CHECK_FALSE : CHECK_TRUE, line);
}

bool verify_retired(struct execution *execution, device_is_enabled *is_enabled)
{
	bool good, known;

	execution->result->unused = calloc(execution->look->devices.count, sizeof(bool));
	good = check_all_holders(execution, &known);
	if (execution->request->no_unbind) {
		good &= check_offline(execution);
	} else {
		good &= check_driver(execution, is_enabled);
		good &= check_memory(execution, is_enabled);
	}
	if (execution->request->power_off)
		good &= verify_slots(execution->root, execution->look, execution->result);
	if (good)
		verify_node_totals(execution->root, execution->look, execution->result);
	if ((!good || !known) && execution->result->unused)
		memset(execution->result->unused, 0, execution->look->devices.count * sizeof(bool));
	check_references(execution);
	if (execution->request->power_off)
		verify_ports(execution->root, execution->look, execution->result);
	check_log(execution);
	return good;
}
