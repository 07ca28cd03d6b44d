// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/holders/mountinfo.h"

#include <errno.h>
#include <string.h>

#include "util/text.h"

/* Cuts the next field off; empty ones are an error, since the kernel escapes spaces. */
static int take_field(char **cursor, char **field)
{
	*field = next_field(cursor, " ");
	return *field && **field ? 0 : -EINVAL;
}

static int take_number(char **cursor, uint64_t *number)
{
	char *field;

	if (take_field(cursor, &field) || field[1] == 'x' || field[1] == 'X')
		return -EINVAL;
	return parse_number(field, number);
}

/* The optional fields up to the lone "-": they stay one string, without the space before the "-". */
static int take_optional(char **cursor, char **optional)
{
	char *end;

	if (!*cursor)
		return -EINVAL;
	*optional = *cursor;
	if (starts_with(*cursor, "- ")) {
		**cursor = '\0';
		*cursor += 2;
		return 0;
	}
	end = strstr(*cursor, " - ");
	if (!end)
		return -EINVAL;
	*end = '\0';
	*cursor = end + 3;
	return 0;
}

/* The fields behind the "-". A file system may leave its source empty: mount -t tmpfs "". */
static int take_filesystem(char **cursor, struct mount *mount)
{
	if (take_field(cursor, &mount->fstype))
		return -EINVAL;
	mount->source = next_field(cursor, " ");
	if (!mount->source || !*cursor || !**cursor)
		return -EINVAL;
	/* some file systems put spaces into their options: the rest of the line */
	mount->super_options = *cursor;
	return 0;
}

int mountinfo_parse(char *line, struct mount *mount)
{
	char *cursor = line, *dev;

	memset(mount, 0, sizeof(*mount));
	if (take_number(&cursor, &mount->id) || take_number(&cursor, &mount->parent) ||
	    take_field(&cursor, &dev) || parse_dev(dev, &mount->dev) || take_field(&cursor, &mount->root) ||
	    take_field(&cursor, &mount->point) || take_field(&cursor, &mount->options) ||
	    take_optional(&cursor, &mount->propagation) || take_filesystem(&cursor, mount))
		return -EINVAL;
	if (mount->point[0] != '/')
		return -EINVAL;
	unescape_octal(mount->root);
	unescape_octal(mount->point);
	unescape_octal(mount->fstype);
	unescape_octal(mount->source);
	return 0;
}

int mount_copy(struct mount *copy, const struct mount *mount)
{
	*copy = *mount;
	copy->root = strdup(mount->root);
	copy->point = strdup(mount->point);
	copy->options = strdup(mount->options);
	copy->propagation = strdup(mount->propagation);
	copy->fstype = strdup(mount->fstype);
	copy->source = strdup(mount->source);
	copy->super_options = strdup(mount->super_options);
	if (!copy->root || !copy->point || !copy->options || !copy->propagation || !copy->fstype ||
	    !copy->source || !copy->super_options)
		return -ENOMEM;
	return 0;
}

int namespace_parse(const char *name, uint64_t *ino)
{
	char number[32];
	size_t length;

	if (!starts_with(name, "mnt:["))
		return -EINVAL;
	name += strlen("mnt:[");
	length = strcspn(name, "]");
	if (length >= sizeof(number) || strcmp(name + length, "]") != 0)
		return -EINVAL;
	memcpy(number, name, length);
	number[length] = '\0';
	return parse_number(number, ino);
}

bool has_option(const char *options, const char *option)
{
	size_t length = strlen(option);

	for (const char *at = options; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, option, length) == 0 && (at[length] == ',' || at[length] == '\0'))
			return true;
	}
	return false;
}
