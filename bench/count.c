// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * count: what counting the references to a device's pages costs.
 *
 *	count fsdax|devdax START SIZE [ALIGN]
 *
 * Of the physical memory from START on, which has to be of one device of that
 * kind, its pages of ALIGN bytes. Prints how many pages were counted, how many of them are referenced, and
 * microseconds, of which a part is for getting ready: once for a page alone.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retire/pages/pages.h"
#include "util/root.h"

static int count(const struct root *root, const char *mode, uint64_t start, uint64_t size, uint64_t align)
{
	struct look look = { 0 };
	struct device *device = array_add(&look.devices);
	struct memory_range *range;
	const struct references *counted;
	uint64_t begun;
	int rc;

	if (!device)
		return -1;
	device->enabled = true;
	device->mode = strcmp(mode, "devdax") == 0 ? MODE_DEVDAX : MODE_FSDAX;
	device->align = align;
	range = array_add(&device->memory);
	if (!range)
		return -1;
	*range = (struct memory_range){ start, size };
	begun = clock_us();
	rc = pages_count(root, &look, -1, deadline_in(0));
	counted = look_references(&look, 0);
	if (rc == 0 && counted && counted->known)
		printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", counted->counted, counted->referenced,
		       clock_us() - begun);
	else
		fprintf(stderr, "count: %s\n", counted && counted->reason ? counted->reason : strerror(-rc));
	rc = rc == 0 && counted && counted->known ? 0 : -1;
	look_free(&look);
	return rc;
}

int main(int argc, char **argv)
{
	struct root root;
	uint64_t start, size, align;
	bool failed;

	if (argc != 4 && argc != 5) {
		fprintf(stderr, "usage: count fsdax|devdax START SIZE [ALIGN]\n");
		return 2;
	}
	start = strtoull(argv[2], NULL, 0);
	size = strtoull(argv[3], NULL, 0);
	align = argc == 5 ? strtoull(argv[4], NULL, 0) : 0;
	if (root_open(&root, NULL) < 0)
		return 1;
	failed = count(&root, argv[1], start, 4096, 0) < 0 || count(&root, argv[1], start, size, align) < 0;
	root_close(&root);
	return failed;
}
