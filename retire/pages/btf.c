// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/pages/btf.h"

#include <errno.h>
#include <linux/btf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	TYPES_MAX = 1 << 22,
	NESTED_MAX = 16,	/* unnamed structures in one another, or names for names of a type */
	LOOKED_AT_MAX = 1 << 20 /* members, in one search: those that contain themselves end it */
};

/* For a member, by its name. */
struct search {
	const struct btf *btf;
	const char *name;
	uint32_t left; /* of LOOKED_AT_MAX */
};

/* What follows a type, in bytes: so much, and so much for each of its `vlen` parts. */
static const struct {
	bool known;
	unsigned char fixed, each;
} kinds[] = {
	[BTF_KIND_INT] = { true, 4, 0 },
	[BTF_KIND_PTR] = { true, 0, 0 },
	[BTF_KIND_ARRAY] = { true, sizeof(struct btf_array), 0 },
	[BTF_KIND_STRUCT] = { true, 0, sizeof(struct btf_member) },
	[BTF_KIND_UNION] = { true, 0, sizeof(struct btf_member) },
	[BTF_KIND_ENUM] = { true, 0, sizeof(struct btf_enum) },
	[BTF_KIND_FWD] = { true, 0, 0 },
	[BTF_KIND_TYPEDEF] = { true, 0, 0 },
	[BTF_KIND_VOLATILE] = { true, 0, 0 },
	[BTF_KIND_CONST] = { true, 0, 0 },
	[BTF_KIND_RESTRICT] = { true, 0, 0 },
	[BTF_KIND_FUNC] = { true, 0, 0 },
	[BTF_KIND_FUNC_PROTO] = { true, 0, sizeof(struct btf_param) },
	[BTF_KIND_VAR] = { true, sizeof(struct btf_var), 0 },
	[BTF_KIND_DATASEC] = { true, 0, sizeof(struct btf_var_secinfo) },
	[BTF_KIND_FLOAT] = { true, 0, 0 },
	[BTF_KIND_DECL_TAG] = { true, sizeof(struct btf_decl_tag), 0 },
	[BTF_KIND_TYPE_TAG] = { true, 0, 0 },
	[BTF_KIND_ENUM64] = { true, 0, sizeof(struct btf_enum64) },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* Every type was checked by index_types(): its header and what follows lie inside. */
static const struct btf_type *type_at(const struct btf *btf, uint32_t id)
{
	const void *at = btf->types + btf->offsets[id];

	return at;
}

static bool is_struct(const struct btf_type *type)
{
	uint32_t kind = BTF_INFO_KIND(type->info);

	return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION;
}

static bool has_name(const struct btf *btf, uint32_t offset, const char *name)
{
	size_t length = strlen(name);

	/* the last byte of the strings is a NUL */
	return offset < btf->strings_size && length < btf->strings_size - offset &&
	       memcmp(btf->strings + offset, name, length + 1) == 0;
}

static int index_types(struct btf *btf, uint32_t size)
{
	uint32_t at = 0, room = 0;

	for (btf->count = 1; at < size; btf->count++) {
		const void *here = btf->types + at;
		const struct btf_type *type = here;
		uint64_t length = sizeof(*type);
		uint32_t kind;

		if (size - at < sizeof(*type) || btf->count >= TYPES_MAX)
			return -EINVAL;
		kind = BTF_INFO_KIND(type->info);
		if (kind >= KINDS || !kinds[kind].known)
			return -EINVAL;
		length += kinds[kind].fixed + (uint64_t)kinds[kind].each * BTF_INFO_VLEN(type->info);
		if (length > size - at)
			return -EINVAL;
		if (btf->count >= room) {
			uint32_t *more = realloc(btf->offsets, (room = room ? 2 * room : 1024) * sizeof(*more));

			if (!more)
				return -ENOMEM;
			btf->offsets = more;
		}
		btf->offsets[btf->count] = at;
		at += (uint32_t)length;
	}
	return 0;
}

static bool is_struct_id(const struct btf *btf, uint32_t id)
{
	return BTF_INFO_KIND(type_at(btf, id)->info) == BTF_KIND_STRUCT;
}

/* One type in ten is one, and all that is searched for is in them. */
static int index_structs(struct btf *btf)
{
	uint32_t count = 0;

	for (uint32_t id = 1; id < btf->count; id++)
		count += is_struct_id(btf, id);
	btf->structs = calloc(count + 1, sizeof(*btf->structs));
	if (!btf->structs)
		return -ENOMEM;
	for (uint32_t id = 1; id < btf->count; id++)
		if (is_struct_id(btf, id))
			btf->structs[btf->struct_count++] = id;
	return 0;
}

/* A part of the file that `header` names: inside, and aligned. */
static bool is_inside(uint32_t offset, uint32_t length, size_t size)
{
	return offset % 4 == 0 && offset <= size && length <= size - offset;
}

int btf_open(struct btf *btf, const void *data, size_t size)
{
	const struct btf_header *header = data;
	size_t rest;
	int rc;

	*btf = (struct btf){ 0 };
	if (size < sizeof(*header) || header->magic != BTF_MAGIC || header->version != BTF_VERSION ||
	    header->hdr_len < sizeof(*header) || header->hdr_len > size || header->hdr_len % 4)
		return -EINVAL;
	rest = size - header->hdr_len;
	if (!is_inside(header->type_off, header->type_len, rest) || header->str_off > rest || !header->str_len ||
	    header->str_len > rest - header->str_off)
		return -EINVAL;
	btf->types = (const unsigned char *)data + header->hdr_len + header->type_off;
	btf->strings = (const char *)data + header->hdr_len + header->str_off;
	btf->strings_size = header->str_len;
	if (btf->strings[btf->strings_size - 1])
		return -EINVAL;
	rc = index_types(btf, header->type_len);
	if (rc == 0)
		rc = index_structs(btf);
	if (rc < 0)
		btf_close(btf);
	return rc;
}

void btf_close(struct btf *btf)
{
	free(btf->offsets);
	free(btf->structs);
	*btf = (struct btf){ 0 };
}

/* The type itself, without the names, const and such around it; NULL for void, or what makes no sense. */
static const struct btf_type *bare_type(const struct btf *btf, uint32_t id)
{
	for (int depth = 0; depth < NESTED_MAX && id && id < btf->count; depth++) {
		const struct btf_type *type = type_at(btf, id);

		switch (BTF_INFO_KIND(type->info)) {
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_CONST:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPE_TAG:
			id = type->type;
			break;
		default:
			return type;
		}
	}
	return NULL;
}

/* 0 where none is known: an array, say. */
static uint32_t size_of(const struct btf *btf, uint32_t id)
{
	const struct btf_type *type = bare_type(btf, id);

	switch (type ? BTF_INFO_KIND(type->info) : BTF_KIND_UNKN) {
	case BTF_KIND_INT:
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return type->size;
	case BTF_KIND_PTR:
		return sizeof(void *);
	default:
		return 0;
	}
}

/* Offset of a member in bits, -1 for a bit field. */
static int64_t bit_offset(const struct btf_type *type, const struct btf_member *member)
{
	if (!BTF_INFO_KFLAG(type->info))
		return member->offset;
	return BTF_MEMBER_BITFIELD_SIZE(member->offset) ? -1 : (int64_t)BTF_MEMBER_BIT_OFFSET(member->offset);
}

static int find_in(struct search *search, const struct btf_type *type, int depth, struct btf_place *place)
{
	const struct btf_member *members = (const void *)(type + 1);
	const struct btf *btf = search->btf;

	for (uint32_t i = 0; i < BTF_INFO_VLEN(type->info); i++) {
		const struct btf_member *member = &members[i];
		int64_t bits = bit_offset(type, member);
		const struct btf_type *inner;

		if (!search->left)
			break;
		search->left--;
		if (bits < 0 || bits % 8)
			continue;
		if (has_name(btf, member->name_off, search->name)) {
			*place = (struct btf_place){ (uint32_t)(bits / 8), size_of(btf, member->type) };
			return 0;
		}
		inner = has_name(btf, member->name_off, "") ? bare_type(btf, member->type) : NULL;
		if (!inner || !is_struct(inner) || depth >= NESTED_MAX ||
		    find_in(search, inner, depth + 1, place) < 0)
			continue;
		place->offset += (uint32_t)(bits / 8);
		return 0;
	}
	return -ENOENT;
}

int btf_struct_size(const struct btf *btf, const char *name, uint32_t *size)
{
	bool found = false;

	for (uint32_t i = 0; i < btf->struct_count; i++) {
		const struct btf_type *type = type_at(btf, btf->structs[i]);

		if (!has_name(btf, type->name_off, name))
			continue;
		if (found && *size != type->size)
			return -EINVAL;
		*size = type->size;
		found = true;
	}
	return found ? 0 : -ENOENT;
}

int btf_member(const struct btf *btf, const char *name, const char *member, struct btf_place *place)
{
	struct search search = { btf, member, LOOKED_AT_MAX };
	bool found = false;

	for (uint32_t i = 0; i < btf->struct_count; i++) {
		const struct btf_type *type = type_at(btf, btf->structs[i]);
		struct btf_place here;

		if (!has_name(btf, type->name_off, name) || find_in(&search, type, 0, &here) < 0)
			continue;
		if (found && (here.offset != place->offset || here.size != place->size))
			return -EINVAL;
		*place = here;
		found = true;
	}
	return found ? 0 : -ENOENT;
}
