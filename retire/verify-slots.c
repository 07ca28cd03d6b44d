// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "retire/verify.h"
#include "util/root.h"

#define CHECK "slot-off"

/* drivers/pci/hotplug/pci_hotplug_core.c: "adapter" is a card that is present, or whose link is up. */
static enum check look_at(const struct root *root, const char *slot, char *why, size_t size)
{
	uint64_t power, adapter;

	if (root_numberf(root, &power, "/sys/bus/pci/slots/%s/power", slot) < 0) {
		snprintf(why, size, "whether slot %s has power cannot be read", slot);
		return CHECK_NULL;
	}
	if (power) {
		snprintf(why, size, "slot %s still has power", slot);
		return CHECK_FALSE;
	}
	if (root_numberf(root, &adapter, "/sys/bus/pci/slots/%s/adapter", slot) < 0)
		snprintf(why, size, "slot %s is off; whether a card is in it cannot be read", slot);
	else
		snprintf(why, size, "slot %s is off, and %s", slot, adapter ? "a card is in it" : "empty");
	return CHECK_TRUE;
}

bool verify_slots(const struct root *root, const struct look *look, struct result *result)
{
	bool good = true;
	char why[256];

	array_each(device, &look->devices) {
		enum check is;

		if (device->type != DEVICE_CXL_MEMDEV || !device->cxl.slot)
			continue;
		is = look_at(root, device->cxl.slot, why, sizeof(why));
		result_add_verify(result, CHECK, is, why);
		good &= is != CHECK_FALSE;
	}
	return good;
}
