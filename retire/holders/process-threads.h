/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What threads have of their own. Private to this room. */
#ifndef RETIRE_HOLDERS_PROCESS_THREADS_H
#define RETIRE_HOLDERS_PROCESS_THREADS_H

#include "retire/holders/process-files.h"

/*
 * After file_scan_process(): adds what the threads of the process whose
 * directory in /proc is `process` do not share with thread `base`, the one
 * that was looked at. 0 or -ENOMEM.
 */
int scan_threads(struct file_scan *scan, int process, pid_t base);

#endif
