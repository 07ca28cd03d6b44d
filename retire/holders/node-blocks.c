// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/holders/node-blocks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

/* "Node 1, zone  Movable": mm/vmstat.c:zoneinfo_show_print(). *zone is ZONE_UNKNOWN for one of another node. */
static bool takes_zone(const char *line, int node, enum memory_zone *zone)
{
	char name[16];
	int of;

	if (sscanf(line, "Node %d, zone %15s", &of, name) != 2)
		return false;
	*zone = of == node ? memory_zone_named(name) : ZONE_UNKNOWN;
	return true;
}

/* "        present  1048576", "  start_pfn:           1048576"; in pages */
static bool takes_value(const char *line, const char *key, uint64_t *value)
{
	line += strspn(line, " ");
	if (!starts_with(line, key))
		return false;
	line += strlen(key);
	return *line == ' ' && parse_number(line + strspn(line, " "), value) == 0;
}

/* The one zone of a node that has pages; ZONE_UNKNOWN: there are more, or none is known. */
struct zone {
	enum memory_zone zone;
	uint64_t spanned, present, start; /* pages */
};

/* One after the other; of a zone without pages only the first two are printed. */
static void take_line(const char *line, struct zone *now, struct zone *only)
{
	uint64_t start;

	if (takes_value(line, "spanned", &now->spanned))
		return;
	if (takes_value(line, "present", &now->present) && now->present) {
		now->zone = only->present ? ZONE_UNKNOWN : now->zone;
		*only = *now;
	} else if (now->present && takes_value(line, "start_pfn:", &start)) {
		only->start = start;
	}
}

static void read_zones(const struct root *root, int node, struct zone *only)
{
	int fd = root_openf(root, O_RDONLY | O_CLOEXEC, "/proc/zoneinfo");
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	_cleanup_free_ char *line = NULL;
	enum memory_zone zone;
	struct zone now = { 0 };
	size_t room = 0;

	*only = (struct zone){ 0 };
	if (!file) {
		cleanup_close(&fd);
		return;
	}
	while (getline(&line, &room, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (takes_zone(line, node, &zone))
			now = (struct zone){ .zone = zone };
		else if (now.zone != ZONE_UNKNOWN)
			take_line(line, &now, only);
	}
	fclose(file);
}

/* The highest number of a block that can be: 52 bits of address, in blocks of 64 MiB. */
enum { NUMBERS_MAX = 1 << 26 };

/* "memory32": there may be a million of them. False: another name, such as "memory_failure". */
static bool takes_number(const char *name, uint64_t *number)
{
	static const char prefix[] = "memory";

	if (!starts_with(name, prefix))
		return false;
	name += strlen(prefix);
	if (!*name)
		return false;
	for (*number = 0; *name >= '0' && *name <= '9' && *number < NUMBERS_MAX; name++)
		*number = *number * 10 + (uint64_t)(*name - '0');
	return !*name;
}

static int add_number(struct node_blocks *blocks, uint64_t number)
{
	if (number >= NUMBERS_MAX)
		return -ERANGE;
	if (number >= blocks->room) {
		uint64_t room = 2 * (number | 7) + 2;
		uint8_t *bits = realloc(blocks->bits, room / 8);

		if (!bits)
			return -ENOMEM;
		memset(bits + blocks->room / 8, 0, (room - blocks->room) / 8);
		blocks->bits = bits;
		blocks->room = room;
	}
	blocks->bits[number / 8] |= (uint8_t)(1 << number % 8);
	return 0;
}

/* drivers/base/node.c:do_register_memory_block_under_node(): a link to each of its blocks, online or not. How
 * many. */
static int64_t read_numbers(const struct root *root, int node, struct node_blocks *blocks)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, "/sys/devices/system/node/node%d", node);
	struct dirent *entry;
	int64_t count = 0;

	while (dir && (entry = readdir(dir))) {
		uint64_t number;
		int rc;

		if (!takes_number(entry->d_name, &number))
			continue;
		rc = add_number(blocks, number);
		if (rc < 0)
			return rc;
		count++;
	}
	return count;
}

/* Whatever it spans is its own, and online. */
static bool is_without_holes(const struct zone *zone, uint64_t pages)
{
	return zone->spanned == zone->present && zone->start % pages == 0 && zone->spanned % pages == 0;
}

int node_blocks_read(const struct root *root, int node, uint64_t block_size, struct node_blocks *blocks)
{
	uint64_t pages = block_size / (uint64_t)sysconf(_SC_PAGESIZE);
	struct zone only;
	int64_t count;

	*blocks = (struct node_blocks){ .node = node };
	read_zones(root, node, &only);
	if (!pages || only.zone == ZONE_UNKNOWN)
		return 0;
	blocks->zone = only.zone;
	if (only.start && is_without_holes(&only, pages)) {
		blocks->first = only.start / pages;
		blocks->count = only.spanned / pages;
		return 0;
	}
	count = read_numbers(root, node, blocks);
	if (count <= 0 || only.present % pages || only.present / pages != (uint64_t)count)
		node_blocks_free(blocks);
	return count == -ENOMEM ? -ENOMEM : 0;
}

bool node_blocks_have(const struct node_blocks *blocks, uint64_t number)
{
	if (number >= blocks->first && number - blocks->first < blocks->count)
		return true;
	return number < blocks->room && blocks->bits[number / 8] & 1 << number % 8;
}

void node_blocks_free(struct node_blocks *blocks)
{
	free(blocks->bits);
	*blocks = (struct node_blocks){ .node = blocks->node };
}
