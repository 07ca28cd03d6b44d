/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who still references the memory of a device? No kernel waits for that when a
 * device is taken away, and no file in /proc shows all who do: what vmsplice()
 * put into a pipe, a direct write in flight. But the kernel counts references
 * in each struct page, and those can be read.
 *
 * Reads only. It is a proof only when no new reference can arise: end mappings
 * and opens first, then count, then unbind.
 */
#ifndef RETIRE_PAGES_PAGES_H
#define RETIRE_PAGES_PAGES_H

#include "retire/model.h"
#include "util/clock.h"
#include "util/err.h"

struct root;

/*
 * Fills look->references, anew, for each device that has pages, and look->page_array. References go
 * a moment after the process that made them: while some are left it counts
 * again, until `patience` ends or `interrupt` (-1: none) is readable. What
 * cannot be told is not known, with a reason. 0, -EINTR or -ENOMEM.
 */
int pages_count(const struct root *root, struct look *look, int interrupt, struct deadline patience);

/* Fills look->page_array, as a count does, unless it is known. 0, or a negative errno with a message. */
int pages_find_array(const struct root *root, struct look *look, struct err *err);

#endif
