// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/targets/cxl-bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "retire/targets/sysfs.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

char *cxl_path_part(const char *path, const char *prefix)
{
	for (const char *part = path; (part = strchr(part, '/'));) {
		size_t length = strcspn(++part, "/"), letters = strlen(prefix);

		if (starts_with(part, prefix) && length > letters &&
		    strspn(part + letters, "0123456789.") == length - letters)
			return strndup(part, length);
	}
	return NULL;
}

char *cxl_endpoint_memdev(const struct root *root, const char *endpoint)
{
	/* drivers/cxl/core/port.c:devm_cxl_link_uport() */
	_cleanup_free_ char *link = root_readlinkf(root, CXL_DEVICES "/%s/uport", endpoint);

	return sysfs_basename(link);
}

char *cxl_host_of(const char *path)
{
	_cleanup_free_ char *parent = strdup(path);
	char *slash = parent ? strrchr(parent, '/') : NULL;

	if (!slash)
		return NULL;
	*slash = '\0';
	return sysfs_basename(parent);
}

char *cxl_driver(const struct root *root, const char *name)
{
	_cleanup_free_ char *link = root_readlinkf(root, CXL_DEVICES "/%s/driver", name);

	return sysfs_basename(link);
}

/* What comes or goes meanwhile is left out; only memory that is out is an error. */
static int add_memdev(const struct root *root, const char *name, struct cxl_devices *cxl)
{
	_cleanup_free_ char *path = NULL;
	struct cxl_memdev *memdev;
	unsigned number;

	if (!sysfs_is_numbered(name, "mem", &number))
		return 0;
	path = sysfs_path(root, "cxl", name);
	if (!path)
		return errno == ENOMEM ? -ENOMEM : 0;
	memdev = array_add(&cxl->memdevs);
	if (!memdev)
		return -ENOMEM;
	*memdev = (struct cxl_memdev){ strdup(name), number, cxl_host_of(path), 0, NULL };
	if (root_numberf(root, &memdev->serial, CXL_DEVICES "/%s/serial", name) < 0)
		memdev->serial = 0;
	return memdev->name && memdev->host ? 0 : -ENOMEM;
}

static int add_region(const struct root *root, const char *name, struct cxl_devices *cxl)
{
	struct cxl_region *region;
	unsigned number;
	char *path;

	if (!sysfs_is_numbered(name, "region", &number))
		return 0;
	path = sysfs_path(root, "cxl", name);
	if (!path)
		return errno == ENOMEM ? -ENOMEM : 0;
	region = array_add(&cxl->regions);
	if (!region) {
		free(path);
		return -ENOMEM;
	}
	*region = (struct cxl_region){ strdup(name), number, path };
	return region->name ? 0 : -ENOMEM;
}

static int compare_memdevs(const void *a, const void *b)
{
	const struct cxl_memdev *one = a, *two = b;

	return (one->number > two->number) - (one->number < two->number);
}

static int compare_regions(const void *a, const void *b)
{
	const struct cxl_region *one = a, *two = b;

	return (one->number > two->number) - (one->number < two->number);
}

const struct cxl_memdev *cxl_memdev_named(const struct cxl_devices *cxl, const char *name)
{
	struct cxl_memdev key = { 0 };

	if (!cxl->memdevs.count || !sysfs_is_numbered(name, "mem", &key.number))
		return NULL;
	return bsearch(&key, cxl->memdevs.items, cxl->memdevs.count, sizeof(key), compare_memdevs);
}

const struct cxl_region *cxl_region_named(const struct cxl_devices *cxl, const char *name)
{
	struct cxl_region key = { 0 };

	if (!cxl->regions.count || !sysfs_is_numbered(name, "region", &key.number))
		return NULL;
	return bsearch(&key, cxl->regions.items, cxl->regions.count, sizeof(key), compare_regions);
}

/* After the memdevs, and with these in their order. */
static int add_endpoint(const struct root *root, const char *name, struct cxl_devices *cxl)
{
	_cleanup_free_ char *of = NULL;
	const struct cxl_memdev *found;
	struct cxl_memdev *memdev;
	unsigned number;

	if (!sysfs_is_numbered(name, "endpoint", &number))
		return 0;
	of = cxl_endpoint_memdev(root, name);
	found = of ? cxl_memdev_named(cxl, of) : NULL;
	if (!found || found->endpoint)
		return 0;
	memdev = &cxl->memdevs.items[found - cxl->memdevs.items];
	memdev->endpoint = strdup(name);
	return memdev->endpoint ? 0 : -ENOMEM;
}

typedef int add_device(const struct root *root, const char *name, struct cxl_devices *cxl);

static int add_all(const struct root *root, struct cxl_devices *cxl, add_device *add)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, CXL_DEVICES);
	struct dirent *entry;
	int rc = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (rc == 0 && (entry = readdir(dir)))
		rc = add(root, entry->d_name, cxl);
	return rc;
}

int cxl_devices_read(const struct root *root, struct cxl_devices *cxl)
{
	int rc = add_all(root, cxl, add_memdev);

	rc = rc < 0 ? rc : add_all(root, cxl, add_region);
	if (rc == 0 && cxl->memdevs.count)
		qsort(cxl->memdevs.items, cxl->memdevs.count, sizeof(*cxl->memdevs.items), compare_memdevs);
	if (rc == 0 && cxl->regions.count)
		qsort(cxl->regions.items, cxl->regions.count, sizeof(*cxl->regions.items), compare_regions);
	return rc < 0 ? rc : add_all(root, cxl, add_endpoint);
}

void cxl_devices_free(struct cxl_devices *cxl)
{
	array_each(memdev, &cxl->memdevs) {
		free(memdev->name);
		free(memdev->host);
		free(memdev->endpoint);
	}
	array_each(region, &cxl->regions) {
		free(region->name);
		free(region->path);
	}
	free(cxl->memdevs.items);
	free(cxl->regions.items);
	*cxl = (struct cxl_devices){ 0 };
}

uint64_t cxl_number(const struct root *root, const char *name, const char *attribute)
{
	uint64_t number;

	return root_numberf(root, &number, CXL_DEVICES "/%s/%s", name, attribute) < 0 ? 0 : number;
}
