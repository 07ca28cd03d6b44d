/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's type information: where a member lies in a structure.
 *
 * Bounded: whatever the bytes say, nothing outside of them is read. A kind of
 * type that is not known makes all of it unreadable, since what comes after it
 * cannot be found: include/uapi/linux/btf.h.
 */
#ifndef RETIRE_PAGES_BTF_H
#define RETIRE_PAGES_BTF_H

#include <stddef.h>
#include <stdint.h>

struct btf {
	const unsigned char *types;
	const char *strings;
	uint32_t strings_size;
	uint32_t *offsets; /* of each type by its id, in `types`; 0 is void */
	uint32_t count;	   /* of types, void included */
	uint32_t *structs; /* the ids of those that are structures */
	uint32_t struct_count;
};

/*
 * `data` has to outlive it, and be aligned to 4. 0, -EINVAL when it is not a
 * BTF of this machine's byte order, or -ENOMEM. btf_close() when done.
 */
int btf_open(struct btf *btf, const void *data, size_t size);
void btf_close(struct btf *btf);

/* Size in bytes; -ENOENT when there is none of that name, -EINVAL when several disagree. */
int btf_struct_size(const struct btf *btf, const char *name, uint32_t *size);

struct btf_place {
	uint32_t offset, size; /* in bytes */
};

/*
 * A member of struct `name`, also within its unnamed structures and unions.
 * -ENOENT when there is none, -EINVAL when structures of that name disagree.
 */
int btf_member(const struct btf *btf, const char *name, const char *member, struct btf_place *place);

#endif
