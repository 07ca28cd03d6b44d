// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/holders/inode-set.h"

#include <errno.h>
#include <stdlib.h>

/* The slot of this inode, or the free one where it would be. Open addressing; the set is never more than half
 * full. */
static struct inode *find_slot(const struct inode_set *set, dev_t dev, uint64_t ino)
{
	uint64_t hash = (ino ^ (uint64_t)dev << 32) * 0x9E3779B97F4A7C15ULL;
	size_t at = (size_t)(hash >> 32) & (set->room - 1);

	while (set->slots[at].ino && (set->slots[at].ino != ino || set->slots[at].dev != dev))
		at = (at + 1) & (set->room - 1);
	return &set->slots[at];
}

bool inode_set_has(const struct inode_set *set, dev_t dev, uint64_t ino)
{
	return set->room && find_slot(set, dev, ino)->ino;
}

static int grow(struct inode_set *set)
{
	struct inode_set larger = { .count = set->count, .room = set->room ? set->room * 2 : 256 };

	larger.slots = calloc(larger.room, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < set->room; i++)
		if (set->slots[i].ino)
			*find_slot(&larger, set->slots[i].dev, set->slots[i].ino) = set->slots[i];
	free(set->slots);
	*set = larger;
	return 0;
}

int inode_set_add(struct inode_set *set, dev_t dev, uint64_t ino)
{
	struct inode *slot;

	if (set->count * 2 >= set->room && grow(set) < 0)
		return -ENOMEM;
	slot = find_slot(set, dev, ino);
	if (!slot->ino)
		set->count++;
	*slot = (struct inode){ .dev = dev, .ino = ino };
	return 0;
}

void inode_set_free(struct inode_set *set)
{
	free(set->slots);
	*set = (struct inode_set){ 0 };
}
