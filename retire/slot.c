// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/slot.h"

#include <stdint.h>

#include "util/root.h"

static enum slot_state state_of(const struct root *root, const char *slot, const char *attribute)
{
	uint64_t number;

	if (root_numberf(root, &number, "/sys/bus/pci/slots/%s/%s", slot, attribute) < 0)
		return SLOT_UNKNOWN;
	return number ? SLOT_ON : SLOT_OFF;
}

/* drivers/pci/hotplug/pci_hotplug_core.c:power_read_file() */
enum slot_state slot_power(const struct root *root, const char *slot)
{
	return state_of(root, slot, "power");
}

/* drivers/pci/hotplug/pci_hotplug_core.c:presence_read_file(), of pciehp: pciehp_get_adapter_status() */
enum slot_state slot_card(const struct root *root, const char *slot)
{
	return state_of(root, slot, "adapter");
}
