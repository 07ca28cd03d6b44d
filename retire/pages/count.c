// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/pages/pages.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "retire/pages/judge.h"
#include "retire/pages/owner.h"
#include "retire/pages/reader.h"
#include "retire/pages/vmemmap.h"
#include "util/cleanup.h"
#include "util/root.h"

enum {
	BTF_MAX = 64 << 20, /* Debian's vmlinux has 4 to 6 MB */
	RUNS_MAX = 64,	    /* of pages that are named one by one */
	PAUSE_MS = 20
};

/* What every count needs to know of this kernel. */
struct counter {
	struct layout layout;
	struct reader reader;
	uint64_t base;
	size_t page_bytes;
};

/* One device under count. */
struct counting {
	struct references *references;
	int interrupt; /* ends it when readable */
	uint64_t pfn;  /* of the first page in the window */
	bool out_of_memory;
};

static int counter_open(const struct root *root, struct counter *counter, struct err *err)
{
	_cleanup_free_ char *btf = NULL;
	ssize_t size;
	int rc;

	*counter = (struct counter){ .reader = READER_NONE, .page_bytes = (size_t)sysconf(_SC_PAGESIZE) };
	if (root->recorded)
		return err_set(err, -EOPNOTSUPP, "this is a recorded tree, not a running kernel");
	size = root_readf(root, BTF_MAX, &btf, "/sys/kernel/btf/vmlinux");
	if (size < 0)
		return err_errno(err, (int)size, "this kernel's type information (BTF) cannot be read");
	rc = layout_read(&counter->layout, btf, (size_t)size, err);
	rc = rc < 0 ? rc : reader_open(&counter->reader, err);
	return rc < 0 ? rc : vmemmap_find(&counter->reader, &counter->layout, &counter->base, err);
}

static uint64_t page_address(const struct counter *counter, uint64_t pfn)
{
	return counter->base + pfn * counter->layout.page_size;
}

static void note_page(void *argument, size_t at)
{
	struct counting *counting = argument;
	struct references *references = counting->references;
	struct referenced_run *run;
	uint64_t pfn = counting->pfn + at;

	if (references->runs.count) {
		run = &references->runs.items[references->runs.count - 1];
		if (run->pfn + run->pages == pfn) {
			run->pages++;
			return;
		}
	}
	if (references->runs.count == RUNS_MAX) {
		references->more_runs = true;
		return;
	}
	run = array_add(&references->runs);
	counting->out_of_memory |= !run;
	if (run)
		*run = (struct referenced_run){ .pfn = pfn, .pages = 1 };
}

/* As judge.h wants it, a window holds one page more than are judged. */
static int count_range(const struct counter *counter, const struct memory_range *range, int idle,
		       struct counting *counting, struct tally *tally)
{
	size_t room = WINDOW_SIZE / counter->layout.page_size;
	uint64_t pfn = range->start / counter->page_bytes, left = range->size / counter->page_bytes;

	while (left) {
		size_t copied = left < room ? (size_t)left : room, judged = copied == left ? copied : copied - 1;
		int rc = reader_copy(&counter->reader, page_address(counter, pfn),
				     copied * counter->layout.page_size);

		if (rc < 0)
			return rc;
		if (wait_readable(-1, counting->interrupt, deadline_in(0)) == -EINTR)
			return -EINTR;
		counting->pfn = pfn;
		judge_pages(&counter->layout, idle, counter->reader.window, judged, copied == left, note_page,
			    counting, tally);
		pfn += judged;
		left -= judged;
	}
	return counting->out_of_memory ? -ENOMEM : 0;
}

/* How many pages each of a device's has, as the kernel says; 1 where they are counted one by one. */
static uint64_t pages_each(struct counter *counter, const struct device *device)
{
	uint64_t each = device->mode == MODE_DEVDAX ? device->align / counter->page_bytes : 0;

	if (each < 4 || each & (each - 1) || reader_load_ends(&counter->reader, counter->layout.page_size) < 0)
		return 1;
	return each;
}

/* As many as can be looked at at once. Those that are not that large after all are counted one by one. */
static int count_some_large(const struct counter *counter, uint64_t pfn, uint64_t each, size_t count, int idle,
			    struct counting *counting, struct tally *tally)
{
	const struct memory_range range = { pfn * counter->page_bytes, count * each * counter->page_bytes };
	uint64_t address = page_address(counter, pfn), stride = each * counter->layout.page_size;
	int rc = reader_copy_ends(&counter->reader, address, stride, count);

	if (rc < 0)
		return rc;
	counting->pfn = pfn;
	if (judge_large(&counter->layout, idle, counter->reader.window, address, stride, count, note_page,
			counting, tally))
		return 0;
	return count_range(counter, &range, idle, counting, tally);
}

/* Pages of a device-dax are made as large as it is aligned: what tells of one is its first page, not the others.
 */
static int count_large(struct counter *counter, const struct device *device, const struct memory_range *range,
		       int idle, struct counting *counting, struct tally *tally)
{
	uint64_t each = pages_each(counter, device), left = range->size / counter->page_bytes / each;
	uint64_t pfn = range->start / counter->page_bytes;

	if (each == 1 || pfn % each || range->size % (each * counter->page_bytes))
		return count_range(counter, range, idle, counting, tally);
	while (left) {
		size_t count = left < ENDS_MAX ? (size_t)left : ENDS_MAX;
		int rc = count_some_large(counter, pfn, each, count, idle, counting, tally);

		if (rc < 0)
			return rc;
		if (wait_readable(-1, counting->interrupt, deadline_in(0)) == -EINTR)
			return -EINTR;
		pfn += count * each;
		left -= count;
	}
	return counting->out_of_memory ? -ENOMEM : 0;
}

/* mm/memremap.c: pages of a device-dax are handed out with a count of one on every kernel */
static int idle_count(const struct counter *counter, const struct device *device)
{
	return device->mode == MODE_DEVDAX || !counter->layout.counts_mappings;
}

static int name_owners(const struct counter *counter, struct references *references)
{
	int rc = 0;

	array_each(run, &references->runs) {
		struct owner owner;

		rc = owner_of(&counter->reader, &counter->layout, page_address(counter, run->pfn), &owner);
		if (rc < 0 && rc != -ENOMEM)
			continue;
		if (rc < 0)
			return rc;
		run->dev = owner.dev;
		run->inode = owner.inode;
		run->index = owner.index;
		run->path = owner.path;
	}
	return 0;
}

static int cannot_tell(struct references *references, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int cannot_tell(struct references *references, const char *fmt, ...)
{
	char *reason;
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = vasprintf(&reason, fmt, ap);
	va_end(ap);
	if (rc < 0)
		return -ENOMEM;
	free(references->reason);
	references->reason = reason;
	references->known = false;
	return 0;
}

/*
 * What a file system, or a disk without one, keeps for itself is mapped by nobody, and so has no references. Of a
 * device-dax a machine with assigned devices may have every page, but there all kernels have counted alike so far,
 * and a lower count of nobody's pages would be odd.
 */
static int conclude(const struct device *device, const struct tally *tally, struct references *references)
{
	references->known = true;
	references->counted = tally->counted;
	references->mapped = tally->mapped;
	references->referenced = tally->referenced;
	switch (judge_tally(tally, device->mode != MODE_DEVDAX)) {
	case JUDGED_ODD:
		return cannot_tell(references, "the counts of %" PRIu64 " pages make no sense", tally->odd);
	case JUDGED_NONE_IDLE:
		return cannot_tell(references,
				   "not one of %" PRIu64 " pages is idle: this kernel counts in another way",
				   tally->counted);
	case JUDGED_REFERENCED:
		break;
	}
	return 0;
}

/* Once; what was counted before is forgotten. */
static int count_device(struct counter *counter, const struct device *device, struct references *references,
			int interrupt)
{
	struct counting counting = { .references = references, .interrupt = interrupt };
	struct tally tally = { 0 };
	int rc = 0;

	references_forget(references);
	references->counts_mappings = counter->layout.counts_mappings;
	if (!device->memory.count)
		return cannot_tell(references, "where its memory is cannot be read");
	array_each(range, &device->memory)
		rc = rc < 0 ? rc
			    : count_large(counter, device, range, idle_count(counter, device), &counting, &tally);
	if (rc == -ENOMEM || rc == -EINTR)
		return rc;
	if (rc < 0)
		return cannot_tell(references, "its memory map cannot be read: %s", strerror(-rc));
	rc = conclude(device, &tally, references);
	if (rc == 0 && device->mode != MODE_DEVDAX)
		rc = name_owners(counter, references);
	return rc;
}

static bool is_settled(const struct references *references)
{
	return references->known && !references->referenced;
}

static int count_all(struct counter *counter, struct look *look, int interrupt, bool *settled)
{
	int rc = 0;

	*settled = true;
	array_each(references, &look->references) {
		const struct device *device = &look->devices.items[references->device];

		/* one that has been found idle is not counted again */
		if (rc < 0 || is_settled(references))
			continue;
		rc = count_device(counter, device, references, interrupt);
		*settled &= is_settled(references);
	}
	return rc;
}

static int count_patiently(struct counter *counter, struct look *look, int interrupt, struct deadline patience)
{
	bool settled;
	int rc;

	for (;;) {
		rc = count_all(counter, look, interrupt, &settled);
		if (rc < 0 || settled || deadline_passed(patience))
			return rc;
		if (wait_readable(-1, interrupt, deadline_sooner(patience, deadline_in(PAUSE_MS))) == -EINTR)
			return -EINTR;
	}
}

static int add_devices(struct look *look)
{
	for (size_t i = 0; i < look->devices.count; i++) {
		struct references *references;

		if (!device_has_pages(&look->devices.items[i]))
			continue;
		references = array_add(&look->references);
		if (!references)
			return -ENOMEM;
		*references = (struct references){ .device = (int)i };
	}
	return 0;
}

static int open_for(const struct root *root, struct look *look, struct counter *counter, struct err *err)
{
	int rc = counter_open(root, counter, err);

	if (rc == 0)
		look->page_array = (struct page_array){ counter->base, counter->layout.page_size };
	return rc;
}

int pages_count(const struct root *root, struct look *look, int interrupt, struct deadline patience)
{
	struct counter counter;
	struct err err = { 0 };
	int rc;

	look_forget_references(look);
	rc = add_devices(look);
	if (rc < 0 || !look->references.count)
		return rc;
	rc = open_for(root, look, &counter, &err);
	if (rc == 0)
		rc = count_patiently(&counter, look, interrupt, patience);
	else
		array_each(references, &look->references)
			rc = rc == -ENOMEM ? rc : cannot_tell(references, "%s", err.message);
	reader_close(&counter.reader);
	return rc;
}

int pages_find_array(const struct root *root, struct look *look, struct err *err)
{
	struct counter counter;
	int rc;

	if (look->page_array.base)
		return 0;
	rc = open_for(root, look, &counter, err);
	reader_close(&counter.reader);
	return rc;
}
