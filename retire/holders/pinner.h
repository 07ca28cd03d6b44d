/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Can a process have pinned pages? A pin outlives the map that it was made
 * through, and nothing in /proc says of which pages it is.
 */
#ifndef RETIRE_HOLDERS_PINNER_H
#define RETIRE_HOLDERS_PINNER_H

#include <stdbool.h>
#include <sys/types.h>

struct root;

/* A descriptor of a character device or, rdev 0, of what is no file at all: io_uring, an eventfd. */
struct special {
	int fd;
	dev_t rdev;
};

/* By the target of a descriptor's link: io_uring. */
bool link_can_pin(const char *link);

/* By the place in sysfs of a character device, as the link in /sys/dev/char says it: VFIO, iommufd, RDMA, vhost.
 */
bool device_can_pin(const char *place);

/* Can one of the `count` descriptors? They are in fd/ of `dir`, in /proc: of a process or of a thread. */
bool descriptors_can_pin(const struct root *root, int dir, const struct special *special, size_t count);

/* Has the process whose directory is `dir` pinned or locked memory, of whatever? */
bool process_has_pinned(int dir);

#endif
