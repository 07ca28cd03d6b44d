/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where, in this kernel's structures, is what a count of references reads.
 * Taken from its type information; what is not there, or of another size than
 * is known, makes the layout unknown: then nothing can be told, never "idle".
 */
#ifndef RETIRE_PAGES_LAYOUT_H
#define RETIRE_PAGES_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"

/* Offsets in bytes. */
struct layout {
	/* struct page, and as it is seen as a folio */
	uint32_t page_size;
	uint32_t refcount, mapcount, head; /* bit 0 of the head word: a tail of the page that it points to */
	uint32_t mapping, index;
	uint32_t large_mapcount; /* from the first page of a large folio on; 0: this kernel has none */
	/*
	 * mm/memremap.c, fs/dax.c: what nobody uses has a count of one; since 6.15,
	 * where a folio of a file has `share`, one of none, and counts its mappings.
	 */
	bool counts_mappings;

	/* whose page it is */
	uint32_t mapping_host, inode_number, inode_super, inode_aliases, super_dev;
	uint32_t dentry_alias, dentry_parent, dentry_name, name_text;

	/* from a process to a page in one of its pipes: see vmemmap.c */
	uint32_t task_files, files_table, table_files, file_private, pipe_buffers, buffer_page;
};

/* `btf` is the content of /sys/kernel/btf/vmlinux. 0, or -EOPNOTSUPP with a message that says what is unknown. */
int layout_read(struct layout *layout, const void *btf, size_t size, struct err *err);

#endif
