// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "retire/slot.h"
#include "retire/verify.h"

#define CHECK "slot-off"

/* Of one without power. */
static const char *const cards[] = {
	[SLOT_OFF] = " is off, and empty",
	[SLOT_ON] = " is off, and a card is in it",
	[SLOT_UNKNOWN] = " is off; whether a card is in it cannot be read",
};

static enum check look_at(const struct root *root, const char *slot, char *why, size_t size)
{
	switch (slot_power(root, slot)) {
	case SLOT_OFF:
		snprintf(why, size, "slot %s%s", slot, cards[slot_card(root, slot)]);
		return CHECK_TRUE;
	case SLOT_ON:
		snprintf(why, size, "slot %s still has power", slot);
		return CHECK_FALSE;
	default:
		snprintf(why, size, "whether slot %s has power cannot be read", slot);
		return CHECK_NULL;
	}
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
