// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "retire/holders/holders.h"
#include "retire/verify.h"

#define CHECK "node-total"

/* With memmap_on_memory a block keeps 64 bytes of each page for itself, and these never counted. */
enum { OWN_PART = 32 };

/* What was online of our devices on that node. */
static uint64_t online_on(const struct look *look, int node)
{
	uint64_t bytes = 0;

	array_each(holder, &look->holders)
		if (holder->type == HOLDER_MEMORY && holder->memory.node == node)
			bytes += memory_online(&holder->memory) * holder->memory.block_size;
	return bytes;
}

/* Several devices may be on one node. */
static bool is_first_on_node(const struct look *look, const struct holder *holder)
{
	array_each(other, &look->holders) {
		if (other == holder)
			break;
		if (other->type == HOLDER_MEMORY && other->memory.node == holder->memory.node)
			return false;
	}
	return true;
}

/* Has it as much less? If not, or that cannot be read, why. */
static bool has_fallen(const struct root *root, const struct look *look, const struct system_ram *memory,
		       char *why, size_t size)
{
	uint64_t went = online_on(look, memory->node), now;

	if (holders_node_total(root, memory->node, &now) < 0 || !memory->node_total) {
		snprintf(why, size, "how much memory node %d has cannot be read", memory->node);
		return false;
	}
	if (now <= memory->node_total && memory->node_total - now >= went - went / OWN_PART)
		return true;
	snprintf(why, size,
		 "node %d had %" PRIu64 " bytes and has %" PRIu64 ", though %" PRIu64
		 " went: has somebody added memory there?",
		 memory->node, memory->node_total, now, went);
	return false;
}

void verify_node_totals(const struct root *root, const struct look *look, struct result *result)
{
	bool any = false;
	char why[256];

	array_each(holder, &look->holders) {
		if (holder->type != HOLDER_MEMORY || holder->memory.node < 0 || !memory_online(&holder->memory) ||
		    !is_first_on_node(look, holder))
			continue;
		any = true;
		if (has_fallen(root, look, &holder->memory, why, sizeof(why)))
			continue;
		result_add_verify(result, CHECK, CHECK_NULL, why);
		return;
	}
	if (any)
		result_add_verify(result, CHECK, CHECK_TRUE, NULL);
}
