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

/* "        present  1048576", in pages */
static uint64_t present_in(const char *line)
{
	static const char key[] = "present";
	uint64_t pages;

	line += strspn(line, " ");
	if (!starts_with(line, key))
		return 0;
	line += strlen(key);
	line += strspn(line, " ");
	return parse_number(line, &pages) == 0 ? pages : 0;
}

/* The pages that the node has, and in which zone, where that is one only. */
static uint64_t read_present(const struct root *root, int node, enum memory_zone *only)
{
	int fd = root_openf(root, O_RDONLY | O_CLOEXEC, "/proc/zoneinfo");
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	enum memory_zone zone = ZONE_UNKNOWN;
	_cleanup_free_ char *line = NULL;
	uint64_t pages = 0;
	size_t room = 0;

	*only = ZONE_UNKNOWN;
	if (!file) {
		cleanup_close(&fd);
		return 0;
	}
	while (getline(&line, &room, file) > 0) {
		uint64_t present;

		line[strcspn(line, "\n")] = '\0';
		if (takes_zone(line, node, &zone) || zone == ZONE_UNKNOWN)
			continue;
		present = present_in(line);
		if (!present)
			continue;
		*only = pages ? ZONE_UNKNOWN : zone;
		pages += present;
	}
	fclose(file);
	return pages;
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

int node_blocks_read(const struct root *root, int node, uint64_t block_size, struct node_blocks *blocks)
{
	uint64_t pages = block_size / (uint64_t)sysconf(_SC_PAGESIZE), present;
	int64_t count = 0;

	*blocks = (struct node_blocks){ .node = node };
	present = read_present(root, node, &blocks->zone);
	if (blocks->zone != ZONE_UNKNOWN)
		count = read_numbers(root, node, blocks);
	if (count <= 0 || !pages || present % pages || present / pages != (uint64_t)count)
		node_blocks_free(blocks);
	return count == -ENOMEM ? -ENOMEM : 0;
}

bool node_blocks_have(const struct node_blocks *blocks, uint64_t number)
{
	return number < blocks->room && blocks->bits[number / 8] & 1 << number % 8;
}

void node_blocks_free(struct node_blocks *blocks)
{
	free(blocks->bits);
	*blocks = (struct node_blocks){ .node = blocks->node };
}
