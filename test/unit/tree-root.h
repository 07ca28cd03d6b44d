/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A test with a recorded tree of its own as the root of the machine: in_tree(TEST), whose *state is a place. */
#ifndef TEST_UNIT_TREE_ROOT_H
#define TEST_UNIT_TREE_ROOT_H

#include "test/unit/tree.h"
#include "util/root.h"

struct place {
	struct tree tree;
	struct root root;
};

static inline int place_make(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	tree_make(&place->tree);
	*state = place;
	return root_open(&place->root, place->tree.path);
}

static inline int place_remove(void **state)
{
	struct place *place = *state;

	root_close(&place->root);
	tree_remove(&place->tree);
	free(place);
	return 0;
}

#define in_tree(test) cmocka_unit_test_setup_teardown(test, place_make, place_remove)

#endif
