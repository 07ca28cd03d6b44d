// SPDX-License-Identifier: GPL-2.0-or-later
/* Stands in where the programs cannot be built: says that it does not know. */
#include <errno.h>

#include "retire/bpf/bpf.h"

int bpf_find_suspects(const struct bpf_watch *watches, size_t watch_count, struct bpf_suspect **suspects,
		      size_t *count)
{
	(void)watches;
	(void)watch_count;
	(void)suspects;
	(void)count;
	return -ENOSYS;
}

int bpf_pins_open(struct pins **pins, const struct bpf_page_range *ranges, size_t count)
{
	(void)pins;
	(void)ranges;
	(void)count;
	return -ENOSYS;
}

int bpf_pins_list(struct pins *pins, bpf_pin_found *found, void *argument)
{
	(void)pins;
	(void)found;
	(void)argument;
	return -ENOSYS;
}

void bpf_pins_close(struct pins *pins)
{
	(void)pins;
}
