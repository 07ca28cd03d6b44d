/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device-dax, on its own or as what a devdax namespace gives to users. Only for targets/. */
#ifndef RETIRE_TARGETS_DAX_H
#define RETIRE_TARGETS_DAX_H

#include "retire/model.h"
#include "util/err.h"

struct root;

/* "dax1.0", but not its siblings such as "dax_region". */
bool dax_is_name(const char *name);

/* Fills *device, which the caller frees whatever is returned. 0 or a negative errno; -ENODEV: it is gone. */
int dax_describe(const struct root *root, const char *name, struct device *device);

/* Adds the device-dax of that name to the devices, once. */
int dax_add_device(const struct root *root, const char *name, struct look *look, struct err *err);

/* Fills device->memory from the ranges of its `blockdev`, and device->align; 0 or -ENOMEM. */
int dax_find_memory(const struct root *root, struct device *device);

/* Adds where the memory of the device-dax `name` is. 0 or a negative errno: only root may read it. */
int dax_read_ranges(const struct root *root, const char *name, struct memory_ranges *ranges);

/* True when memory of the device-dax `name` is online as system RAM, or it is bound to kmem. */
bool dax_is_system_ram(const struct root *root, const char *name);
bool dax_has_online_memory(const struct root *root, const char *name);

/* The same of all blocks that lie wholly inside of a range, whoever has them. What cannot be looked at may be
 * online: of both of these. */
bool dax_range_is_online(const struct root *root, const struct memory_range *range);

/*
 * Gives the device-dax `name` to `driver`, whatever has it now, provided that no
 * memory of it is online. Memory that kmem adds comes offline: who brings it
 * back knows which blocks and where. 0, 1 when it has it, or a negative errno.
 */
int dax_switch_driver(const struct root *root, const char *name, const char *driver);

/* Takes the device-dax `name` from whatever driver has it, provided that no memory of it is online. 0 or a
 * negative errno. */
int dax_release(const struct root *root, const char *name);

/* The name of its driver, "device_dax" or "kmem"; caller frees; NULL when it has none. */
char *dax_driver(const struct root *root, const char *name);

#endif
