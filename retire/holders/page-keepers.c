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

struct pins {
	ARRAY_OF(struct bpf_pin) list;
};

static void cleanup_ranges(struct ranges *ranges)
{
	free(ranges->list.items);
}

static int list_ranges(const struct look *look, const struct references *references, struct ranges *ranges)
{
	const struct device *device = &look->devices.items[references->device];
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	array_each(memory, &device->memory) {
		struct bpf_page_range *range = array_add(&ranges->list);
		uint64_t first = memory->start / page, end = first + memory->size / page;

		if (!range)
			return -ENOMEM;
		*range = (struct bpf_page_range){ references->array + first * references->entry,
						  references->array + end * references->entry };
	}
	return 0;
}

static int note_pin(void *argument, const struct bpf_pin *pin)
{
	struct pins *pins = argument;
	struct bpf_pin *added = array_add(&pins->list);

	if (!added)
		return -ENOMEM;
	*added = *pin;
	return 0;
}

/* In a child. */
static int ask(void *argument, int *answer)
{
	const struct ranges *ranges = argument;
	struct pins pins = { 0 };
	int rc = bpf_find_pins(ranges->list.items, ranges->list.count, note_pin, &pins);

	rc = rc < 0 ? rc : asked_answer(answer, pins.list.items, pins.list.count * sizeof(*pins.list.items));
	free(pins.list.items);
	return rc;
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

static int add_keeper(const struct root *root, struct look *look, int device, const struct bpf_pin *pin)
{
	struct holder *holder = NULL;
	int rc = pin->pid == getpid() ? 0 : holder_of(root, look, device, pin->pid, &holder);

	if (rc < 0 || !holder || holder->process.uses & USE_PAGES)
		return rc;
	holder->process.uses |= USE_PAGES;
	holder->process.pages_fd = pin->fd;
	return 0;
}

static int find_keepers(const struct root *root, struct look *look, const struct references *references)
{
	_cleanup_(cleanup_ranges) struct ranges ranges = { 0 };
	_cleanup_free_ struct bpf_pin *pins = NULL;
	void *answer = NULL;
	size_t size = 0;
	int rc = list_ranges(look, references, &ranges);

	if (rc < 0 || asked_in_child(ask, &ranges, &answer, &size) < 0)
		return rc;
	pins = answer;
	for (size_t i = 0; rc == 0 && i < size / sizeof(*pins); i++)
		rc = add_keeper(root, look, references->device, &pins[i]);
	return rc;
}

int holders_find_page_keepers(const struct root *root, struct look *look)
{
	int rc = 0;

	/* in another pid namespace the kernel's numbers are not those of /proc */
	if (root->recorded || !look->initial_namespaces || asked_never())
		return 0;
	array_each(references, &look->references)
		if (rc == 0 && references->known && references->referenced && references->array)
			rc = find_keepers(root, look, references);
	return rc;
}
