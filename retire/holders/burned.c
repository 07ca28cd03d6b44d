// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is memory of a device still the system's, after its driver has gone? No
 * unbind says so. What shows it on all kernels is that blocks are left, and the
 * line of its addresses in /proc/iomem.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retire/holders/holders.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

/* "  108000000-13fffffff : System RAM (kmem)": kernel/resource.c:r_show(). False: no such line. */
static bool parse_line(const char *line, uint64_t *first, uint64_t *last, const char **name)
{
	char *end;

	line += strspn(line, " ");
	*first = strtoull(line, &end, 16);
	if (end == line || *end != '-')
		return false;
	line = end + 1;
	*last = strtoull(line, &end, 16);
	*name = end + strlen(" : ");
	return end != line && starts_with(end, " : ");
}

static bool overlaps(const struct device *device, uint64_t first, uint64_t last)
{
	array_each(range, &device->memory)
		if (first <= range->start + (range->size - 1) && last >= range->start)
			return true;
	return false;
}

/* Who may not see addresses sees zeros. */
static int find_line(const struct root *root, const struct device *device, char *why, size_t size)
{
	_cleanup_free_ char *text = NULL;
	bool readable = false;
	char *cursor, *line;

	if (root_readf(root, 4 << 20, &text, "/proc/iomem") < 0)
		return -EACCES;
	for (cursor = text; (line = next_field(&cursor, "\n"));) {
		uint64_t first, last;
		const char *name;

		if (!parse_line(line, &first, &last, &name))
			continue;
		readable |= last != 0;
		if (!starts_with(name, "System RAM") || !overlaps(device, first, last))
			continue;
		snprintf(why, size, "/proc/iomem has %" PRIx64 "-%" PRIx64 " as System RAM", first, last);
		return 1;
	}
	return readable ? 0 : -EACCES;
}

int holders_burned(const struct root *root, const struct device *device, char *why, size_t size)
{
	struct system_ram memory;
	int rc = holders_read_memory(root, device, &memory);
	size_t left = rc < 0 ? 0 : memory.blocks.count;
	uint64_t online = rc < 0 ? 0 : memory_online(&memory);

	free(memory.blocks.items);
	if (rc < 0)
		return rc;
	if (!left)
		return find_line(root, device, why, size);
	snprintf(why, size, "%zu blocks of it are left, %" PRIu64 " of them online", left, online);
	return 1;
}
