// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Device-mapper tables: LVM, LUKS, multipath, plain ones. The table is read by
 * the ioctl itself (linux/dm-ioctl.h), which changes nothing; tables are made
 * by libdevmapper (effects-dm.c). A table of dm-crypt holds the key: it goes no
 * further than here, and our copy is wiped.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "retire/dm-table.h"
#include "retire/holders/kinds.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

/* What the kernel's new_encode_dev()/huge_encode_dev() makes of a device number. */
static uint64_t encoded(dev_t dev)
{
	return (minor(dev) & 0xff) | ((uint64_t)major(dev) << 8) | ((uint64_t)(minor(dev) & ~0xffU) << 12);
}

/* The buffer that an ioctl fills; wiped when it is let go. */
struct table {
	struct dm_ioctl *io;
	size_t size;
};

static void cleanup_table(struct table *table)
{
	if (table->io)
		explicit_bzero(table->io, table->size);
	free(table->io);
}

static int read_table(int control, dev_t dev, struct table *table)
{
	for (size_t size = 16 * 1024; size <= 1024 * 1024; size *= 4) {
		cleanup_table(table);
		*table = (struct table){ calloc(1, size), size };
		if (!table->io)
			return -ENOMEM;
		table->io->version[0] = DM_VERSION_MAJOR;
		table->io->data_size = (uint32_t)size;
		table->io->data_start = sizeof(*table->io);
		table->io->dev = encoded(dev);
		table->io->flags = DM_STATUS_TABLE_FLAG | DM_NOFLUSH_FLAG | DM_SECURE_DATA_FLAG;
		if (ioctl(control, DM_TABLE_STATUS, table->io) < 0)
			return -errno;
		if (!(table->io->flags & DM_BUFFER_FULL_FLAG))
			return 0;
	}
	return -E2BIG;
}

static int note_lower(void *argument, const char *word, char replaced[32])
{
	struct dm *dm = argument;
	struct lower *lower;
	dev_t dev;

	if (parse_dev(word, &dev) < 0)
		return -EINVAL;
	snprintf(replaced, 32, "%.31s", word);
	array_each(known, &dm->lower)
		if (known->dev == dev)
			return 0;
	lower = array_add(&dm->lower);
	if (!lower)
		return -ENOMEM;
	lower->dev = dev;
	return 0;
}

/* Words of the kernel's, of which no device is left out; a type that is not known keeps its to itself. */
static int add_target(struct holder *holder, const struct dm_target_spec *spec, const char *params)
{
	_cleanup_free_ char *copy = NULL;
	struct dm_target *target = array_add(&holder->dm.targets);
	bool known;

	if (!target)
		return -ENOMEM;
	target->start = spec->sector_start;
	target->length = spec->length;
	target->type = strndup(spec->target_type, sizeof(spec->target_type));
	known = target->type && dm_type_is_known(target->type);
	target->params = strdup(known ? params : "");
	if (!target->type || !target->params)
		return -ENOMEM;
	if (strcmp(target->type, "crypt") == 0)
		holder->refusal = "it is encrypted, and its key cannot be kept to put it back; close it by hand: "
				  "cryptsetup close";
	else if (!known || dm_replace_devices(target, note_lower, &holder->dm, &copy) < 0)
		holder->refusal =
			"its table is of a kind that this program cannot make again (multipath, RAID, …); "
			"take it down by hand: lvchange -an or dmsetup remove";
	return 0;
}

static int add_targets(struct holder *holder, const struct table *table)
{
	const char *data = (const char *)table->io + table->io->data_start;
	size_t room = table->size - table->io->data_start, at = 0;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < table->io->target_count; i++) {
		struct dm_target_spec spec;

		if (at > room || room - at <= sizeof(spec))
			return -EBADMSG;
		memcpy(&spec, data + at, sizeof(spec));
		if (!memchr(data + at + sizeof(spec), '\0', room - at - sizeof(spec)))
			return -EBADMSG;
		rc = add_target(holder, &spec, data + at + sizeof(spec));
		/* from the start of the data, drivers/md/dm-ioctl.c:retrieve_status() */
		at = spec.next;
	}
	return rc;
}

static int describe(int control, struct holder *holder)
{
	_cleanup_(cleanup_table) struct table table = { 0 };
	struct dm *dm = &holder->dm;
	int rc = read_table(control, holder->dev, &table);

	if (rc < 0)
		return rc;
	dm->name = strndup(table.io->name, sizeof(table.io->name));
	dm->uuid = strndup(table.io->uuid, sizeof(table.io->uuid));
	dm->read_only = table.io->flags & DM_READONLY_FLAG;
	if (!dm->name || !dm->uuid)
		return -ENOMEM;
	if (table.io->flags & DM_SUSPEND_FLAG)
		holder->refusal = "it is suspended; resume it first: dmsetup resume";
	rc = add_targets(holder, &table);
	if (!holder->refusal && !dm->targets.count)
		holder->refusal = "it has no table; remove it by hand: dmsetup remove";
	return rc;
}

/* Those that the round has added. A recorded tree has no tables. */
static void describe_those(const struct root *root, struct look *look, size_t from)
{
	_cleanup_close_ int control = root->recorded ? -1 : root_openf(root, O_RDWR, "/dev/mapper/control");

	for (size_t i = from; i < look->holders.count; i++) {
		struct holder *holder = &look->holders.items[i];

		if (control < 0 || describe(control, holder) < 0)
			holder->refusal = "its table cannot be read; take it down by hand: lvchange -an, "
					  "cryptsetup close or dmsetup remove";
#ifndef HAVE_DEVMAPPER
		holder->refusal =
			"this program was built without libdevmapper; take it down by hand: lvchange -an, "
			"cryptsetup close or dmsetup remove";
#endif
	}
}

static int probe_dm(const struct root *root, struct look *look, struct err *err)
{
	size_t before = look->holders.count;
	int rc = find_stacked(root, look, HOLDER_DM, "dm-");

	if (rc > 0)
		describe_those(root, look, before);
	return rc < 0 ? err_errno(err, rc, "cannot list device-mapper devices") : rc;
}

const struct holder_kind kind_dm = {
	.type = HOLDER_DM,
	.name = "dm",
	.probe = probe_dm,
	.stacks = true,
	.lifted_by = EVICT_STOP,
	.before = { STEP_KILL, STEP_AWAIT_EXIT },
	.after = { STEP_DM_REMOVE },
};
