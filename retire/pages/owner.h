/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of which file is a page? By reading alone: no call goes to a file system that may hang. */
#ifndef RETIRE_PAGES_OWNER_H
#define RETIRE_PAGES_OWNER_H

#include <sys/types.h>

#include "retire/pages/layout.h"
#include "retire/pages/reader.h"

struct owner {
	dev_t dev; /* of the file system */
	uint64_t inode, index;
	char *path; /* from the root of the file system; NULL when the kernel has none in memory. Caller frees. */
};

/*
 * `page` is the address of its struct page. The kernel goes on meanwhile: what
 * comes out is a hint for people, never a proof. 0; -ENOENT: of no file, or of
 * several; -EFAULT; -ENOMEM.
 */
int owner_of(const struct reader *reader, const struct layout *layout, uint64_t page, struct owner *owner);

#endif
