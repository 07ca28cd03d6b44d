// SPDX-License-Identifier: GPL-2.0-or-later
/* What a process has of a node of memory, and where it may have it: lines of /proc/PID/numa_maps and status. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "retire/holders/memory-use.h"
#include "util/text.h"

/* The digits at the start of the text; false when there are none, or they are no number of a node. */
static bool takes_node(const char *text, char end, int *node)
{
	char digits[11];
	size_t length = strspn(text, "0123456789");
	uint64_t number;

	if (!length || length >= sizeof(digits) || text[length] != end)
		return false;
	snprintf(digits, sizeof(digits), "%.*s", (int)length, text);
	if (parse_number(digits, &number) < 0 || number > INT_MAX)
		return false;
	*node = (int)number;
	return true;
}

/* "N1=97" */
static bool takes_pages(const char *field, int *node, uint64_t *pages)
{
	return *field == 'N' && takes_node(field + 1, '=', node) &&
	       parse_number(strchr(field, '=') + 1, pages) == 0;
}

/* "bind:1", "bind=static:1": mm/mempolicy.c:mpol_to_str() */
static bool binds_to(const char *policy, int *node)
{
	const char *nodes = strrchr(policy, ':');

	return starts_with(policy, "bind") && nodes && takes_node(nodes + 1, '\0', node);
}

static struct numa_use *use_of(int node, struct numa_use *uses, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (uses[i].node == node)
			return &uses[i];
	return NULL;
}

/* The size of its pages stands at the end of a line. */
static uint64_t page_kib(const char *line)
{
	static const char unit[] = "kernelpagesize_kB=";
	const char *last = strrchr(line, ' ');
	uint64_t kib;

	return last && starts_with(last + 1, unit) && parse_number(last + 1 + strlen(unit), &kib) == 0 ? kib : 4;
}

void numa_maps_line(char *line, struct numa_use *uses, size_t count)
{
	char *cursor = line, *field;
	struct numa_use *use;
	uint64_t kib, pages;
	int node;

	line[strcspn(line, "\n")] = '\0';
	kib = page_kib(line);
	for (int i = 0; (field = next_field(&cursor, " ")); i++) {
		if (i == 1 && binds_to(field, &node) && (use = use_of(node, uses, count)))
			use->bound = true;
		if (i > 1 && takes_pages(field, &node, &pages) && (use = use_of(node, uses, count)))
			use->bytes += pages * kib * 1024;
	}
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
