/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the kernel has its array of all pages (the vmemmap): struct page
 * number N is at base + N * its size.
 */
#ifndef RETIRE_PAGES_VMEMMAP_H
#define RETIRE_PAGES_VMEMMAP_H

#include "retire/pages/layout.h"
#include "retire/pages/reader.h"

/* 0, or a negative errno with a message. */
int vmemmap_find(const struct reader *reader, const struct layout *layout, uint64_t *base, struct err *err);

#endif
