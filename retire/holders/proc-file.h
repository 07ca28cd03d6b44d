/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files of a process, read whole. Private to this room. */
#ifndef RETIRE_HOLDERS_PROC_FILE_H
#define RETIRE_HOLDERS_PROC_FILE_H

#include "retire/holders/procfs.h"

enum { PROC_FILE_SIZE = 16 << 10 };

/* File `name` in `dir`, up to PROC_FILE_SIZE - 1 bytes of it. Length or a negative errno. */
ssize_t proc_file_read(int dir, const char *name, char text[PROC_FILE_SIZE]);

/* Such a file as a struct proc_stat. 0 or a negative errno. */
int proc_file_stat(int dir, const char *name, struct proc_stat *stat);

/* It is there and waits for something; not for a processor. */
bool proc_file_is_asleep(pid_t pid);

#endif
