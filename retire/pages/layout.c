// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/pages/layout.h"

#include <errno.h>
#include <string.h>

#include "retire/pages/btf.h"
#include "util/array.h"

#define AT(field) offsetof(struct layout, field)

/* A member, the name that it had or has in other kernels, and its size in bytes: 0 is not compared. */
static const struct wanted {
	const char *structure, *member, *or_member;
	uint32_t size;
	size_t into;
} wanted[] = {
	{ "page", "_refcount", NULL, 4, AT(refcount) },
	{ "page", "_mapcount", NULL, 4, AT(mapcount) },
	{ "page", "compound_head", "compound_info", 8, AT(head) },
	{ "folio", "mapping", NULL, 8, AT(mapping) },
	{ "folio", "index", NULL, 8, AT(index) },
	{ "address_space", "host", NULL, 8, AT(mapping_host) },
	{ "inode", "i_ino", NULL, 8, AT(inode_number) },
	{ "inode", "i_sb", NULL, 8, AT(inode_super) },
	{ "inode", "i_dentry", NULL, 8, AT(inode_aliases) },
	{ "super_block", "s_dev", NULL, 4, AT(super_dev) },
	{ "dentry", "d_u", "d_alias", 0, AT(dentry_alias) },
	{ "dentry", "d_parent", NULL, 8, AT(dentry_parent) },
	{ "dentry", "d_name", NULL, 16, AT(dentry_name) },
	{ "qstr", "name", NULL, 8, AT(name_text) },
	{ "task_struct", "files", NULL, 8, AT(task_files) },
	{ "files_struct", "fdt", NULL, 8, AT(files_table) },
	{ "fdtable", "fd", NULL, 8, AT(table_files) },
	{ "file", "private_data", NULL, 8, AT(file_private) },
	{ "pipe_inode_info", "bufs", NULL, 8, AT(pipe_buffers) },
	{ "pipe_buffer", "page", NULL, 8, AT(buffer_page) },
};

static int find(const struct btf *btf, const struct wanted *want, struct layout *layout, struct err *err)
{
	struct btf_place place;
	int rc = btf_member(btf, want->structure, want->member, &place);

	if (rc == -ENOENT && want->or_member)
		rc = btf_member(btf, want->structure, want->or_member, &place);
	if (rc < 0 || (want->size && want->size != place.size))
		return err_set(err, -EOPNOTSUPP, "this kernel's struct %s has no %s as it is known",
			       want->structure, want->member);
	memcpy((char *)layout + want->into, &place.offset, sizeof(place.offset));
	return 0;
}

static int find_page(const struct btf *btf, struct layout *layout, struct err *err)
{
	struct btf_place place;

	/* 56 to 96 bytes, as the kernel is made: include/linux/mm.h:__mm_zero_struct_page() */
	if (btf_struct_size(btf, "page", &layout->page_size) < 0 || layout->page_size < 56 ||
	    layout->page_size > 96 || layout->page_size % 8)
		return err_set(err, -EOPNOTSUPP, "this kernel's struct page is of no size that is known");
	layout->counts_mappings = btf_member(btf, "folio", "share", &place) == 0;
	if (btf_member(btf, "folio", "_large_mapcount", &place) == 0 && place.size == 4)
		layout->large_mapcount = place.offset;
	if (layout->counts_mappings && !layout->large_mapcount)
		return err_set(err, -EOPNOTSUPP, "this kernel counts the mappings of large pages in another way");
	return 0;
}

/* What is judged of a page lies in it, or in the one after it. */
static int check(const struct layout *layout, struct err *err)
{
	const uint32_t offsets[] = { layout->refcount, layout->mapcount, layout->head };

	for (size_t i = 0; i < COUNT_OF(offsets); i++)
		if (offsets[i] > layout->page_size - 4)
			return err_set(err, -EOPNOTSUPP, "this kernel's struct page makes no sense");
	if (layout->large_mapcount > 2 * layout->page_size - 4)
		return err_set(err, -EOPNOTSUPP, "this kernel's struct folio makes no sense");
	return 0;
}

int layout_read(struct layout *layout, const void *data, size_t size, struct err *err)
{
	struct btf btf;
	int rc = btf_open(&btf, data, size);

	*layout = (struct layout){ 0 };
	if (rc < 0)
		return err_errno(err, rc == -ENOMEM ? rc : -EOPNOTSUPP, "this kernel's type information (BTF)");
	rc = find_page(&btf, layout, err);
	for (size_t i = 0; rc == 0 && i < COUNT_OF(wanted); i++)
		rc = find(&btf, &wanted[i], layout, err);
	btf_close(&btf);
	return rc < 0 ? rc : check(layout, err);
}
