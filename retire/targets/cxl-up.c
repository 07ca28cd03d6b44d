// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes a CXL region again as it was: by the same root decoder, of the same
 * cards in the same positions, wherever these are now.
 *
 * The kernel takes the attributes of a region in one order only: how it is
 * interleaved, its size, its targets, the commit (drivers/cxl/core/region.c); one
 * that was torn down and not deleted still has some of them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retire/targets/cxl-changes.h"
#include "retire/targets/cxl.h"
#include "retire/targets/sysfs.h"
#include "util/cleanup.h"
#include "util/root.h"

/* 1: it is so already. */
static int set_number(const struct root *root, const char *name, const char *attribute, bool hex, uint64_t number)
{
	uint64_t now;
	char text[32];
	int rc = cxl_number(root, name, attribute, &now);

	if (rc < 0 || now == number)
		return rc < 0 ? rc : 1;
	snprintf(text, sizeof(text), hex ? "%#" PRIx64 : "%" PRIu64, number);
	return sysfs_write(root, text, CXL_DEVICES "/%s/%s", name, attribute);
}

static int set_text(const struct root *root, const char *name, const char *attribute, const char *text)
{
	_cleanup_free_ char *now = root_attributef(root, CXL_DEVICES "/%s/%s", name, attribute);

	if (now && strcmp(now, text) == 0)
		return 1;
	return sysfs_write(root, text, CXL_DEVICES "/%s/%s", name, attribute);
}

static const char *create_attribute(const struct device *device)
{
	return device->mode == MODE_PMEM ? "create_pmem_region" : "create_ram_region";
}

/* The name of the next region is the kernel's choice, and reading tells it: create_region_show(). Caller frees. */
static char *next_name(const struct root *root, const struct device *device)
{
	return root_attributef(root, CXL_DEVICES "/%s/%s", device->cxl.root_decoder, create_attribute(device));
}

static int create_one(const struct root *root, const struct device *device, const char *name)
{
	return sysfs_write(root, name, CXL_DEVICES "/%s/%s", device->cxl.root_decoder, create_attribute(device));
}

/* More numbers than these are not free below the one that is wanted. */
enum { SPARES_MAX = 64 };

/*
 * Makes empty regions until the kernel's choice is the name. The kernel takes
 * the lowest number that is free, but a root decoder has its next one in advance: one
 * that was deleted is next but one. -EEXIST: the name cannot be had.
 */
static int create_named(const struct root *root, const struct device *device, struct sysfs_names *spares)
{
	for (;;) {
		_cleanup_free_ char *next = next_name(root, device);
		char **spare;
		int rc;

		if (!next)
			return -errno;
		if (strcmp(next, device->name) == 0)
			return create_one(root, device, next);
		if (spares->list.count == SPARES_MAX)
			return -EEXIST;
		rc = create_one(root, device, next);
		spare = rc < 0 ? NULL : array_add(&spares->list);
		if (!spare)
			return rc < 0 ? rc : -ENOMEM;
		*spare = take_ptr(next);
	}
}

static int create(const struct root *root, const struct device *device)
{
	struct sysfs_names spares = { { 0 } };
	int rc = root_findf(root, CXL_DEVICES "/%s/commit", device->name);

	if (rc)
		return rc;
	rc = create_named(root, device, &spares);
	array_each(spare, &spares.list)
		sysfs_write(root, *spare, CXL_DEVICES "/%s/delete_region", device->cxl.root_decoder);
	sysfs_names_free(&spares);
	return rc;
}

/* As a line: drivers/cxl/core/region.c:uuid_store() counts its characters. */
static int set_uuid(const struct root *root, const struct device *device)
{
	_cleanup_free_ char *now = root_attributef(root, CXL_DEVICES "/%s/uuid", device->name), *line = NULL;

	if (!device->uuid || device->mode != MODE_PMEM || (now && strcmp(now, device->uuid) == 0))
		return 1;
	if (asprintf(&line, "%s\n", device->uuid) < 0)
		return -ENOMEM;
	return sysfs_write(root, line, CXL_DEVICES "/%s/uuid", device->name);
}

static int set_shape(const struct root *root, const struct device *device)
{
	int rc = set_number(root, device->name, "interleave_granularity", false, device->cxl.granularity);

	rc = rc < 0 ? rc : set_number(root, device->name, "interleave_ways", false, device->cxl.ways);
	rc = rc < 0 ? rc : set_uuid(root, device);
	return rc < 0 ? rc : set_number(root, device->name, "size", true, device->size);
}

/* What a free decoder of the memdev could be: the part that it has already, or none. */
struct choice {
	char *fits, *empty;
};

/* The part of the memdev that a decoder has. */
static int read_part(const struct root *root, const char *decoder, uint64_t *start, uint64_t *size)
{
	return cxl_numbers(root, decoder,
			   (struct cxl_attribute[]){ { "dpa_resource", start }, { "dpa_size", size } }, 2);
}

/* What cannot be read is not free. */
static void choose(const struct root *root, const struct cxl_target *target, const char *decoder,
		   struct choice *choice)
{
	_cleanup_free_ char *region = NULL;
	uint64_t start, size;
	char **place = NULL;

	if (cxl_decoder_region(root, decoder, &region) < 0 || region ||
	    read_part(root, decoder, &start, &size) < 0)
		return;
	if (size == target->dpa_size && start == target->dpa_start)
		place = &choice->fits;
	else if (!size)
		place = &choice->empty;
	/* they are given away in their order: the lowest */
	if (!place || (*place && cxl_decoder_number(*place) < cxl_decoder_number(decoder)))
		return;
	free(*place);
	*place = strdup(decoder);
}

/* The decoder that the part of the memdev goes to; caller frees; NULL with errno set. */
static char *find_decoder(const struct root *root, const struct cxl_target *target, const char *endpoint)
{
	_cleanup_names_ struct sysfs_names decoders = { { 0 } };
	int rc = cxl_endpoint_decoders(root, endpoint, &decoders);
	struct choice choice = { 0 };

	if (rc < 0) {
		errno = -rc;
		return NULL;
	}
	array_each(decoder, &decoders.list)
		choose(root, target, *decoder, &choice);
	if (choice.fits) {
		free(choice.empty);
		return choice.fits;
	}
	errno = ENOSPC;
	return choice.empty;
}

static char *endpoint_of(const struct root *root, const struct cxl_target *target)
{
	const struct device card = { .name = target->memdev, .cxl = { .serial = target->serial } };
	_cleanup_free_ char *name = target->serial ? cxl_memdev_now(root, &card) : strdup(target->memdev);
	_cleanup_cxl_ struct cxl_devices cxl = { 0 };
	const struct cxl_memdev *memdev;
	int rc = name ? cxl_devices_read(root, &cxl) : -errno;

	memdev = rc < 0 ? NULL : cxl_memdev_named(&cxl, name);
	errno = rc < 0 ? -rc : ENODEV;
	return memdev && memdev->endpoint ? strdup(memdev->endpoint) : NULL;
}

/* For persistent memory another part would be another one's data. */
static int give_room(const struct root *root, const struct device *device, const struct cxl_target *target,
		     const char *decoder)
{
	uint64_t start, size;
	int rc = read_part(root, decoder, &start, &size);

	if (rc < 0 || size == target->dpa_size)
		return rc;
	rc = set_text(root, decoder, "mode", device_mode_name(device->mode));
	rc = rc < 0 ? rc : set_number(root, decoder, "dpa_size", true, target->dpa_size);
	if (rc < 0 || device->mode != MODE_PMEM)
		return rc < 0 ? rc : 0;
	rc = read_part(root, decoder, &start, &size);
	if (rc == 0 && start != target->dpa_start)
		rc = -ESTALE;
	if (rc < 0)
		sysfs_write(root, "0", CXL_DEVICES "/%s/dpa_size", decoder);
	return rc;
}

static int set_target(const struct root *root, const struct device *device, size_t position)
{
	const struct cxl_target *target = &device->cxl.targets.items[position];
	_cleanup_free_ char *endpoint = NULL, *decoder = NULL;
	char attribute[32];
	int rc;

	snprintf(attribute, sizeof(attribute), "target%zu", position);
	decoder = root_attributef(root, CXL_DEVICES "/%s/%s", device->name, attribute);
	if (!decoder || *decoder)
		return decoder ? 1 : -errno;
	free(take_ptr(decoder));
	if (!target->memdev)
		return -ENODEV;
	endpoint = endpoint_of(root, target);
	decoder = endpoint ? find_decoder(root, target, endpoint) : NULL;
	if (!decoder)
		return -errno;
	rc = give_room(root, device, target, decoder);
	return rc < 0 ? rc : sysfs_write(root, decoder, CXL_DEVICES "/%s/%s", device->name, attribute);
}

int cxl_region_commit(const struct root *root, const struct device *device)
{
	uint64_t committed = 0;
	int rc = cxl_region_check_identity(root, device, NULL);

	rc = rc < 0 ? rc : cxl_number(root, device->name, "commit", &committed);
	if (rc == 0 && committed == 1)
		return 1;
	rc = rc == -ENXIO || rc == 0 ? create(root, device) : rc;
	rc = rc < 0 ? rc : set_shape(root, device);
	for (size_t i = 0; rc >= 0 && i < device->cxl.targets.count; i++)
		rc = set_target(root, device, i);
	rc = rc < 0 ? rc : sysfs_write(root, "1", CXL_DEVICES "/%s/commit", device->name);
	rc = rc < 0 ? rc : cxl_number(root, device->name, "commit", &committed);
	return rc == 0 && committed != 1 ? -EIO : rc;
}
