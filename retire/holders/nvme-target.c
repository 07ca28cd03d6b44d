// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Namespaces that nvmet serves, as configfs shows them. It opens a block device
 * without claiming it (nvmet_bdev_ns_enable()), so that a claim proves nothing
 * about it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "retire/holders/served.h"
#include "util/cleanup.h"
#include "util/root.h"

#define SUBSYSTEMS "/sys/kernel/config/nvmet/subsystems"

static char *attribute_of(const struct root *root, const char *directory, const char *name)
{
	return root_attributef(root, "%s/%s", directory, name);
}

static int add_target(struct look *look, const struct place *place, const char *name, const char *directory,
		      const char *backing, const char *uuid)
{
	struct holder *holder = add_served(look, HOLDER_NVME_TARGET, place, name);

	if (!holder)
		return -ENOMEM;
	holder->nvme = (struct nvme_target){ .directory = strdup(directory),
					     .backing = strdup(backing),
					     .uuid = uuid ? strdup(uuid) : NULL };
	return holder->nvme.directory && holder->nvme.backing ? 1 : -ENOMEM;
}

static int probe_namespace(const struct root *root, struct look *look, const char *subsystem, const char *nsid)
{
	_cleanup_free_ char *enabled = NULL, *backing = NULL, *uuid = NULL;
	char directory[600], name[300];
	struct place place;
	int rc;

	snprintf(directory, sizeof(directory), SUBSYSTEMS "/%s/namespaces/%s", subsystem, nsid);
	snprintf(name, sizeof(name), "%.240s/%.32s", subsystem, nsid);
	enabled = attribute_of(root, directory, "enable");
	/* gone meanwhile, or not serving: then its path is only text */
	if (!enabled || strcmp(enabled, "1") != 0)
		return enabled || errno == ENOENT ? 0 : look_add_unknown(look, name, "%s", strerror(errno));
	backing = attribute_of(root, directory, "device_path");
	rc = backing ? place_of_served(root, look, backing, &place) : -errno;
	if (rc < 0)
		return look_add_unknown(look, name, "an NVMe target on %s, which cannot be found: %s",
					backing ? backing : "something", strerror(-rc));
	uuid = attribute_of(root, directory, "device_uuid");
	return rc == 0 ? 0 : add_target(look, &place, name, directory, backing, uuid);
}

static int probe_subsystem(const struct root *root, struct look *look, const char *subsystem)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, SUBSYSTEMS "/%s/namespaces", subsystem);
	struct dirent *entry;
	int rc, added = 0;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		rc = probe_namespace(root, look, subsystem, entry->d_name);
		if (rc < 0)
			return rc;
		added += rc;
	}
	return added;
}

static int probe_subsystems(const struct root *root, struct look *look)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, SUBSYSTEMS);
	struct dirent *entry;
	int rc, added = 0;

	if (!dir && root_existsf(root, "/sys/module/nvmet"))
		return look_add_unknown(look, "NVMe targets", "nvmet is loaded, and configfs cannot be read");
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		rc = probe_subsystem(root, look, entry->d_name);
		if (rc < 0)
			return rc;
		added += rc;
	}
	return added;
}

static int probe_nvme_targets(const struct root *root, struct look *look, struct err *err)
{
	int rc = probe_subsystems(root, look);

	return rc < 0 ? err_errno(err, rc, "cannot list NVMe targets") : rc;
}

const struct holder_kind kind_nvme_target = {
	.type = HOLDER_NVME_TARGET,
	.name = "nvme-target",
	.probe = probe_nvme_targets,
	.serves = true,
	.phrase = "is an NVMe target on",
	.lifted_by = EVICT_STOP,
	.before = { STEP_WITHDRAW },
};
