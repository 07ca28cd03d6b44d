// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/pages/owner.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "util/cleanup.h"

/* Nobody nests directories that deep but to keep us busy. */
enum { DEPTH_MAX = 128 };

/* The name of a directory entry, before what is at `*at` in `path`. */
static int prepend_name(const struct reader *reader, const struct layout *layout, uint64_t dentry, char *path,
			size_t *at)
{
	uint64_t hash_and_length, text;
	size_t length;
	int rc = reader_word(reader, dentry + layout->dentry_name, &hash_and_length);

	rc = rc < 0 ? rc : reader_word(reader, dentry + layout->dentry_name + layout->name_text, &text);
	if (rc < 0)
		return rc;
	/* include/linux/stringhash.h:hashlen_len() */
	length = (size_t)(hash_and_length >> 32);
	if (!length || length > NAME_MAX || length + 1 > *at)
		return -ENAMETOOLONG;
	rc = reader_copy(reader, text, length);
	if (rc < 0)
		return rc;
	if (memchr(reader->window, '\0', length) || memchr(reader->window, '/', length))
		return -ENOENT;
	*at -= length + 1;
	path[*at] = '/';
	memcpy(path + *at + 1, reader->window, length);
	return 0;
}

static int path_of(const struct reader *reader, const struct layout *layout, uint64_t inode, char **path)
{
	char text[PATH_MAX];
	size_t at = sizeof(text) - 1;
	uint64_t dentry, parent;
	bool whole = false;
	int rc = reader_word(reader, inode + layout->inode_aliases, &dentry);

	text[at] = '\0';
	if (rc < 0 || !dentry)
		return rc < 0 ? rc : -ENOENT;
	dentry -= layout->dentry_alias;
	for (int depth = 0; rc == 0 && !whole && depth < DEPTH_MAX; depth++, dentry = parent) {
		rc = reader_word(reader, dentry + layout->dentry_parent, &parent);
		/* the root is its own parent; so is one that hangs nowhere, which has no name */
		whole = rc == 0 && parent == dentry;
		if (rc == 0 && !whole)
			rc = prepend_name(reader, layout, dentry, text, &at);
	}
	if (rc < 0 || !whole || !text[at])
		return rc < 0 ? rc : -ENOENT;
	*path = strdup(text + at);
	return *path ? 0 : -ENOMEM;
}

int owner_of(const struct reader *reader, const struct layout *layout, uint64_t page, struct owner *owner)
{
	uint64_t mapping, inode, super;
	uint32_t dev;
	int rc = reader_word(reader, page + layout->mapping, &mapping);

	*owner = (struct owner){ 0 };
	/* none, or one that several files share: fs/dax.c */
	if (rc < 0 || !mapping || mapping & 3)
		return rc < 0 ? rc : -ENOENT;
	rc = reader_word(reader, page + layout->index, &owner->index);
	rc = rc < 0 ? rc : reader_word(reader, mapping + layout->mapping_host, &inode);
	rc = rc < 0 ? rc : reader_word(reader, inode + layout->inode_number, &owner->inode);
	rc = rc < 0 ? rc : reader_word(reader, inode + layout->inode_super, &super);
	rc = rc < 0 ? rc : reader_half(reader, super + layout->super_dev, &dev);
	if (rc < 0)
		return rc;
	/* include/linux/kdev_t.h */
	owner->dev = makedev(dev >> 20, dev & 0xfffff);
	rc = path_of(reader, layout, inode, &owner->path);
	return rc == -ENOMEM ? rc : 0;
}
