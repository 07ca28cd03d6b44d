// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/machine.h"

#include <errno.h>
#include <string.h>

#include "retire/holders/holders.h"
#include "retire/pages/pages.h"
#include "retire/targets/targets.h"
#include "util/root.h"

/* Where the kernel does not say it, nobody is found: it does not stand in the way, and what does not go is seen.
 */
static int find_memory_keepers(const struct root *root, struct look *look)
{
	bool any = false;

	array_each(device, &look->devices)
		any |= device->system_ram;
	if (!any || root->recorded || pages_find_array(root, look, NULL) < 0)
		return 0;
	return holders_find_memory_keepers(root, look);
}

struct machine machine_system(const struct root *root, struct effects_system *effects)
{
	effects_system_init(effects, targets_disable, targets_enable, targets_change, -1);
	return (struct machine){
		.root = root,
		.effects = &effects->effects,
		.find_again = targets_find_again,
		.find_holders = holders_find,
		.count_references = pages_count,
		.find_page_keepers = holders_find_page_keepers,
		.find_memory_keepers = find_memory_keepers,
		.probe = kernel_probe,
		.is_enabled = targets_is_enabled,
		.check_identity = targets_check_identity,
	};
}

/* What is in flight ends by itself; what is left then is told. */
enum { LOOK_PATIENCE_MS = 300 };

int machine_count_references(const struct machine *machine, struct look *look, int interrupt, struct err *err)
{
	int rc = machine->count_references(machine->root, look, interrupt, deadline_in(LOOK_PATIENCE_MS));

	if (rc == -EINTR)
		return err_set(err, rc, "interrupted by a signal");
	if (rc == 0 && machine->find_page_keepers)
		rc = machine->find_page_keepers(machine->root, look);
	return rc < 0 ? err_errno(err, rc, "cannot count references") : 0;
}

int machine_find_memory_keepers(const struct machine *machine, struct look *look, struct err *err)
{
	int rc = machine->find_memory_keepers ? machine->find_memory_keepers(machine->root, look) : 0;

	return rc < 0 ? err_errno(err, rc, "cannot look who keeps pages") : 0;
}

static bool is_same(const struct device *was, const struct device *now)
{
	/* a card that was away comes back by another name */
	if (was->type == DEVICE_CXL_MEMDEV && now->type == was->type && was->cxl.serial)
		return was->cxl.serial == now->cxl.serial;
	return was->type == now->type && strcmp(was->name, now->name) == 0;
}

int machine_find_again(const struct machine *machine, const struct look *was, struct look *look, struct err *err)
{
	int rc = machine->find_again(machine->root, was, look, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < was->devices.count; i++)
		if (i >= look->devices.count || !is_same(&was->devices.items[i], &look->devices.items[i]))
			return err_set(err, -ESTALE, "%s is not found under that name",
				       was->devices.items[i].name);
	if (look->devices.count > was->devices.count)
		return err_set(err, -ESTALE, "more devices are found than were named");
	return 0;
}
