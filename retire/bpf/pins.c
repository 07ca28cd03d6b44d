// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <unistd.h>

#include "retire/bpf/bpf.h"
#include "retire/bpf/iterate.h"
#include "retire/bpf/pin-record.h"
#include "retire/bpf/pins.skel.h"

struct finding {
	bpf_pin_found *found;
	void *argument;
};

static int hand_on(void *argument, const void *record)
{
	const struct finding *finding = argument;
	const struct pin_record *pin = record;

	return finding->found(finding->argument, &(struct bpf_pin){ .pid = pin->pid,
								    .fd = pin->fd,
								    .page = pin->page,
								    .length = pin->length,
								    .place = pin->place });
}

static int load(struct pins *skeleton, const struct bpf_page_range *ranges, uint32_t count)
{
	int map, rc;

	skeleton->rodata->range_count = count;
	skeleton->rodata->page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	skeleton->maps.ranges.max_entries = count;
	rc = pins__load(skeleton);
	map = skeleton->maps.ranges.map_fd;
	for (uint32_t i = 0; rc == 0 && i < count; i++) {
		struct pin_range range = { ranges[i].first, ranges[i].end };

		rc = skel_map_update_elem(map, &i, &range, BPF_ANY) < 0 ? -errno : 0;
	}
	return rc;
}

int bpf_pins_open(struct pins **pins, const struct bpf_page_range *ranges, size_t count)
{
	int rc;

	if (count > BPF_PAGE_RANGES_MAX)
		return -E2BIG;
	*pins = pins__open();
	rc = *pins ? load(*pins, ranges, (uint32_t)count) : -ENOMEM;
	if (rc < 0)
		bpf_pins_close(*pins);
	return rc;
}

int bpf_pins_list(struct pins *pins, bpf_pin_found *found, void *argument)
{
	struct finding finding = { found, argument };

	return iterate(pins->progs.find_pins.prog_fd, sizeof(struct pin_record), hand_on, &finding);
}

void bpf_pins_close(struct pins *pins)
{
	pins__destroy(pins);
}
