// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * In which zone all memory of a node is online, by the sums of the node:
 *
 *	node-zone NODE
 *
 * A name of a zone, or "unknown" where the sums do not prove it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "retire/holders/node-blocks.h"
#include "util/root.h"

int main(int argc, char **argv)
{
	struct node_blocks blocks;
	struct root root;

	if (argc != 2 || root_open(&root, NULL) < 0 ||
	    node_blocks_read(&root, atoi(argv[1]), memory_read_block_size(&root), &blocks) < 0) {
		fprintf(stderr, "usage: node-zone NODE\n");
		return 2;
	}
	puts(blocks.bits || blocks.count ? memory_zone_name(blocks.zone) : "unknown");
	node_blocks_free(&blocks);
	root_close(&root);
	return 0;
}
