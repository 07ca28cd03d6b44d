// SPDX-License-Identifier: GPL-2.0-or-later
/* Bytes, not text: this target has no use for entry.c. */
#include <stdlib.h>
#include <string.h>

#include "retire/pages/btf.h"
#include "retire/pages/layout.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* of that very size, and aligned */
	void *copy = malloc(size ? size : 1);
	struct layout layout;
	struct btf btf;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (btf_open(&btf, copy, size) == 0) {
		struct btf_place place;
		uint32_t bytes;

		btf_struct_size(&btf, "page", &bytes);
		btf_member(&btf, "page", "_refcount", &place);
		btf_close(&btf);
	}
	/* what was accepted is what a judge relies on */
	if (layout_read(&layout, copy, size, NULL) == 0 &&
	    (layout.refcount + 4 > layout.page_size || layout.mapcount + 4 > layout.page_size ||
	     layout.head + 4 > layout.page_size || layout.large_mapcount + 4 > 2 * layout.page_size))
		abort();
	free(copy);
	return 0;
}
