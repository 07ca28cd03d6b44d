// SPDX-License-Identifier: GPL-2.0-or-later
/* Device-mapper tables: LVM, LUKS, multipath, plain ones. */
#include "retire/holders/kinds.h"

static int probe_dm(const struct root *root, struct look *look, struct err *err)
{
	int rc = find_stacked(root, look, HOLDER_DM, "dm-");

	return rc < 0 ? err_errno(err, rc, "cannot list device-mapper devices") : rc;
}

const struct holder_kind kind_dm = {
	.type = HOLDER_DM,
	.name = "dm",
	.probe = probe_dm,
	.stacks = true,
	.lifted_by = EVICT_NEVER,
	.refusal = "a device-mapper device is stacked on it; take it down by hand: lvchange -an, cryptsetup close "
		   "or dmsetup remove",
};
