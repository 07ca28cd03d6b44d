// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory of a device in a tree: whose it is, and whether it is still the system's without a driver. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "retire/holders/holders.h"
#include "retire/holders/kinds.h"
#include "retire/holders/memory-use.h"
#include "retire/holders/node-blocks.h"
#include "test/unit/tree.h"
#include "util/cleanup.h"
#include "util/root.h"

/* Blocks of 16 pages; the device has 2 and 3. */
enum { PAGE = 4096, PAGES = 16, BLOCK_SIZE = PAGES * PAGE };

struct fixture {
	struct tree tree;
	struct root root;
	struct memory_range range;
	struct device device;
	uint64_t flags[4 * PAGES], cgroups[4 * PAGES];
};

static int make(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	tree_make(&f->tree);
	tree_text(&f->tree, "/sys/devices/system/memory/block_size_bytes", "10000\n");
	tree_text(&f->tree, "/sys/fs/cgroup/system.slice/bench.service/x", "");
	tree_text(&f->tree, "/sys/fs/cgroup/system.slice/bench.service/inner/x", "");
	f->range = (struct memory_range){ 2 * BLOCK_SIZE, 2 * BLOCK_SIZE };
	f->device = (struct device){ .name = strdup("dax0.0"), .blockdev = strdup("dax0.0") };
	f->device.memory.items = &f->range;
	f->device.memory.count = 1;
	*state = f;
	return root_open(&f->root, f->tree.path);
}

static int drop(void **state)
{
	struct fixture *f = *state;

	free(f->device.name);
	free(f->device.blockdev);
	root_close(&f->root);
	tree_remove(&f->tree);
	free(f);
	return 0;
}

static void set_block(const struct fixture *f, int number, const char *what)
{
	char name[96];

	snprintf(name, sizeof(name), "/sys/devices/system/memory/memory%d/state", number);
	tree_text(&f->tree, name, what);
	snprintf(name, sizeof(name), "/sys/devices/system/memory/memory%d/valid_zones", number);
	tree_text(&f->tree, name, "Movable\n");
}

static uint64_t inode_of(const struct fixture *f, const char *path)
{
	_cleanup_free_ char *at = tree_place(&f->tree, path);
	struct stat found;

	assert_int_equal(stat(at, &found), 0);
	return found.st_ino;
}

static void write_pages(const struct fixture *f)
{
	tree_write(&f->tree, "/proc/kpageflags", (const char *)f->flags, sizeof(f->flags));
	tree_write(&f->tree, "/proc/kpagecgroup", (const char *)f->cgroups, sizeof(f->cgroups));
	tree_text(&f->tree, "/proc/meminfo", "MemFree: 64 kB\n");
}

/* 3 pages of a unit, 2 of a cgroup in it, 1 of one that is gone; the others are free. */
static void fill_block(struct fixture *f, int number)
{
	uint64_t unit = inode_of(f, "/sys/fs/cgroup/system.slice/bench.service");
	uint64_t inner = inode_of(f, "/sys/fs/cgroup/system.slice/bench.service/inner");
	uint64_t pages[] = { unit, unit, inner, inner, unit, 987654321 };

	for (int i = 0; i < PAGES; i++) {
		bool used = i < (int)COUNT_OF(pages);

		f->flags[number * PAGES + i] = used ? 1 << 5 | 1 << 12 : 1 << 10;
		f->cgroups[number * PAGES + i] = used ? pages[i] : 0;
	}
	write_pages(f);
}

static void memory_has_the_owners_that_it_is_charged_to(void **state)
{
	struct fixture *f = *state;
	struct system_ram memory;

	set_block(f, 2, "online\n");
	set_block(f, 3, "offline\n");
	fill_block(f, 2);
	/* one that is offline counts for nobody */
	f->cgroups[3 * PAGES] = 987654321;
	write_pages(f);
	assert_int_equal(holders_read_memory(&f->root, &f->device, &memory), 0);
	assert_int_equal(memory.blocks.count, 2);
	assert_int_equal(memory_find_owners(&f->root, &memory), 0);
	assert_int_equal(memory.owners.count, 2);
	assert_string_equal(memory.owners.items[0].name, "bench.service");
	assert_int_equal(memory.owners.items[0].bytes, 5 * PAGE);
	assert_string_equal(memory.owners.items[1].name, "(cgroups that have ended)");
	assert_int_equal(memory.owners.items[1].bytes, PAGE);
	memory_free(&memory);
}

static size_t owners_seen(struct fixture *f, bool again)
{
	struct look look = { .again = again };
	struct device *device = array_add(&look.devices);
	struct err err = { 0 };
	size_t owners;

	assert_non_null(device);
	*device = f->device;
	device->system_ram = true;
	assert_int_equal(kind_memory.probe(&f->root, &look, &err), 1);
	assert_int_equal(look.holders.items[0].memory.blocks.count, 1);
	assert_true(look.holders.items[0].memory.use_known);
	owners = look.holders.items[0].memory.owners.count;
	*device = (struct device){ 0 };
	look_free(&look);
	return owners;
}

static void who_is_charged_is_asked_at_the_first_look_only(void **state)
{
	struct fixture *f = *state;

	set_block(f, 2, "online\n");
	fill_block(f, 2);
	assert_int_equal(owners_seen(f, false), 2);
	assert_int_equal(owners_seen(f, true), 0);
}

static void a_block_is_told_by_its_pages_and_owners(void **state)
{
	struct fixture *f = *state;
	struct system_ram block = { .block_size = BLOCK_SIZE, .used = { [MEMORY_SLAB] = 7 } };
	_cleanup_free_ char *text = NULL;

	fill_block(f, 3);
	assert_int_equal(holders_block_use(&f->root, &block, 3, -1), 0);
	assert_int_equal(memory_used(&block), 6 * PAGE);
	text = holders_tell_block(&f->root, &block, 3);
	assert_non_null(strstr(text, "anonymous; charged to bench.service "));
	assert_null(strstr(text, "slab"));
}

static void a_look_at_a_block_stops_when_it_is_not_wanted_any_more(void **state)
{
	struct fixture *f = *state;
	struct system_ram block = { .block_size = BLOCK_SIZE };
	int ends[2];

	fill_block(f, 3);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(holders_block_use(&f->root, &block, 3, ends[0]), 0);
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(holders_block_use(&f->root, &block, 3, ends[0]), -EINTR);
	close(ends[0]);
}

static void without_the_kernels_word_there_are_none(void **state)
{
	struct fixture *f = *state;
	struct system_ram memory = { .block_size = BLOCK_SIZE };
	_cleanup_free_ char *text = holders_tell_block(&f->root, &memory, 3);

	assert_string_equal(text, "");
	assert_true(memory_find_owners(&f->root, &memory) < 0);
	assert_true(holders_block_use(&f->root, &memory, 3, -1) < 0);
}

static void a_line_tells_pages_of_a_node_and_what_is_bound_to_it(void **state)
{
	static const struct {
		const char *line;
		uint64_t pages; /* of 4 KiB */
		bool bound;
	} rows[] = {
		{ "7f00 default anon=100 dirty=100 N0=3 N1=97 kernelpagesize_kB=4\n", 97 },
		{ "7f00 default file=/a\\040N1=7 mapped=2 N0=2 kernelpagesize_kB=4\n", 0 },
		{ "7f00 bind:1 anon=2 N1=2 kernelpagesize_kB=2048\n", 1024, true },
		{ "7f00 bind=static:1\n", 0, true },
		{ "7f00 bind:0-1 anon=1 N1=1 kernelpagesize_kB=4\n", 1 },
		{ "7f00 bind:11\n", 0 },
		{ "7f00 prefer:1 anon=1 N1=1 N11=5 kernelpagesize_kB=4\n", 1 },
		{ "7f00 prefer (many):1\n", 0 },
		{ "7f00 interleave:1\n", 0 },
		{ "\n", 0 },
		{ "7f00", 0 },
		{ "7f00 default N1=999999999999999999999999 kernelpagesize_kB=4\n", 0 },
		{ "7f00 default N99999999999=1 N=1 N1x=1 kernelpagesize_kB=4\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		_cleanup_free_ char *line = strdup(rows[i].line);
		struct numa_use use = { .node = 1 };

		numa_maps_line(line, &use, 1);
		assert_int_equal(use.bytes, rows[i].pages * PAGE);
		assert_int_equal(use.bound, rows[i].bound);
	}
	assert_true(status_is_confined("Name:\tx\nMems_allowed_list:\t1\n", 1));
	assert_false(status_is_confined("Name:\tx\nMems_allowed_list:\t0-1\n", 1));
	assert_false(status_is_confined("Name:\tx\nMems_allowed_list:\t1\n", 0));
	assert_false(status_is_confined("Name:\tx\n", 1));
}

/* One is bound by its policy, one by its cpuset; one has a MiB there; one has less; one cannot be looked at. */
static void add_processes(const struct fixture *f)
{
	static const struct {
		int pid;
		const char *maps, *mems;
	} processes[] = {
		{ 11, "7f00 bind:1 anon=1 N1=1 kernelpagesize_kB=4\n", "0-1" },
		{ 12, "7f00 default anon=1 N0=1 kernelpagesize_kB=4\n", "1" },
		{ 13,
		  "7f00 default anon=512 N1=512 kernelpagesize_kB=4\n7f01 default N1=1 kernelpagesize_kB=2048\n",
		  "0-1" },
		{ 14, "7f00 default anon=1 N1=255 kernelpagesize_kB=4\n", "0-1" },
		{ 15, NULL, "0-1" },
	};

	for (size_t i = 0; i < COUNT_OF(processes); i++) {
		char name[64], text[128];

		snprintf(text, sizeof(text), "Name:\tfio\nMems_allowed_list:\t%s\n", processes[i].mems);
		snprintf(name, sizeof(name), "/proc/%d/status", processes[i].pid);
		tree_text(&f->tree, name, text);
		snprintf(name, sizeof(name), "/proc/%d/comm", processes[i].pid);
		tree_text(&f->tree, name, "fio\n");
		snprintf(name, sizeof(name), "/proc/%d/cgroup", processes[i].pid);
		tree_text(&f->tree, name, "0::/system.slice/bench.service\n");
		snprintf(name, sizeof(name), "/proc/%d/numa_maps", processes[i].pid);
		if (processes[i].maps)
			tree_text(&f->tree, name, processes[i].maps);
		else
			free(tree_place(&f->tree, "/proc/15/numa_maps/x"));
	}
}

static struct system_ram *add_memory(struct look *look, int node)
{
	struct holder *holder = look_add_holder(look, HOLDER_MEMORY, 0, 0, "memory of node %d", node);
	struct memory_block *block;

	assert_non_null(holder);
	holder->memory = (struct system_ram){ .block_size = BLOCK_SIZE, .node = node };
	block = array_add(&holder->memory.blocks);
	assert_non_null(block);
	*block = (struct memory_block){ 2, MEMORY_ONLINE, ZONE_MOVABLE };
	return &holder->memory;
}

static void who_has_memory_of_the_node_or_is_bound_to_it_is_found(void **state)
{
	struct fixture *f = *state;
	const struct system_ram *memory;
	struct look look = { 0 };

	tree_text(&f->tree, "/sys/devices/system/node/has_memory", "0-1\n");
	add_processes(f);
	add_memory(&look, 1);
	assert_int_equal(memory_find_processes(&f->root, &look), 0);
	memory = &look.holders.items[0].memory;
	assert_int_equal(memory->processes.count, 3);
	assert_int_equal(memory->processes.items[0].pid, 13);
	assert_int_equal(memory->processes.items[0].bytes, (512 + 512) * PAGE);
	assert_false(memory->processes.items[0].bound);
	assert_string_equal(memory->processes.items[0].unit, "bench.service");
	assert_int_equal(memory->processes.items[1].pid, 11);
	assert_true(memory->processes.items[1].bound);
	assert_int_equal(memory->processes.items[2].pid, 12);
	assert_true(memory->processes.items[2].bound);
	/* who cannot be looked at may be bound */
	if (geteuid() == 0) {
		assert_int_equal(look.unknowns.count, 1);
		assert_string_equal(look.unknowns.items[0].subject, "process 15");
	}
	look_free(&look);
}

static void nobody_is_bound_where_there_is_one_node(void **state)
{
	struct fixture *f = *state;
	struct look look = { 0 };

	tree_text(&f->tree, "/sys/devices/system/node/has_memory", "1\n");
	add_processes(f);
	add_memory(&look, 1);
	assert_int_equal(memory_find_processes(&f->root, &look), 0);
	assert_int_equal(look.holders.items[0].memory.processes.count, 1);
	assert_false(look.holders.items[0].memory.processes.items[0].bound);
	look_free(&look);
}

static void processes_are_told_of_each_memory_by_its_node(void **state)
{
	struct fixture *f = *state;
	struct look look = { 0 };

	tree_text(&f->tree, "/sys/devices/system/node/has_memory", "0-2\n");
	add_processes(f);
	tree_text(&f->tree, "/proc/16/numa_maps", "7f00 bind:2 anon=600 N1=300 N2=300 kernelpagesize_kB=4\n");
	tree_text(&f->tree, "/proc/16/comm", "db\n");
	/* the first two are of one node */
	add_memory(&look, 1);
	add_memory(&look, 1);
	add_memory(&look, 2);
	add_memory(&look, 3);
	assert_int_equal(memory_find_processes(&f->root, &look), 0);
	assert_int_equal(look.holders.items[0].memory.processes.count, 4);
	assert_int_equal(look.holders.items[1].memory.processes.count, 4);
	assert_int_equal(look.holders.items[2].memory.processes.count, 1);
	assert_int_equal(look.holders.items[2].memory.processes.items[0].bytes, 300 * PAGE);
	assert_true(look.holders.items[2].memory.processes.items[0].bound);
	assert_int_equal(look.holders.items[3].memory.processes.count, 0);
	look_free(&look);
}

/* A node of four blocks, of which the zones are as given. */
static void set_node(const struct fixture *f, const char *zones)
{
	char text[1024];

	for (int number = 2; number < 6; number++) {
		snprintf(text, sizeof(text), "/sys/devices/system/node/node1/memory%d/x", number);
		tree_text(&f->tree, text, "");
	}
	tree_text(&f->tree, "/sys/devices/system/node/node1/memory_failure/total", "0\n");
	snprintf(text, sizeof(text),
		 "Node 0, zone   Normal\n  pages free     9\n        present  64\n        managed  64\n%s", zones);
	tree_text(&f->tree, "/proc/zoneinfo", text);
}

static void a_node_says_of_all_its_blocks_whether_they_are_online(void **state)
{
	static const struct {
		const char *zones;
		enum memory_zone zone; /* ZONE_UNKNOWN: it does not say */
	} rows[] = {
		{ "Node 1, zone   Normal\n        present  0\nNode 1, zone  Movable\n        present  64\n",
		  ZONE_MOVABLE },
		{ "Node 1, zone   Normal\n        present  64\n", ZONE_NORMAL },
		/* one is offline */
		{ "Node 1, zone  Movable\n        present  48\n", ZONE_UNKNOWN },
		/* which is where? */
		{ "Node 1, zone   Normal\n        present  16\nNode 1, zone  Movable\n        present  48\n",
		  ZONE_UNKNOWN },
		/* of firmware, with a hole, and another one that it does not list */
		{ "Node 1, zone   Normal\n        present  63\n", ZONE_UNKNOWN },
		{ "Node 1, zone   Normal\n        present  65\n", ZONE_UNKNOWN },
		{ "Node 11, zone  Movable\n        present  64\n", ZONE_UNKNOWN },
		{ "Node 1, zone  Strange\n        present  64\n", ZONE_UNKNOWN },
		{ "", ZONE_UNKNOWN },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct node_blocks blocks;

		set_node(f, rows[i].zones);
		assert_int_equal(node_blocks_read(&f->root, 1, BLOCK_SIZE, &blocks), 0);
		assert_int_equal(node_blocks_have(&blocks, 2), rows[i].zone != ZONE_UNKNOWN);
		assert_int_equal(node_blocks_have(&blocks, 5), rows[i].zone != ZONE_UNKNOWN);
		assert_false(node_blocks_have(&blocks, 6));
		if (rows[i].zone != ZONE_UNKNOWN)
			assert_int_equal(blocks.zone, rows[i].zone);
		node_blocks_free(&blocks);
	}
}

static void a_zone_without_holes_has_all_that_it_spans(void **state)
{
	static const struct {
		const char *zones;
		bool known;
	} rows[] = {
		{ "Node 1, zone   Normal\n  pages free     0\n        spanned  0\n        present  0\n"
		  "Node 1, zone  Movable\n  pages free     9\n        spanned  64\n        present  64\n"
		  "        managed  60\n  start_pfn:           32\n",
		  true },
		/* a hole */
		{ "Node 1, zone  Movable\n        spanned  80\n        present  64\n  start_pfn:           32\n",
		  false },
		/* not by whole blocks */
		{ "Node 1, zone  Movable\n        spanned  64\n        present  64\n  start_pfn:           33\n",
		  false },
		{ "Node 1, zone  Movable\n        spanned  65\n        present  65\n  start_pfn:           32\n",
		  false },
		/* one more zone */
		{ "Node 1, zone   Normal\n        spanned  16\n        present  16\n  start_pfn:           16\n"
		  "Node 1, zone  Movable\n        spanned  64\n        present  64\n  start_pfn:           32\n",
		  false },
		{ "Node 1, zone  Movable\n        spanned  64\n        present  64\n", false },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct node_blocks blocks;

		tree_text(&f->tree, "/proc/zoneinfo", rows[i].zones);
		assert_int_equal(node_blocks_read(&f->root, 1, BLOCK_SIZE, &blocks), 0);
		assert_false(node_blocks_have(&blocks, 1));
		assert_int_equal(node_blocks_have(&blocks, 2), rows[i].known);
		assert_int_equal(node_blocks_have(&blocks, 5), rows[i].known);
		assert_false(node_blocks_have(&blocks, 6));
		node_blocks_free(&blocks);
	}
}

static void set_iomem(const struct fixture *f, const char *text)
{
	tree_text(&f->tree, "/proc/iomem", text);
}

static int is_burned(const struct fixture *f)
{
	char why[128];

	return holders_burned(&f->root, &f->device, why, sizeof(why));
}

static void memory_that_is_left_is_burned(void **state)
{
	struct fixture *f = *state;

	set_iomem(f, "00000000-0000ffff : System RAM\n00040000-0004ffff : Persistent Memory\n");
	assert_int_equal(is_burned(f), 0);
	set_block(f, 3, "offline\n");
	assert_int_equal(is_burned(f), 1);
}

static void addresses_that_are_kept_are_burned(void **state)
{
	struct fixture *f = *state;

	set_iomem(f, "00020000-0003ffff : dax0.0\n  00020000-0003ffff : System RAM (kmem)\n");
	assert_int_equal(is_burned(f), 1);
	set_iomem(f, "00040000-0005ffff : dax1.0\n  00040000-0005ffff : System RAM (kmem)\n");
	assert_int_equal(is_burned(f), 0);
}

/* Who may not see addresses reads zeros. */
static void addresses_that_are_hidden_prove_nothing(void **state)
{
	struct fixture *f = *state;

	assert_true(is_burned(f) < 0);
	set_iomem(f, "00000000-00000000 : System RAM\n00000000-00000000 : dax0.0\n");
	assert_true(is_burned(f) < 0);
}

#define in_tree(test) cmocka_unit_test_setup_teardown(test, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_tree(memory_has_the_owners_that_it_is_charged_to),
		in_tree(who_is_charged_is_asked_at_the_first_look_only),
		in_tree(a_block_is_told_by_its_pages_and_owners),
		in_tree(a_look_at_a_block_stops_when_it_is_not_wanted_any_more),
		in_tree(without_the_kernels_word_there_are_none),
		in_tree(a_line_tells_pages_of_a_node_and_what_is_bound_to_it),
		in_tree(who_has_memory_of_the_node_or_is_bound_to_it_is_found),
		in_tree(nobody_is_bound_where_there_is_one_node),
		in_tree(processes_are_told_of_each_memory_by_its_node),
		in_tree(a_node_says_of_all_its_blocks_whether_they_are_online),
		in_tree(a_zone_without_holes_has_all_that_it_spans),
		in_tree(memory_that_is_left_is_burned),
		in_tree(addresses_that_are_kept_are_burned),
		in_tree(addresses_that_are_hidden_prove_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
