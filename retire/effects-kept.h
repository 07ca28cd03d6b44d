/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mounts that were not of the device, but inside one of its mounts: taken
 * away, each is kept whole as a clone, from which it is put back.
 *
 * A clone that only a descriptor holds would end with this program, and a
 * tmpfs with all that is in it. So it hangs at /run/dax-retire/kept/ID (of the
 * mount), in a directory that is a private mount of its own, out of sight of
 * other mount namespaces. `recover` finds it there. What hangs there is what
 * the kernel knows, not what a journal says.
 *
 * All work in the mount namespace of the caller.
 */
#ifndef RETIRE_EFFECTS_KEPT_H
#define RETIRE_EFFECTS_KEPT_H

#include <stdint.h>

/* Hangs the detached tree there. 0 or a negative errno: then only its descriptor holds it. */
int kept_hang(int tree, uint64_t id);

/* A descriptor (O_PATH) of what hangs there, or -ENOENT. */
int kept_find(uint64_t id);

/* Lets all go, and the directory. 0 or a negative errno. */
int kept_forget(void);

#endif
