// SPDX-License-Identifier: GPL-2.0-or-later
/* What a line of a mount table tells of how to mount that again. */
#include <string.h>

#include "retire/model.h"

/* Layers are named as whoever mounted it named them, and a relative name says little. */
static bool has_relative_layer(const char *options)
{
	static const char *const keys[] = { "lowerdir=", "lowerdir+=", "datadir+=", "upperdir=", "workdir=" };

	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		const char *value = options;

		while ((value = strstr(value, keys[i]))) {
			value += strlen(keys[i]);
			if (*value != '/')
				return true;
			for (; i == 0 && *value && *value != ','; value++)
				if (value[0] == ':' && value[1] != '/' && value[1] != ':')
					return true;
		}
	}
	return false;
}

/* fsconfig(2) takes no longer string */
static bool has_long_option(const char *options)
{
	size_t length;

	for (; *options; options += length + (options[length] == ',')) {
		length = strcspn(options, ",");
		if (length >= 256)
			return true;
	}
	return false;
}

static const char *overlay_why_once(const char *options)
{
	/* it marks its work directory, from which no second one is mounted; newer kernels say fsync=volatile */
	if (strstr(options, "volatile"))
		return "it was mounted volatile";
	/* what the kernel escapes, and what was escaped for it, look alike */
	if (strchr(options, '\\'))
		return "the names of its layers have special signs";
	if (has_relative_layer(options))
		return "its layers are named from a directory that is not known";
	return has_long_option(options) ? "its options are too long" : NULL;
}

const char *mount_why_once(const struct mount *mount)
{
	if (mount->foreign)
		return NULL;
	/* the table shows that it is (fs/proc_namespace.c:show_mnt_opts()), not how */
	if (strstr(mount->options, ",idmapped"))
		return "its id mapping is not known";
	return strcmp(mount->fstype, "overlay") == 0 ? overlay_why_once(mount->super_options) : NULL;
}
