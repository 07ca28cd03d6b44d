// SPDX-License-Identifier: GPL-2.0-or-later
/* Software RAID. */
#include "retire/holders/kinds.h"

static int probe_md(const struct root *root, struct look *look, struct err *err)
{
	int rc = find_stacked(root, look, HOLDER_MD, "md");

	return rc < 0 ? err_errno(err, rc, "cannot list md arrays") : rc;
}

const struct holder_kind kind_md = {
	.type = HOLDER_MD,
	.name = "md",
	.probe = probe_md,
	.stacks = true,
	.lifted_by = EVICT_NEVER,
	.refusal = "it is a member of an md array; stop the array by hand: mdadm --stop",
};
