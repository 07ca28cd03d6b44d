/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A test with a recorded tree of its own as the root of the machine: in_tree(TEST), whose *state is a place; or
 * one of a fixture that has a place, and more.
 */
#ifndef TEST_UNIT_TREE_ROOT_H
#define TEST_UNIT_TREE_ROOT_H

#include "test/unit/tree.h"
#include "util/root.h"

struct place {
	struct tree tree;
	struct root root;
};

static inline void place_open(struct place *place)
{
	tree_make(&place->tree);
	if (root_open(&place->root, place->tree.path) < 0)
		abort();
}

static inline void place_close(struct place *place)
{
	root_close(&place->root);
	tree_remove(&place->tree);
}

static inline int place_make(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	place_open(place);
	*state = place;
	return 0;
}

static inline int place_remove(void **state)
{
	struct place *place = *state;

	place_close(place);
	free(place);
	return 0;
}

#define in_tree(test) cmocka_unit_test_setup_teardown(test, place_make, place_remove)

#endif
