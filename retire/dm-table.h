/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device-mapper targets whose tables are understood: which words of their
 * parameters name a device. The kernel takes nearly any word there for one (a
 * path, "8:1", a number in hexadecimal: drivers/md/dm-table.c:dm_get_dev_t()),
 * so of a table that is made again each of them has to be known.
 */
#ifndef RETIRE_DM_TABLE_H
#define RETIRE_DM_TABLE_H

#include "retire/model.h"

bool dm_type_is_known(const char *type);

/* Is word `number` (from 0) of a target's parameters a device? */
bool dm_word_is_device(const char *type, size_t number);

/*
 * Copies `params` with each word that names a device put through `replace`,
 * which writes the new word (at most 31 bytes) or fails. 0 or a negative errno;
 * the caller frees *copy.
 */
typedef int dm_replace(void *argument, const char *word, char replaced[32]);
int dm_replace_devices(const struct dm_target *target, dm_replace *replace, void *argument, char **copy);

#endif
