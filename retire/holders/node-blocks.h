/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Of very many blocks of memory: what the node that they are of says of all of
 * them at once, where two files of each would take seconds. Private to this room.
 */
#ifndef RETIRE_HOLDERS_NODE_BLOCKS_H
#define RETIRE_HOLDERS_NODE_BLOCKS_H

#include "retire/memory.h"

struct root;

/* All blocks of a node, where all are online in one and the same zone. */
struct node_blocks {
	int node;
	enum memory_zone zone;
	uint64_t first, count; /* of a zone without holes; else */
	uint8_t *bits;	       /* by the number of a block; NULL where the node does not prove it */
	uint64_t room;	       /* numbers */
};

/*
 * By /proc/zoneinfo, where one zone has all pages of the node: what it spans is
 * all online when it has as many pages present; else the blocks that the node
 * lists, when these pages are as many as theirs. One that somebody is just taking offline counts as online
 * until it has gone. 0 or -ENOMEM.
 */
int node_blocks_read(const struct root *root, int node, uint64_t block_size, struct node_blocks *blocks);

/* Is the block one of those that are known? */
bool node_blocks_have(const struct node_blocks *blocks, uint64_t number);

void node_blocks_free(struct node_blocks *blocks);

#endif
