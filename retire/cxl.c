// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/cxl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

static char *copy_text(const char *text, int *rc)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		*rc = -ENOMEM;
	return copy;
}

static void copy_targets(const struct cxl *cxl, struct cxl *to, int *rc)
{
	array_each(target, &cxl->targets) {
		struct cxl_target *added = array_add(&to->targets);

		if (!added) {
			*rc = -ENOMEM;
			return;
		}
		*added = *target;
		added->decoder = copy_text(target->decoder, rc);
		added->memdev = copy_text(target->memdev, rc);
	}
}

int cxl_copy(const struct cxl *cxl, struct cxl *to)
{
	int rc = 0;

	*to = *cxl;
	memset(&to->targets, 0, sizeof(to->targets));
	to->root_decoder = copy_text(cxl->root_decoder, &rc);
	to->later = copy_text(cxl->later, &rc);
	to->other = copy_text(cxl->other, &rc);
	to->host = copy_text(cxl->host, &rc);
	to->slot = copy_text(cxl->slot, &rc);
	to->port = copy_text(cxl->port, &rc);
	copy_targets(cxl, to, &rc);
	return rc;
}

void cxl_free(struct cxl *cxl)
{
	array_each(target, &cxl->targets) {
		free(target->decoder);
		free(target->memdev);
	}
	free(cxl->targets.items);
	free(cxl->root_decoder);
	free(cxl->later);
	free(cxl->other);
	free(cxl->host);
	free(cxl->slot);
	free(cxl->port);
}

bool cxl_is_called(const char *called, const char *name, const char *host, uint64_t serial)
{
	uint64_t number;

	if (strcmp(called, name) == 0 || (host && strcmp(called, host) == 0))
		return true;
	return serial && parse_number(called, &number) == 0 && number == serial;
}

uint64_t cxl_decoder_number(const char *decoder)
{
	const char *point = strchr(decoder, '.');

	return point ? strtoull(point + 1, NULL, 10) : 0;
}

bool cxl_decoder_is_beside(const char *decoder, const char *other)
{
	size_t port = strcspn(decoder, ".");

	return port == strcspn(other, ".") && strncmp(decoder, other, port) == 0;
}

bool cxl_has_cards(const struct cxl *region)
{
	array_each(target, &region->targets)
		if (target->memdev)
			return true;
	return false;
}

bool cxl_has_target(const struct cxl *region, const char *memdev)
{
	array_each(target, &region->targets)
		if (target->memdev && strcmp(target->memdev, memdev) == 0)
			return true;
	return false;
}
