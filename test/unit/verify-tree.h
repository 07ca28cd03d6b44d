/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine in a tree, what was seen of it before, and what is said of it after. */
#ifndef TEST_UNIT_VERIFY_TREE_H
#define TEST_UNIT_VERIFY_TREE_H

#include "retire/verify.h"
#include "test/unit/tree-root.h"

struct fixture {
	struct place place;
	struct look look;
	struct result result;
};

static inline int verify_make(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	place_open(&f->place);
	*state = f;
	return 0;
}

static inline int verify_remove(void **state)
{
	struct fixture *f = *state;

	look_free(&f->look);
	result_free(&f->result);
	place_close(&f->place);
	free(f);
	return 0;
}

#endif
