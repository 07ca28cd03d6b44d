// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "retire/steps/steps.h"
#include "util/child.h"
#include "util/cleanup.h"
#include "util/text.h"

struct layer {
	int ns;
	const char *path;
};

/* In a child. */
static int open_layer(void *argument, int *fd)
{
	const struct layer *layer = argument;

	if (setns(layer->ns, CLONE_NEWNS) < 0)
		return -errno;
	*fd = open(layer->path, O_PATH | O_CLOEXEC);
	return *fd < 0 ? -errno : 0;
}

static bool is_layer_on(const struct execution *execution, int device, int ns, const char *path)
{
	struct layer layer = { .ns = ns, .path = path };
	_cleanup_close_ int fd = -1;
	struct stat found;
	struct child left;
	int rc = child_run(open_layer, &layer, -1, step_deadline(execution, 5000), &fd, &left);

	child_forget(&left);
	return rc == 0 && fstat(fd, &found) == 0 && step_is_on(execution, device, &found);
}

int step_check_layers(const struct execution *execution, const struct captured *captured,
		      const struct mount *mount, int ns, struct err *err)
{
	static const char *const keys[] = { "upperdir=", "lowerdir=", "lowerdir+=" };

	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		_cleanup_free_ char *layers = option_value(mount->super_options, keys[i]);
		char *cursor = layers, *path;

		if (layers && is_layer_on(execution, captured->device, ns, layers))
			return 0;
		while ((path = next_field(&cursor, ":")))
			if (is_layer_on(execution, captured->device, ns, path))
				return 0;
	}
	return err_set(err, -EPERM, "no layer of it is on %s",
		       execution->look->devices.items[captured->device].name);
}
