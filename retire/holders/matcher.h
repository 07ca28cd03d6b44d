/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is this file one of ours? Answered from numbers alone (device, mount id), so
 * that a descriptor costs one statx(2) and no path. Private to this room.
 */
#ifndef RETIRE_HOLDERS_MATCHER_H
#define RETIRE_HOLDERS_MATCHER_H

#include <sys/stat.h>

#include "retire/holders/kinds.h"

/* What a file of ours is on. */
struct target {
	struct place place; /* `on`: the mount it was reached by, when that is known */
	int key;	    /* the same for all files of one file system, or of one block device */
};

struct matcher {
	const struct look *look;
	ARRAY_OF(struct matched_mount {
		uint64_t id;
		int holder;
	})
	mounts; /* by mount id */
	ARRAY_OF(struct matched_dev {
		dev_t dev;
		int holder;
	})
	filesystems;
	ARRAY_OF(struct foreign_dev { dev_t dev; }) foreign; /* of what is mounted inside */
	/* namespaces whose users keep a mount that nobody may unmount */
	ARRAY_OF(struct pin {
		uint64_t ns;
		int holder;
	})
	pins;
	dev_t nsfs;
};

/* 0 or -ENOMEM. Good as long as nothing but processes is added to the look. */
int matcher_init(struct matcher *matcher, const struct look *look);
void matcher_free(struct matcher *matcher);

/* A file by its statx(STATX_TYPE | STATX_MNT_ID). */
bool matcher_file(const struct matcher *matcher, const struct statx *stx, struct target *target);

/* A file of a file system by its st_dev alone. */
bool matcher_dev(const struct matcher *matcher, dev_t dev, struct target *target);

/* True when only the mount id can tell files with this st_dev apart. */
bool matcher_needs_mount(const struct matcher *matcher, dev_t dev);

/* Whoever lives in mount namespace `ns`: the next pin from *cursor on, which starts at 0. */
bool matcher_pin(const struct matcher *matcher, uint64_t ns, size_t *cursor, struct target *target);

/* A place found otherwise, as a target. */
struct target matcher_target(const struct matcher *matcher, const struct place *place);

#endif
