// SPDX-License-Identifier: GPL-2.0-or-later
/* What stands on what of CXL, and which region goes before which. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "retire/targets/cxl.h"
#include "util/cleanup.h"

/* A decoder of an endpoint that a region has. */
struct part {
	const char *decoder; /* "decoder5.1" */
	uint64_t number;
	size_t region;
};

struct parts {
	ARRAY_OF(struct part) list;
};

/* Those of one endpoint together, and of these the highest number first. */
static int compare_parts(const void *a, const void *b)
{
	const struct part *one = a, *two = b;
	size_t port = strcspn(one->decoder, "."), other = strcspn(two->decoder, ".");
	int sign = strncmp(one->decoder, two->decoder, port < other ? port : other);

	if (sign || port != other)
		return sign ? sign : (port > other) - (port < other);
	return (one->number < two->number) - (one->number > two->number);
}

static int list_parts(const struct look *regions, struct parts *parts)
{
	for (size_t i = 0; i < regions->devices.count; i++)
		array_each(target, &regions->devices.items[i].cxl.targets) {
			struct part *added = target->decoder ? array_add(&parts->list) : NULL;

			if (!target->decoder)
				continue;
			if (!added)
				return -ENOMEM;
			*added = (struct part){ target->decoder, cxl_decoder_number(target->decoder), i };
		}
	if (parts->list.count)
		qsort(parts->list.items, parts->list.count, sizeof(struct part), compare_parts);
	return 0;
}

/* Is there one behind it on the same endpoint that has to wait for it? */
static bool has_next(const struct parts *parts, size_t i)
{
	return i + 1 < parts->list.count &&
	       cxl_decoder_is_beside(parts->list.items[i].decoder, parts->list.items[i + 1].decoder) &&
	       parts->list.items[i].region != parts->list.items[i + 1].region;
}

/* The first that waits for none of the others; in a circle, simply the first. */
static size_t next_region(const size_t *waits, const bool *placed, size_t count)
{
	size_t first = count;

	for (size_t i = 0; i < count; i++) {
		if (placed[i])
			continue;
		if (!waits[i])
			return i;
		first = first < i ? first : i;
	}
	return first;
}

static void place_regions(const struct parts *parts, size_t *waits, bool *placed, size_t count, size_t *order)
{
	for (size_t i = 0; i < parts->list.count; i++)
		if (has_next(parts, i))
			waits[parts->list.items[i + 1].region]++;
	for (size_t i = 0; i < count; i++) {
		order[i] = next_region(waits, placed, count);
		placed[order[i]] = true;
		for (size_t j = 0; j < parts->list.count; j++)
			if (parts->list.items[j].region == order[i] && has_next(parts, j))
				waits[parts->list.items[j + 1].region]--;
	}
}

int cxl_order_regions(const struct look *regions, size_t *order)
{
	size_t count = regions->devices.count;
	_cleanup_free_ size_t *waits = calloc(count + 1, sizeof(size_t));
	_cleanup_free_ bool *placed = calloc(count + 1, sizeof(bool));
	struct parts parts = { 0 };
	int rc = waits && placed ? list_parts(regions, &parts) : -ENOMEM;

	if (rc == 0)
		place_regions(&parts, waits, placed, count, order);
	free(parts.list.items);
	return rc;
}

/* A memdev of a look, by its name. */
struct card {
	const char *name;
	size_t device; /* index + 1 */
};

struct cards {
	ARRAY_OF(struct card) list;
};

static int compare_cards(const void *a, const void *b)
{
	const struct card *one = a, *two = b;

	return strcmp(one->name, two->name);
}

static int list_cards(const struct look *look, struct cards *cards)
{
	for (size_t i = 0; i < look->devices.count; i++) {
		const struct device *device = &look->devices.items[i];
		struct card *added;

		if (device->type != DEVICE_CXL_MEMDEV)
			continue;
		added = array_add(&cards->list);
		if (!added)
			return -ENOMEM;
		*added = (struct card){ device->name, i + 1 };
	}
	if (cards->list.count)
		qsort(cards->list.items, cards->list.count, sizeof(struct card), compare_cards);
	return 0;
}

/* The first in the look of those that the region is over; 0: none is. */
static size_t card_below(const struct device *region, const struct cards *cards)
{
	size_t first = 0;

	array_each(target, &region->cxl.targets) {
		const struct card key = { .name = target->memdev }, *found = NULL;

		if (key.name && cards->list.count)
			found = bsearch(&key, cards->list.items, cards->list.count, sizeof(key), compare_cards);
		if (found && (!first || found->device < first))
			first = found->device;
	}
	return first;
}

static bool is_in(const struct device *device, const struct device *directory)
{
	size_t length = strlen(directory->path);

	return strncmp(device->path, directory->path, length) == 0 && device->path[length] == '/';
}

/* Of two that are both in the look, and neither of them a memdev. */
static bool stands_on(const struct device *device, const struct device *other)
{
	switch (other->type) {
	case DEVICE_PMEM_REGION:
		return device->type == DEVICE_PMEM_NAMESPACE && is_in(device, other);
	case DEVICE_CXL_REGION:
		return device->type == DEVICE_PMEM_REGION ? strcmp(device->name, other->name) == 0
							  : device->type == DEVICE_DAX && is_in(device, other);
	default:
		return false;
	}
}

static size_t region_below(const struct device *device, const struct look *look)
{
	for (size_t i = 0; i < look->devices.count; i++)
		if (stands_on(device, &look->devices.items[i]))
			return i + 1;
	return 0;
}

int cxl_find_below(struct look *look)
{
	struct cards cards = { 0 };
	int rc = list_cards(look, &cards);

	array_each(device, &look->devices)
		if (rc == 0 && device->type != DEVICE_CXL_MEMDEV && !device->below)
			device->below = device->type == DEVICE_CXL_REGION ? card_below(device, &cards)
									  : region_below(device, look);
	free(cards.list.items);
	return rc;
}
