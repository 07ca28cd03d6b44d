// SPDX-License-Identifier: GPL-2.0-or-later
/* What a process has of a node of memory, and where it may have it: lines of /proc/PID/numa_maps and status. */
#include <stdio.h>
#include <string.h>

#include "retire/holders/memory-use.h"
#include "util/text.h"

/* "N1=97" */
static uint64_t pages_of(const char *field, int node)
{
	char start[16];
	uint64_t pages;

	snprintf(start, sizeof(start), "N%d=", node);
	return starts_with(field, start) && parse_number(field + strlen(start), &pages) == 0 ? pages : 0;
}

/* "bind:1", "bind=static:1": mm/mempolicy.c:mpol_to_str() */
static bool is_bound_to(const char *policy, int node)
{
	const char *nodes = strrchr(policy, ':');
	uint64_t number;

	return starts_with(policy, "bind") && nodes && parse_number(nodes + 1, &number) == 0 &&
	       number == (uint64_t)node;
}

void numa_maps_line(char *line, int node, struct numa_use *use)
{
	static const char unit[] = "kernelpagesize_kB=";
	char *cursor = line, *field;
	uint64_t pages = 0, kib = 4;
	bool bound = false;

	line[strcspn(line, "\n")] = '\0';
	for (int i = 0; (field = next_field(&cursor, " ")); i++) {
		bound |= i == 1 && is_bound_to(field, node);
		if (i > 1)
			pages += pages_of(field, node);
		if (i > 1 && starts_with(field, unit))
			parse_number(field + strlen(unit), &kib);
	}
	use->bytes += pages * kib * 1024;
	use->bound |= bound;
}

/* "Mems_allowed_list:\t1" of a status file. */
bool status_is_confined(const char *status, int node)
{
	static const char key[] = "\nMems_allowed_list:\t";
	const char *at = strstr(status, key);
	char nodes[24] = "";
	uint64_t number;

	if (!at)
		return false;
	at += strlen(key);
	snprintf(nodes, sizeof(nodes), "%.*s", (int)strcspn(at, "\n"), at);
	return parse_number(nodes, &number) == 0 && number == (uint64_t)node;
}
