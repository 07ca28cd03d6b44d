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

/* drivers/cxl/core/port.c:devm_cxl_link_uport() */
int cxl_endpoint_memdev(const struct root *root, const char *endpoint, char **memdev)
{
	return sysfs_link(root, "cxl", endpoint, "uport", memdev);
}

int cxl_endpoint_decoders(const struct root *root, const char *endpoint, struct sysfs_names *decoders)
{
	int rc = sysfs_names_read(root, "decoder", decoders, CXL_DEVICES "/%s", endpoint);

	return rc == 0 && !decoders->list.count && root_findf(root, CXL_DEVICES "/%s", endpoint) <= 0 ? -EAGAIN
												      : rc;
}

/* drivers/cxl/core/region.c:region_show() of a decoder: an empty line where there is none */
int cxl_decoder_region(const struct root *root, const char *decoder, char **region)
{
	_cleanup_free_ char *name = root_attributef(root, CXL_DEVICES "/%s/region", decoder);
	unsigned number;

	*region = NULL;
	if (!name)
		return -errno;
	if (*name && !sysfs_is_numbered(name, "region", &number))
		return -EBADMSG;
	if (*name)
		*region = take_ptr(name);
	return 0;
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

int cxl_driver(const struct root *root, const char *name, char **driver)
{
	return sysfs_link(root, "cxl", name, "driver", driver);
}

int cxl_has_driver(const struct root *root, const char *name)
{
	return sysfs_has_driver(root, "cxl", name);
}

static int add_memdev(const struct root *root, const char *name, struct cxl_devices *cxl)
{
	_cleanup_free_ char *path = NULL;
	struct cxl_memdev *memdev;
	unsigned number;
	int rc;

	if (!sysfs_is_numbered(name, "mem", &number))
		return 0;
	path = sysfs_path(root, "cxl", name);
	if (!path)
		return errno == ENOENT ? 0 : -errno;
	memdev = array_add(&cxl->memdevs);
	if (!memdev)
		return -ENOMEM;
	*memdev = (struct cxl_memdev){ strdup(name), number, cxl_host_of(path), 0, NULL };
	if (!memdev->name || !memdev->host)
		return -ENOMEM;
	rc = cxl_number(root, name, "serial", &memdev->serial);
	return rc == -EAGAIN ? 0 : rc;
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
		return errno == ENOENT ? 0 : -errno;
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
	int rc;

	if (!sysfs_is_numbered(name, "endpoint", &number))
		return 0;
	rc = cxl_endpoint_memdev(root, name, &of);
	if (rc < 0)
		return rc;
	found = of ? cxl_memdev_named(cxl, of) : NULL;
	if (!found || found->endpoint)
		return 0;
	memdev = &cxl->memdevs.items[found - cxl->memdevs.items];
	memdev->endpoint = strdup(name);
	return memdev->endpoint ? 0 : -ENOMEM;
}

typedef int add_device(const struct root *root, const char *name, struct cxl_devices *cxl);

static int add_all(const struct root *root, const char *prefix, struct cxl_devices *cxl, add_device *add)
{
	_cleanup_names_ struct sysfs_names names = { { 0 } };
	int rc = sysfs_names_read(root, prefix, &names, CXL_DEVICES);

	array_each(name, &names.list)
		rc = rc < 0 ? rc : add(root, *name, cxl);
	return rc;
}

int cxl_devices_read(const struct root *root, struct cxl_devices *cxl)
{
	int rc = add_all(root, "mem", cxl, add_memdev);

	rc = rc < 0 ? rc : add_all(root, "region", cxl, add_region);
	if (rc == 0 && cxl->memdevs.count)
		qsort(cxl->memdevs.items, cxl->memdevs.count, sizeof(*cxl->memdevs.items), compare_memdevs);
	if (rc == 0 && cxl->regions.count)
		qsort(cxl->regions.items, cxl->regions.count, sizeof(*cxl->regions.items), compare_regions);
	return rc < 0 ? rc : add_all(root, "endpoint", cxl, add_endpoint);
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

/* An attribute that was open when its device went answers ENODEV: fs/kernfs/file.c:kernfs_seq_start() */
int cxl_number(const struct root *root, const char *name, const char *attribute, uint64_t *number)
{
	int rc = root_numberf(root, number, CXL_DEVICES "/%s/%s", name, attribute);

	if (rc < 0)
		*number = 0;
	if (rc == -ENODEV)
		return -EAGAIN;
	return rc == -ENOENT ? 0 : rc;
}

int cxl_numbers(const struct root *root, const char *name, const struct cxl_attribute *attributes, size_t count)
{
	int rc = 0;

	for (size_t i = 0; i < count; i++) {
		*attributes[i].number = 0;
		rc = rc < 0 ? rc : cxl_number(root, name, attributes[i].name, attributes[i].number);
	}
	return rc;
}
