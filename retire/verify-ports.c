// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The link above a card that has lost its power: did its port count errors
 * meanwhile? A link that goes down may count correctable ones; others were
 * transfers that failed.
 */
#include <inttypes.h>
#include <stdio.h>

#include "retire/aer.h"
#include "retire/verify.h"

#define CHECK "no-link-errors"

/* A port that was found anew meanwhile counts from the beginning. */
static bool counts_on(const struct aer_counts *was, const struct aer_counts *now)
{
	return now->correctable >= was->correctable && now->nonfatal >= was->nonfatal && now->fatal >= was->fatal;
}

static enum check compare(const char *port, const struct aer_counts *was, const struct aer_counts *now, char *why,
			  size_t size)
{
	uint64_t correctable = now->correctable - was->correctable;

	if (now->nonfatal != was->nonfatal || now->fatal != was->fatal) {
		snprintf(why, size,
			 "the port %s above it counted %" PRIu64 " fatal and %" PRIu64
			 " other uncorrectable errors meanwhile: see 'dmesg'",
			 port, now->fatal - was->fatal, now->nonfatal - was->nonfatal);
		return CHECK_FALSE;
	}
	if (correctable)
		snprintf(why, size,
			 "the port %s above it counted %" PRIu64
			 " correctable errors meanwhile, as a link that goes down may",
			 port, correctable);
	else
		snprintf(why, size, "the port %s above it counted none", port);
	return CHECK_TRUE;
}

static enum check look_at(const struct root *root, const struct cxl *cxl, char *why, size_t size)
{
	struct aer_counts now;

	if (!cxl->port || !cxl->port_counts) {
		snprintf(why, size, "no port above it counts errors, or what it had counted before is not known");
		return CHECK_NULL;
	}
	if (aer_read(root, cxl->port, &now) < 0 || !counts_on(&cxl->counted, &now)) {
		snprintf(why, size, "what the port %s above it has counted cannot be read any more", cxl->port);
		return CHECK_NULL;
	}
	return compare(cxl->port, &cxl->counted, &now, why, size);
}

void verify_ports(const struct root *root, const struct look *look, struct result *result)
{
	char why[256], text[320];

	array_each(device, &look->devices) {
		enum check is;

		if (device->type != DEVICE_CXL_MEMDEV || !device->cxl.slot)
			continue;
		is = look_at(root, &device->cxl, why, sizeof(why));
		snprintf(text, sizeof(text), "%s: %s", device->name, why);
		result_add_verify(result, CHECK, is, text);
	}
}
