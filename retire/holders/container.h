/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which container or virtual machine a process belongs to, by the name of its
 * cgroup and by its own command line. Pure, and a label only: whoever may make
 * cgroups chooses their names, and every process its comm and its arguments.
 */
#ifndef RETIRE_HOLDERS_CONTAINER_H
#define RETIRE_HOLDERS_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>

/* Is that the comm of a program that runs virtual machines? */
bool is_vm_monitor(const char *comm);

/*
 * The outermost container that the text of /proc/PID/cgroup shows: its id or
 * name. Of a virtual machine the name that systemd-machined knows it by; then
 * *vm is true. NULL: neither. The caller frees.
 */
char *cgroup_parse_container(const char *text, bool *vm);

/*
 * What the command line of a virtual machine monitor, arguments that each end
 * with a NUL, calls its machine; "" when it says nothing. NULL: out of memory.
 */
char *cmdline_parse_vm(const char *cmdline, size_t length);

#endif
