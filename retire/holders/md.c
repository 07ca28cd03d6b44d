// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Software RAID. What an array is made of is in sysfs (Documentation/admin-guide/md.rst
 * of the kernel); when it was created, by which it is known again, tells only an ioctl.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/major.h>
#include <linux/raid/md_u.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "retire/holders/kinds.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

/* Attributes below /sys/block/NAME/md, and with which of their values an array can be put back. */
static const struct {
	const char *attribute;
	bool optional;	     /* not every level has it */
	const char *good[6]; /* none: all but `bad` */
	const char *bad;
	const char *refusal;
} conditions[] = {
	{ "array_state",
	  false,
	  { "clean", "active", "active-idle", "write-pending", "readonly", "read-auto" },
	  NULL,
	  "it is not running as it should; stop it by hand: mdadm --stop" },
	{ "metadata_version",
	  false,
	  { "0.90", "1.0", "1.1", "1.2" },
	  NULL,
	  "its metadata is none of md's own, so that it could not be put back; stop it by hand: mdadm --stop" },
	{ "sync_action",
	  true,
	  { NULL },
	  "reshape",
	  "it is being reshaped; wait for the end of that: mdadm --wait" },
	{ "bitmap/location", true, { NULL }, "file", "its bitmap is in a file; stop it by hand: mdadm --stop" },
	{ "bitmap/metadata",
	  true,
	  { NULL },
	  "clustered",
	  "it is one of a cluster; stop it by hand: mdadm --stop" },
};

static bool is_good(const struct root *root, const char *name, size_t condition)
{
	_cleanup_free_ char *value =
		root_attributef(root, "/sys/block/%s/md/%s", name, conditions[condition].attribute);

	if (!value)
		return conditions[condition].optional;
	if (conditions[condition].bad)
		return strcmp(value, conditions[condition].bad) != 0;
	for (size_t i = 0; i < COUNT_OF(conditions[condition].good); i++)
		if (conditions[condition].good[i] && strcmp(value, conditions[condition].good[i]) == 0)
			return true;
	return false;
}

/* A member that is out of order, or a journal, is not simply put in again. */
static bool is_plain_member(const struct root *root, const char *name, const char *member)
{
	_cleanup_free_ char *state = root_attributef(root, "/sys/block/%s/md/%s/state", name, member);

	return state && !strstr(state, "faulty") && !strstr(state, "journal") && !strstr(state, "replacement");
}

/* 0, -EMEDIUMTYPE when there is one of another sort, or a negative errno. */
static int add_members(const struct root *root, struct holder *holder)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, "/sys/block/%s/md", holder->name);
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		struct lower *lower;
		int rc;

		if (!starts_with(entry->d_name, "dev-"))
			continue;
		if (!is_plain_member(root, holder->name, entry->d_name))
			return -EMEDIUMTYPE;
		lower = array_add(&holder->md.lower);
		if (!lower)
			return -ENOMEM;
		rc = root_devf(root, &lower->dev, "/sys/block/%s/md/%s/block/dev", holder->name, entry->d_name);
		if (rc < 0)
			return rc;
	}
	return holder->md.lower.count ? 0 : -ENODEV;
}

/* Opening the node of an array that is gone would make it anew: only one that sysfs has. */
static int read_info(const struct root *root, const struct holder *holder, mdu_array_info_t *info)
{
	_cleanup_close_ int fd = -1, node = root_openf(root, O_PATH, "/dev/%s", holder->name);
	struct stat st;

	if (node < 0)
		return node;
	if (fstat(node, &st) < 0 || !S_ISBLK(st.st_mode) || st.st_rdev != holder->dev)
		return -ENXIO;
	fd = root_openf(root, O_RDONLY | O_NONBLOCK, "/dev/%s", holder->name);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISBLK(st.st_mode) || st.st_rdev != holder->dev)
		return -ENXIO;
	return ioctl(fd, GET_ARRAY_INFO, info) < 0 ? -errno : 0;
}

static int describe(const struct root *root, struct holder *holder)
{
	_cleanup_free_ char *state = root_attributef(root, "/sys/block/%s/md/array_state", holder->name);
	mdu_array_info_t info = { 0 };
	int rc = add_members(root, holder);

	if (rc == 0)
		rc = read_info(root, holder, &info);
	if (rc < 0)
		return rc;
	holder->md.level = info.level;
	holder->md.raid_disks = (unsigned)info.raid_disks;
	holder->md.major = (unsigned)info.major_version;
	holder->md.minor = (unsigned)info.minor_version;
	holder->md.created = (uint32_t)info.ctime;
	holder->md.read_only = state && strcmp(state, "readonly") == 0;
	return 0;
}

static const char *why_not(const struct root *root, struct holder *holder)
{
	int rc;

	if (root->recorded)
		return "its members cannot be read; stop it by hand: mdadm --stop";
	for (size_t i = 0; i < COUNT_OF(conditions); i++)
		if (!is_good(root, holder->name, i))
			return conditions[i].refusal;
	rc = describe(root, holder);
	if (rc == -EMEDIUMTYPE)
		return "it has a member that is faulty, a journal or a replacement; remove that (mdadm --remove) "
		       "or "
		       "stop the array by hand: mdadm --stop";
	if (rc < 0)
		return "its members cannot be read; stop it by hand: mdadm --stop";
	if (holder->md.level < -1 || holder->md.level > 10)
		return "it is of a level that this program does not know; stop it by hand: mdadm --stop";
	if (major(holder->dev) != MD_MAJOR || strspn(holder->name + 2, "0123456789") != strlen(holder->name + 2))
		return "it has a name instead of a number, so that it could not be put back the same; stop it by "
		       "hand: mdadm --stop";
	return NULL;
}

static int probe_md(const struct root *root, struct look *look, struct err *err)
{
	size_t before = look->holders.count;
	int rc = find_stacked(root, look, HOLDER_MD, "md");

	for (size_t i = before; rc > 0 && i < look->holders.count; i++)
		look->holders.items[i].refusal = why_not(root, &look->holders.items[i]);
	return rc < 0 ? err_errno(err, rc, "cannot list md arrays") : rc;
}

const struct holder_kind kind_md = {
	.type = HOLDER_MD,
	.name = "md",
	.probe = probe_md,
	.stacks = true,
	.lifted_by = EVICT_STOP,
	.before = { STEP_KILL, STEP_AWAIT_EXIT },
	.after = { STEP_MD_STOP },
};
