/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel modules for a device, as udev would load them when it appears. A
 * guest or a container host may have no udev, and a module can have been
 * unloaded since.
 */
#ifndef RETIRE_TARGETS_MODULES_H
#define RETIRE_TARGETS_MODULES_H

struct root;

/*
 * Loads what the attribute `modalias` of the device at `path` (in sysfs) asks
 * for. 0, also when nothing has that alias: it is built in, or there is none;
 * -EPERM when modprobe.d(5) forbids all there are; other negative errno.
 */
int modules_load_for(const struct root *root, const char *path);

#endif
