// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/machine.h"

#include "retire/holders/holders.h"
#include "retire/targets/targets.h"

struct machine machine_system(const struct root *root, struct effects_system *effects)
{
	effects_system_init(effects, targets_disable, targets_enable, -1);
	return (struct machine){
		.root = root,
		.effects = &effects->effects,
		.find_again = targets_find_again,
		.find_holders = holders_find,
		.probe = kernel_probe,
		.is_enabled = targets_is_enabled,
		.check_identity = targets_check_identity,
	};
}
