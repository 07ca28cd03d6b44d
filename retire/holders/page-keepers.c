// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whose are the references to pages that a count has found? A pipe that was
 * filled by vmsplice(2) and a buffer registered with io_uring keep pages when
 * the mapping has ended and the file is closed, and no file in /proc says so.
 * The kernel is asked which descriptors have such pages.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "retire/bpf/bpf.h"
#include "retire/holders/asked.h"
#include "retire/holders/holders.h"
#include "retire/holders/kinds.h"
#include "retire/holders/process-scan.h"
#include "util/cleanup.h"
#include "util/root.h"

struct ranges {
	ARRAY_OF(struct bpf_page_range) list;
};

struct pin_list {
	ARRAY_OF(struct bpf_pin) list;
	const struct pin_list *before; /* only those that are in there, too; NULL: all */
};

static int list_ranges(const struct look *look, int device, struct ranges *ranges)
{
	const struct page_array *array = &look->page_array;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	array_each(memory, &look->devices.items[device].memory) {
		struct bpf_page_range *range = array_add(&ranges->list);
		uint64_t first = memory->start / page, end = first + memory->size / page;

		if (!range)
			return -ENOMEM;
		*range = (struct bpf_page_range){ array->base + first * array->entry,
						  array->base + end * array->entry };
	}
	return 0;
}

/* Those of a process together, and in there those of a pipe or a ring. */
static int compare_pins(const void *a, const void *b)
{
	const struct bpf_pin *one = a, *other = b;

	if (one->pid != other->pid)
		return one->pid < other->pid ? -1 : 1;
	if (one->place != other->place)
		return one->place < other->place ? -1 : 1;
	if (one->fd != other->fd)
		return one->fd < other->fd ? -1 : 1;
	return (one->page > other->page) - (one->page < other->page);
}

static void sort_pins(struct pin_list *pins)
{
	if (pins->list.count)
		qsort(pins->list.items, pins->list.count, sizeof(*pins->list.items), compare_pins);
}

/* Of a sorted list. */
static bool has_pin(const struct pin_list *pins, const struct bpf_pin *wanted)
{
	return bsearch(wanted, pins->list.items, pins->list.count, sizeof(*pins->list.items), compare_pins);
}

static int note_pin(void *argument, const struct bpf_pin *pin)
{
	struct pin_list *pins = argument;
	struct bpf_pin *added;

	if (pins->before && !has_pin(pins->before, pin))
		return 0;
	added = array_add(&pins->list);
	if (!added)
		return -ENOMEM;
	*added = *pin;
	return 0;
}

struct question {
	struct ranges ranges;
	bool lasting; /* only who has the same a moment later */
};

enum { MOMENT_MS = 50 };

static void cleanup_question(struct question *question)
{
	free(question->ranges.list.items);
}

static int list_pins(const struct question *question, struct pin_list *first, struct pin_list *pins)
{
	struct pins *search;
	int rc = bpf_pins_open(&search, question->ranges.list.items, question->ranges.list.count);

	if (rc < 0)
		return rc;
	pins->before = question->lasting ? first : NULL;
	rc = bpf_pins_list(search, note_pin, question->lasting ? first : pins);
	if (rc == 0 && first->list.count) {
		sort_pins(first);
		wait_readable(-1, -1, deadline_in(MOMENT_MS));
		rc = bpf_pins_list(search, note_pin, pins);
	}
	bpf_pins_close(search);
	sort_pins(pins);
	return rc;
}

static void cleanup_pins(struct pin_list *pins)
{
	free(pins->list.items);
}

/* In a child. */
static int ask(void *argument, int *answer)
{
	_cleanup_(cleanup_pins) struct pin_list pins = { 0 }, first = { 0 };
	int rc = list_pins(argument, &first, &pins);

	return rc < 0 ? rc : asked_answer(answer, pins.list.items, pins.list.count * sizeof(*pins.list.items));
}

/* The one that is known of it on this device, or a new one. NULL: it is gone, or none of anybody's business. */
static int holder_of(const struct root *root, struct look *look, int device, pid_t pid, struct holder **found)
{
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_PROCESS && holder->device == device && holder->process.pid == pid) {
			*found = holder;
			return 0;
		}
	return process_add(root, look, device, pid, found);
}

/* All of one process, `count` of them. Both ends of a pipe are of one, and a ring can be had twice. */
static int add_keeper(const struct root *root, struct look *look, int device, const struct bpf_pin *pins,
		      size_t count)
{
	struct holder *holder = NULL;
	int rc = pins->pid == getpid() ? 0 : holder_of(root, look, device, pins->pid, &holder);

	if (rc < 0 || !holder)
		return rc;
	if (!(holder->process.uses & USE_PAGES))
		holder->process.pages_fd = pins->fd;
	holder->process.uses |= USE_PAGES;
	for (size_t i = 0; i < count; i++)
		if (!i || pins[i].place != pins[i - 1].place)
			holder->process.pinned += pins[i].length / look->page_array.entry;
	return 0;
}

static int add_keepers(const struct root *root, struct look *look, int device, const struct pin_list *pins)
{
	const struct bpf_pin *pin = pins->list.items, *end = pin + pins->list.count;
	int rc = 0;

	while (rc == 0 && pin < end) {
		size_t count = 1;

		while (pin + count < end && pin[count].pid == pin->pid)
			count++;
		rc = add_keeper(root, look, device, pin, count);
		pin += count;
	}
	return rc;
}

static uint64_t pinned_by(const struct look *look, int device, const char *unit)
{
	uint64_t pages = 0;

	array_each(holder, &look->holders)
		if (holder->type == HOLDER_PROCESS && holder->device == device && holder->process.unit &&
		    strcmp(holder->process.unit, unit) == 0)
			pages += holder->process.pinned;
	return pages;
}

static void tell_owners(struct look *look, int device)
{
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_MEMORY && holder->device == device)
			array_each(owner, &holder->memory.owners)
				owner->pinned = pinned_by(look, device, owner->name);
}

/* Where that cannot be told there are none. `lasting`: what is there for a moment only does not count. */
static int find_keepers(const struct root *root, struct look *look, int device, bool lasting)
{
	_cleanup_(cleanup_question) struct question question = { .lasting = lasting };
	_cleanup_(cleanup_pins) struct pin_list pins = { 0 };
	int rc = list_ranges(look, device, &question.ranges);
	void *answer = NULL;
	size_t size = 0;

	if (rc < 0 || asked_in_child(ask, &question, &answer, &size) < 0)
		return rc;
	pins.list.items = answer;
	pins.list.count = size / sizeof(struct bpf_pin);
	rc = add_keepers(root, look, device, &pins);
	tell_owners(look, device);
	return rc;
}

/* In another pid namespace the kernel's numbers are not those of /proc. */
static bool can_ask(const struct root *root, const struct look *look)
{
	return !root->recorded && look->initial_namespaces && !asked_never();
}

int holders_find_page_keepers(const struct root *root, struct look *look)
{
	int rc = 0;

	if (!can_ask(root, look))
		return 0;
	array_each(references, &look->references)
		if (rc == 0 && references->known && references->referenced && look->page_array.base)
			rc = find_keepers(root, look, references->device, false);
	return rc;
}

int holders_find_memory_keepers(const struct root *root, struct look *look)
{
	int rc = 0;

	if (!can_ask(root, look) || !look->page_array.base)
		return 0;
	for (size_t i = 0; rc == 0 && i < look->devices.count; i++)
		if (look->devices.items[i].system_ram)
			rc = find_keepers(root, look, (int)i, true);
	return rc;
}
