// SPDX-License-Identifier: GPL-2.0-or-later
/* What a journal keeps of a CXL region or memdev: enough to make the one again, and to know the other again. */
#include "retire/capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

/* More than the kernel knows of: CXL_DECODER_MAX_INTERLEAVE is 16. */
enum { MAX_TARGETS = 64 };

static struct json_object *capture_target(const struct cxl_target *target)
{
	struct json_object *object = capture_new();

	put_text(object, "decoder", target->decoder);
	put_text(object, "memdev", target->memdev);
	put_number(object, "serial", target->serial);
	put_number(object, "dpa_start", target->dpa_start);
	put_number(object, "dpa_size", target->dpa_size);
	return object;
}

struct json_object *capture_cxl(const struct cxl *cxl)
{
	struct json_object *object = capture_list("targets");

	put_text(object, "root_decoder", cxl->root_decoder);
	put_number(object, "ways", cxl->ways);
	put_number(object, "granularity", cxl->granularity);
	put_bool(object, "committed", cxl->committed);
	put_number(object, "serial", cxl->serial);
	put_text(object, "host", cxl->host);
	put_text(object, "slot", cxl->slot);
	put_number(object, "ram_size", cxl->ram_size);
	put_number(object, "pmem_size", cxl->pmem_size);
	array_each(target, &cxl->targets)
		capture_add(object, "targets", capture_target(target));
	return object;
}

/* These become parts of paths below /sys. */
static int copy_name(struct json_object *object, const char *key, char **to)
{
	const char *from = text_of(object, key);

	*to = NULL;
	if (!from)
		return 0;
	if (!*from || *from == '.' || strlen(from) >= 64 || strchr(from, '/'))
		return -EBADMSG;
	*to = strdup(from);
	return *to ? 0 : -ENOMEM;
}

static int captured_target(struct json_object *object, struct cxl *cxl)
{
	struct cxl_target *target = array_add(&cxl->targets);
	int rc = target ? copy_name(object, "decoder", &target->decoder) : -ENOMEM;

	rc = rc < 0 ? rc : copy_name(object, "memdev", &target->memdev);
	if (rc < 0)
		return rc;
	target->serial = number_of(object, "serial");
	target->dpa_start = number_of(object, "dpa_start");
	target->dpa_size = number_of(object, "dpa_size");
	return 0;
}

int captured_cxl(struct json_object *object, struct cxl *cxl)
{
	int rc = length_of(object, "targets") > MAX_TARGETS ? -EBADMSG : 0;

	memset(cxl, 0, sizeof(*cxl));
	rc = rc < 0 ? rc : copy_name(object, "root_decoder", &cxl->root_decoder);
	rc = rc < 0 ? rc : copy_name(object, "host", &cxl->host);
	rc = rc < 0 ? rc : copy_name(object, "slot", &cxl->slot);
	for (size_t i = 0; rc == 0 && i < length_of(object, "targets"); i++)
		rc = captured_target(item_of(object, "targets", i), cxl);
	if (rc < 0) {
		cxl_free(cxl);
		memset(cxl, 0, sizeof(*cxl));
		return rc;
	}
	cxl->ways = number_of(object, "ways");
	cxl->granularity = number_of(object, "granularity");
	cxl->committed = bool_of(object, "committed");
	cxl->serial = number_of(object, "serial");
	cxl->numa_node = -1;
	cxl->ram_size = number_of(object, "ram_size");
	cxl->pmem_size = number_of(object, "pmem_size");
	return 0;
}
