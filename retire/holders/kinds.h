/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds, each in the file of its name, and what their probes share: the
 * block devices that are watched, and the place that something was found on.
 * Private to this room.
 */
#ifndef RETIRE_HOLDERS_KINDS_H
#define RETIRE_HOLDERS_KINDS_H

#include "retire/holders/holders.h"

extern const struct holder_kind kind_partition, kind_dm, kind_md, kind_loop;
extern const struct holder_kind kind_filesystem, kind_overlay, kind_mount, kind_swap, kind_process;
extern const struct holder_kind kind_export, kind_nvme_target, kind_scsi_target, kind_bcache, kind_memory;

/* A watched block device: one of the devices, or a holder that is one. */
struct block {
	char name[64]; /* in /sys/class/block */
	dev_t dev;
	struct place {
		int device; /* index into look.devices */
		int on;	    /* id of the holder that is this place; 0: the device itself */
	} place;
};

/*
 * Walks the watched block devices; start with *cursor 0. Holders may be added
 * while it walks: they come along later in the same walk.
 */
bool block_next(const struct look *look, size_t *cursor, struct block *block);

/* The watched block device with this number. False when it is not watched. */
bool place_of_dev(const struct look *look, dev_t dev, struct place *place);

/*
 * The watched block device that `path` names by its last component, or the
 * mount in the look with the longest mount point above `path`. By name only:
 * for recorded trees, and for paths that cannot be reached.
 */
bool place_of_path(const struct root *root, const struct look *look, const char *path, struct place *place);

/* Where the kernel keeps a directory, /sys/fs/TYPE/DISK, for each superblock as long as it lives; NULL ends it. */
extern const char *const superblock_dirs[];

/* Adds a file system that no mount shows. 0 or -ENOMEM. */
int filesystem_add_detached(struct look *look, const struct block *block, const char *fstype);

/*
 * Adds a process, found otherwise, as a holder of a device, or of the file
 * system there. *added stays NULL when it is gone, or works for us. 0 or -ENOMEM.
 */
int process_add(const struct root *root, struct look *look, int device, pid_t pid, struct holder **added);

/* Like look_add_unknown(), but a subject is added once only: probes run again. */
int add_unknown_once(struct look *look, const char *subject, const char *reason);

/* Finds `type` of block device among the sysfs `holders` of what is watched; `prefix` is the start of its names.
 */
int find_stacked(const struct root *root, struct look *look, enum holder_type type, const char *prefix);

#endif
