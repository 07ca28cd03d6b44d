// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory of CXL that somebody has who is on no region of CXL. Firmware may have
 * set it apart ("hmem.0"): then there is no region at all, as before Linux 6.3, or one that has
 * no part in it (drivers/dax/hmem/hmem.c:hmem_register_device()). What
 * takes the card away does not look at that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "retire/targets/cxl.h"
#include "retire/targets/dax.h"
#include "retire/targets/sysfs.h"
#include "util/cleanup.h"
#include "util/root.h"

/* ".../region0/dax_region0/dax0.0" goes with its region, and ".../ndbus0/region0/dax0.1/dax0.0" with its
 * namespace. */
static bool is_of_region(const char *path)
{
	return strstr(path, "/dax_region") || strstr(path, "/ndbus");
}

static int add_other(const struct root *root, const char *name, struct cxl_others *others)
{
	_cleanup_free_ char *path = sysfs_path(root, "dax", name);
	struct cxl_other *other;
	int rc;

	if (!path)
		return errno == ENOENT ? 0 : -errno;
	if (!dax_is_name(name) || is_of_region(path))
		return 0;
	rc = sysfs_has_driver(root, "dax", name);
	if (rc <= 0)
		return rc;
	other = array_add(&others->list);
	if (!other)
		return -ENOMEM;
	other->name = strdup(name);
	return other->name ? dax_read_ranges(root, name, &other->memory) : -ENOMEM;
}

int cxl_others_read(const struct root *root, struct cxl_others *others)
{
	_cleanup_names_ struct sysfs_names names = { { 0 } };
	int rc = sysfs_names_read(root, "dax", &names, "/sys/bus/dax/devices");

	array_each(name, &names.list)
		rc = rc < 0 ? rc : add_other(root, *name, others);
	return rc;
}

void cxl_others_free(struct cxl_others *others)
{
	array_each(other, &others->list) {
		free(other->name);
		free(other->memory.items);
	}
	free(others->list.items);
}

static bool overlap(const struct memory_range *one, const struct memory_range *other)
{
	return one->size && other->size && one->start <= other->start + (other->size - 1) &&
	       other->start <= one->start + (one->size - 1);
}

const char *cxl_other_at(const struct cxl_others *others, const struct memory_range *range)
{
	array_each(other, &others->list)
		array_each(memory, &other->memory)
			if (overlap(memory, range))
				return other->name;
	return NULL;
}

int cxl_decoder_range(const struct root *root, const char *decoder, struct memory_range *range)
{
	int rc = cxl_number(root, decoder, "size", &range->size);

	range->start = 0;
	return rc < 0 || !range->size ? rc : cxl_number(root, decoder, "start", &range->start);
}

int cxl_check_range(const struct root *root, const struct memory_range *range)
{
	_cleanup_(cxl_others_free) struct cxl_others others = { { 0 } };
	int rc = cxl_others_read(root, &others);

	if (rc < 0)
		return rc;
	return cxl_other_at(&others, range) || dax_range_is_online(root, range) ? -EADDRINUSE : 0;
}
