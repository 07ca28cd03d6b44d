// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retire/holders/holders.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

#define NODES "/sys/devices/system/node"

/* "Node 1 MemTotal:        1048576 kB": drivers/base/node.c:node_read_meminfo(). False: another line. */
static bool parse_total(const char *line, int node, uint64_t *bytes)
{
	char start[48];
	uint64_t kib;
	char *end;

	snprintf(start, sizeof(start), "Node %d MemTotal:", node);
	if (!starts_with(line, start))
		return false;
	kib = strtoull(line + strlen(start), &end, 10);
	if (end == line + strlen(start) || strcmp(end, " kB") != 0 || kib > UINT64_MAX / 1024)
		return false;
	*bytes = kib * 1024;
	return true;
}

int holders_node_total(const struct root *root, int node, uint64_t *bytes)
{
	_cleanup_free_ char *text = NULL;
	ssize_t size = root_readf(root, 1 << 16, &text, NODES "/node%d/meminfo", node);
	char *cursor, *line;

	*bytes = 0;
	/* with its last block the node itself goes: mm/memory_hotplug.c:try_offline_node() */
	if (size == -ENOENT && root_existsf(root, NODES))
		return 0;
	if (size < 0)
		return (int)size;
	for (cursor = text; (line = next_field(&cursor, "\n"));)
		if (parse_total(line, node, bytes))
			return 0;
	return -EBADMSG;
}
