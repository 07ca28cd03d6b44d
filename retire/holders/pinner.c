// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/holders/pinner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "retire/holders/proc-file.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

bool link_can_pin(const char *link)
{
	/* no path begins like that: anon_inodefs_dname() */
	return strcmp(link, "anon_inode:[io_uring]") == 0;
}

/* Is the last part but one of `place` so called? *name: the last one. */
static bool is_of_class(const char *place, const char *name, const char *class)
{
	size_t length = strlen(class);

	return (size_t)(name - place) > length + 1 && name[-1] == '/' &&
	       strncmp(name - 1 - length, class, length) == 0 && name[-2 - (ssize_t)length] == '/';
}

bool device_can_pin(const char *place)
{
	/* vhost: what a network sends without copying it; the others: for as long as they like */
	static const struct {
		const char *class, *name;
	} devices[] = {
		{ "vfio", "" },	     { "vfio-dev", "" }, { "infiniband_verbs", "uverbs" },
		{ "misc", "iommu" }, { "misc", "vfio" }, { "misc", "vhost-" },
	};
	const char *slash = strrchr(place, '/'), *name = slash ? slash + 1 : place;

	for (size_t i = 0; i < COUNT_OF(devices); i++)
		if (starts_with(name, devices[i].name) && is_of_class(place, name, devices[i].class))
			return true;
	return starts_with(name, "vhost-vdpa-");
}

static bool is_pinning_device(const struct root *root, dev_t rdev)
{
	_cleanup_free_ char *place = root_readlinkf(root, "/sys/dev/char/%u:%u", major(rdev), minor(rdev));

	return place && device_can_pin(place);
}

static bool is_pinning_link(int dir, int fd)
{
	char name[32], link[64];
	ssize_t length;

	snprintf(name, sizeof(name), "fd/%d", fd);
	length = readlinkat(dir, name, link, sizeof(link) - 1);
	if (length < 0)
		return false;
	link[length] = '\0';
	return link_can_pin(link);
}

bool process_has_pinned(int dir)
{
	char text[PROC_FILE_SIZE];

	return proc_file_read(dir, "status", text) > 0 && status_parse_pinned(text) > 0;
}

bool descriptors_can_pin(const struct root *root, int dir, const struct special *special, size_t count)
{
	bool can = false;

	for (size_t i = 0; !can && i < count; i++)
		can = special[i].rdev ? is_pinning_device(root, special[i].rdev)
				      : is_pinning_link(dir, special[i].fd);
	return can;
}
