// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "retire/bpf/bpf.h"
#include "retire/bpf/iterate.h"
#include "retire/bpf/pin-record.h"
#include "retire/bpf/pins.skel.h"
#include "util/cleanup.h"

struct finding {
	bpf_pin_found *found;
	void *argument;
};

static void cleanup_pins(struct pins **skeleton)
{
	pins__destroy(*skeleton);
}

static int hand_on(void *argument, const void *record)
{
	const struct finding *finding = argument;
	const struct pin_record *pin = record;

	return finding->found(finding->argument,
			      &(struct bpf_pin){ .pid = pin->pid, .fd = pin->fd, .page = pin->page });
}

static int load(struct pins *skeleton, const struct bpf_page_range *ranges, uint32_t count)
{
	int map, rc;

	skeleton->rodata->range_count = count;
	skeleton->maps.ranges.max_entries = count;
	rc = pins__load(skeleton);
	map = skeleton->maps.ranges.map_fd;
	for (uint32_t i = 0; rc == 0 && i < count; i++) {
		struct pin_range range = { ranges[i].first, ranges[i].end };

		rc = skel_map_update_elem(map, &i, &range, BPF_ANY) < 0 ? -errno : 0;
	}
	return rc;
}

int bpf_find_pins(const struct bpf_page_range *ranges, size_t count, bpf_pin_found *found, void *argument)
{
	struct finding finding = { found, argument };
	_cleanup_(cleanup_pins) struct pins *skeleton = NULL;
	int rc;

	if (count == 0 || count > BPF_PAGE_RANGES_MAX)
		return count ? -E2BIG : 0;
	skeleton = pins__open();
	if (!skeleton)
		return -ENOMEM;
	rc = load(skeleton, ranges, (uint32_t)count);
	return rc < 0 ? rc
		      : iterate(skeleton->progs.find_pins.prog_fd, sizeof(struct pin_record), hand_on, &finding);
}
