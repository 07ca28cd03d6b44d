/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files of ours one process maps. Private to this room. */
#ifndef RETIRE_HOLDERS_PROCESS_MAPS_H
#define RETIRE_HOLDERS_PROCESS_MAPS_H

#include "retire/holders/process-files.h"

/* Adds to the matches of `scan`. 0 or -ENOMEM. */
int file_scan_maps(struct file_scan *scan, int process);

#endif
