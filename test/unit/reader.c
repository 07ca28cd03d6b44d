// SPDX-License-Identifier: GPL-2.0-or-later
/* What is copied of the kernel's memory, where this machine lets us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "retire/pages/layout.h"
#include "retire/pages/reader.h"
#include "retire/pages/vmemmap.h"
#include "util/cleanup.h"
#include "util/root.h"

enum { BTF_MAX = 64 << 20, SLAB = 4096 };

struct fixture {
	struct layout layout;
	struct reader reader;
	uint64_t base;
};

static bool is_open(struct fixture *f)
{
	_cleanup_(root_close) struct root root = { .fd = -1 };
	_cleanup_free_ char *btf = NULL;
	struct err err = { 0 };
	ssize_t size;

	if (root_open(&root, NULL) < 0)
		return false;
	size = root_readf(&root, BTF_MAX, &btf, "/sys/kernel/btf/vmlinux");
	return size >= 0 && layout_read(&f->layout, btf, (size_t)size, &err) == 0 &&
	       reader_open(&f->reader, &err) == 0 && vmemmap_find(&f->reader, &f->layout, &f->base, &err) == 0;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->reader = READER_NONE;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	reader_close(&f->reader);
	free(f);
	return 0;
}

/* Of the first pages of the machine, which change less than most. */
static bool ends_are_those(struct fixture *f, uint32_t entry, uint64_t stride)
{
	size_t count = SLAB / stride;
	unsigned char slab[SLAB];

	assert_int_equal(reader_copy(&f->reader, f->base, SLAB), 0);
	memcpy(slab, f->reader.window, SLAB);
	assert_int_equal(reader_copy_ends(&f->reader, f->base, stride, count), 0);
	for (size_t i = 0; i < count; i++) {
		const unsigned char *ends = f->reader.window + i * 3 * entry;

		if (memcmp(ends, slab + i * stride, 2 * entry) != 0 ||
		    memcmp(ends + 2 * entry, slab + (i + 1) * stride - entry, entry) != 0)
			return false;
	}
	return true;
}

static void the_ends_of_a_stretch_are_what_a_whole_copy_has(void **state)
{
	struct fixture *f = *state;
	bool same = false;

	if (!is_open(f))
		skip();
	assert_int_equal(reader_load_ends(&f->reader, f->layout.page_size), 0);
	assert_int_equal(reader_load_ends(&f->reader, f->layout.page_size), 0);
	for (int i = 0; i < 100 && !same; i++)
		same = ends_are_those(f, f->layout.page_size, 4ULL * f->layout.page_size);
	assert_true(same);
}

static void no_more_is_copied_than_fits(void **state)
{
	struct fixture *f = *state;
	uint32_t entry;

	if (!is_open(f))
		skip();
	entry = f->layout.page_size;
	assert_int_equal(reader_load_ends(&f->reader, f->layout.page_size), 0);
	assert_int_equal(reader_copy_ends(&f->reader, f->base, 4ULL * entry, SIZE_MAX), 0);
	for (size_t i = (size_t)ENDS_MAX * 3 * entry; i < WINDOW_SIZE; i++)
		assert_int_equal(f->reader.window[i], 0);
}

static void where_nothing_is_there_is_an_error(void **state)
{
	struct fixture *f = *state;

	if (!is_open(f))
		skip();
	assert_int_equal(reader_load_ends(&f->reader, f->layout.page_size), 0);
	assert_true(reader_copy_ends(&f->reader, 0x1000, 1 << 15, 2) < 0);
	assert_true(reader_copy_ends(&f->reader, f->base, 1ULL << 62, 2) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_ends_of_a_stretch_are_what_a_whole_copy_has, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(no_more_is_copied_than_fits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(where_nothing_is_there_is_an_error, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
