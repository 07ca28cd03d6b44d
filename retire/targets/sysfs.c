// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/targets/sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

char *sysfs_path(const struct root *root, const char *bus, const char *name)
{
	_cleanup_free_ char *link = root_readlinkf(root, "/sys/bus/%s/devices/%s", bus, name);
	const char *rest = link;
	char *path;

	if (!link)
		return NULL;
	/* "../../../devices/…": relative to a directory that is three below /sys */
	while (starts_with(rest, "../"))
		rest += 3;
	if (asprintf(&path, "/sys/%s", rest) < 0) {
		errno = ENOMEM;
		return NULL;
	}
	return path;
}

int sysfs_write(const struct root *root, const char *value, const char *fmt, ...)
{
	_cleanup_close_ int fd = -1;
	char path[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	fd = root_openf(root, O_WRONLY | O_CLOEXEC, "%s", path);
	if (fd < 0)
		return fd;
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

char *sysfs_basename(const char *link)
{
	const char *slash = link ? strrchr(link, '/') : NULL;

	return slash ? strdup(slash + 1) : NULL;
}

int sysfs_link(const struct root *root, const char *bus, const char *device, const char *link, char **name)
{
	_cleanup_free_ char *target = root_readlinkf(root, "/sys/bus/%s/devices/%s/%s", bus, device, link);

	*name = NULL;
	if (!target)
		return errno == ENOENT ? 0 : -errno;
	*name = sysfs_basename(target);
	if (*name)
		return 0;
	return strchr(target, '/') ? -ENOMEM : -EBADMSG;
}

int sysfs_has_driver(const struct root *root, const char *bus, const char *device)
{
	_cleanup_free_ char *driver = NULL;
	int rc = sysfs_link(root, bus, device, "driver", &driver);

	return rc < 0 ? rc : driver != NULL;
}

bool sysfs_is_numbered(const char *name, const char *prefix, unsigned *number)
{
	const char *digits = name + strlen(prefix);
	uint64_t value;

	if (!starts_with(name, prefix) || strspn(digits, "0123456789") != strlen(digits) ||
	    (digits[0] == '0' && digits[1]) || parse_number(digits, &value) < 0 || value > UINT_MAX)
		return false;
	*number = (unsigned)value;
	return true;
}

int sysfs_add_memory(struct device *device, uint64_t start, uint64_t size)
{
	struct memory_range *range = array_add(&device->memory);

	if (!range)
		return -ENOMEM;
	*range = (struct memory_range){ start, size };
	return 0;
}

/* The initial namespaces have fixed numbers: include/linux/proc_ns.h, PROC_PID_INIT_INO and PROC_USER_INIT_INO. */
static bool is_initial(const struct root *root, const char *kind, unsigned number)
{
	_cleanup_free_ char *link = root_readlinkf(root, "/proc/self/ns/%s", kind);
	char initial[32];

	snprintf(initial, sizeof(initial), "%s:[%u]", kind, number);
	return link && strcmp(link, initial) == 0;
}

bool sysfs_sees_everybody(const struct root *root)
{
	return is_initial(root, "pid", 0xEFFFFFFCU) && is_initial(root, "user", 0xEFFFFFFDU);
}

int sysfs_names_add(struct sysfs_names *names, const char *name)
{
	char **added = array_add(&names->list);

	if (added)
		*added = strdup(name);
	return added && *added ? 0 : -ENOMEM;
}

static int compare_names(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

void sysfs_names_sort(struct sysfs_names *names)
{
	if (names->list.count)
		qsort(names->list.items, names->list.count, sizeof(char *), compare_names);
}

static int read_names(DIR *dir, const char *prefix, struct sysfs_names *names)
{
	struct dirent *entry;

	/* one that cannot be read to its end has told of some only: readdir(3) */
	while (errno = 0, (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && starts_with(entry->d_name, prefix) &&
		    sysfs_names_add(names, entry->d_name) < 0)
			return -ENOMEM;
	return errno == ENOENT ? 0 : -errno;
}

int sysfs_names_read(const struct root *root, const char *prefix, struct sysfs_names *names, const char *fmt, ...)
{
	_cleanup_closedir_ DIR *dir = NULL;
	char path[512];
	va_list ap;
	int rc;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	dir = root_opendirf(root, "%s", path);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	rc = read_names(dir, prefix, names);
	sysfs_names_sort(names);
	return rc;
}

void sysfs_names_free(struct sysfs_names *names)
{
	array_each(name, &names->list)
		free(*name);
	free(names->list.items);
}
