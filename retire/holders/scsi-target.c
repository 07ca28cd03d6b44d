// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Backstores of LIO, the kernel's SCSI target, as configfs shows them. To delete
 * one takes its LUNs and the rights of its initiators with it, which nothing
 * here could put back.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "retire/holders/served.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

#define BACKSTORES "/sys/kernel/config/target/core"

enum { INFO_SIZE = 16 << 10 };

/* A block device by its number; a file, which may be a node as well, by its path. */
static int find_place(const struct root *root, const struct look *look, const char *hba, const char *info,
		      struct place *place)
{
	_cleanup_free_ char *file = NULL;
	dev_t dev;
	int rc;

	if (starts_with(hba, "iblock_")) {
		rc = target_parse_dev(info, &dev);
		return rc < 0 ? rc : place_of_dev(look, dev, place);
	}
	file = target_parse_file(info);
	return file ? place_of_served(root, look, file, place) : -EINVAL;
}

static int probe_backstore(const struct root *root, struct look *look, const char *hba, const char *backstore)
{
	_cleanup_free_ char *info = NULL, *enabled = NULL;
	struct place place;
	char name[300];
	int rc;

	snprintf(name, sizeof(name), "%.64s/%.200s", hba, backstore);
	enabled = root_attributef(root, BACKSTORES "/%s/%s/enable", hba, backstore);
	if (!enabled)
		return errno == ENOENT || errno == ENOTDIR ? 0
							   : look_add_unknown(look, name, "%s", strerror(errno));
	if (strcmp(enabled, "1") != 0)
		return 0;
	rc = (int)root_readf(root, INFO_SIZE, &info, BACKSTORES "/%s/%s/info", hba, backstore);
	rc = rc < 0 ? rc : find_place(root, look, hba, info, &place);
	if (rc < 0)
		return look_add_unknown(look, name, "a SCSI target on something that cannot be found: %s",
					strerror(-rc));
	if (rc == 0)
		return 0;
	return add_served(look, HOLDER_SCSI_TARGET, &place, name) ? 1 : -ENOMEM;
}

static int probe_hba(const struct root *root, struct look *look, const char *hba)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, BACKSTORES "/%s", hba);
	struct dirent *entry;
	int rc, added = 0;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		rc = probe_backstore(root, look, hba, entry->d_name);
		if (rc < 0)
			return rc;
		added += rc;
	}
	return added;
}

/* rd_mcp has memory only, pscsi SCSI devices, and user a process that is found like any other */
static bool is_of_interest(const char *hba)
{
	return starts_with(hba, "iblock_") || starts_with(hba, "fileio_");
}

static int probe_hbas(const struct root *root, struct look *look)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, BACKSTORES);
	struct dirent *entry;
	int rc, added = 0;

	if (!dir && root_existsf(root, "/sys/module/target_core_mod"))
		return look_add_unknown(look, "SCSI targets", "LIO is loaded, and configfs cannot be read");
	while (dir && (entry = readdir(dir))) {
		rc = is_of_interest(entry->d_name) ? probe_hba(root, look, entry->d_name) : 0;
		if (rc < 0)
			return rc;
		added += rc;
	}
	return added;
}

static int probe_scsi_targets(const struct root *root, struct look *look, struct err *err)
{
	int rc = probe_hbas(root, look);

	return rc < 0 ? err_errno(err, rc, "cannot list SCSI targets") : rc;
}

const struct holder_kind kind_scsi_target = {
	.type = HOLDER_SCSI_TARGET,
	.name = "scsi-target",
	.probe = probe_scsi_targets,
	.phrase = "is the backstore of a SCSI target on",
	.lifted_by = EVICT_NEVER,
	.refusal = "its LUNs go with it and cannot be put back; delete it by hand: targetcli /backstores/block or "
		   "/backstores/fileio delete NAME",
};
