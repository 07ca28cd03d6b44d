// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * find-pins [FIRST END]
 *
 * Prints "PID FD ADDRESS LENGTH" for each descriptor that keeps a page referenced
 * whose struct page is in that range of addresses; by default any page.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retire/bpf/bpf.h"

static int print(void *argument, const struct bpf_pin *pin)
{
	(void)argument;
	printf("%d %d %#" PRIx64 " %" PRIu64 "\n", pin->pid, pin->fd, pin->page, pin->length);
	return 0;
}

int main(int argc, char **argv)
{
	struct bpf_page_range range = { 1, UINT64_MAX };
	struct pins *pins;
	int rc;

	if (argc == 3)
		range = (struct bpf_page_range){ strtoull(argv[1], NULL, 0), strtoull(argv[2], NULL, 0) };
	rc = bpf_pins_open(&pins, &range, 1);
	if (rc == 0) {
		rc = bpf_pins_list(pins, print, NULL);
		bpf_pins_close(pins);
	}
	if (rc < 0)
		fprintf(stderr, "find-pins: %s\n", strerror(-rc));
	return rc < 0;
}
