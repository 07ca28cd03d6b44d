// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/holders/overlay-layers.h"

#include <errno.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/text.h"

/* How fs/overlayfs/params.c:ovl_show_options() tells them; only the first is a list. */
static const char *const keys[] = { "lowerdir=", "lowerdir+=", "datadir+=", "upperdir=", "workdir=" };

/* ovl_unescape() */
static void unescape(char *path)
{
	char *to = path;

	for (const char *from = path; *from; *to++ = *from++)
		from += from[0] == '\\' && from[1];
	*to = '\0';
}

static int add_layer(struct layers *layers, const struct layer *like, const char *path, size_t length)
{
	struct layer *layer = length ? array_add(&layers->list) : NULL;

	/* "a::b": what comes behind holds only data */
	if (!length)
		return 0;
	if (!layer)
		return -ENOMEM;
	*layer = *like;
	layer->path = strndup(path, length);
	if (!layer->path)
		return -ENOMEM;
	unescape(layer->path);
	/* from the working directory of whoever mounted it */
	layer->error = layer->path[0] == '/' ? 0 : -ENOENT;
	return 0;
}

/* ovl_next_opt() and its like: a colon that belongs to a path has a backslash before it. */
static int add_list(struct layers *layers, const struct layer *like, const char *list)
{
	const char *start = list, *end;
	int rc = 0;

	for (; rc == 0 && *start; start = *end ? end + 1 : end) {
		for (end = start; *end && *end != ':'; end++)
			end += end[0] == '\\' && end[1];
		rc = add_layer(layers, like, start, (size_t)(end - start));
	}
	return rc;
}

static int add_option(struct layers *layers, const struct layer *like, char *option)
{
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		char *value = option + strlen(keys[i]);

		if (!starts_with(option, keys[i]))
			continue;
		unescape_octal(value);
		return i == 0 ? add_list(layers, like, value) : add_layer(layers, like, value, strlen(value));
	}
	return 0;
}

int layers_add(struct layers *layers, const struct mount *mount, size_t index)
{
	const struct layer like = { .ns = mount->ns, .mount = index };
	_cleanup_free_ char *options = strdup(mount->super_options);
	char *cursor = options, *option;
	int rc = options ? 0 : -ENOMEM;

	while (rc == 0 && (option = next_field(&cursor, ",")))
		rc = add_option(layers, &like, option);
	return rc;
}

void layers_free(struct layers *layers)
{
	array_each(layer, &layers->list)
		free(layer->path);
	free(layers->list.items);
	*layers = (struct layers){ 0 };
}
