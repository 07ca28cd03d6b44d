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

int bpf_find_pins(const struct bpf_page_range *ranges, size_t count, bpf_pin_found *found, void *argument)
{
	(void)ranges;
	(void)count;
	(void)found;
	(void)argument;
	return -ENOSYS;
}
