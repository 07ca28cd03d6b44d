/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The layers of an overlay, out of its line in a mount table. Pure. Private to this room. */
#ifndef RETIRE_HOLDERS_OVERLAY_LAYERS_H
#define RETIRE_HOLDERS_OVERLAY_LAYERS_H

#include "retire/model.h"

struct layer {
	char *path;   /* as it was given when the overlay was mounted, without escapes */
	int ns;	      /* index of the mount namespace of the mount */
	size_t mount; /* index of the mount in its table */
	int error;    /* negative errno: it cannot be looked for */
};

struct layers {
	ARRAY_OF(struct layer) list;
};

/* Adds the layers of `mount`, with -ENOENT for a relative path. 0 or -ENOMEM. */
int layers_add(struct layers *layers, const struct mount *mount, size_t index);
void layers_free(struct layers *layers);

#endif
