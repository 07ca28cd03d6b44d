/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the program that searches for pins is told, and what it tells. Private to this room. */
#ifndef RETIRE_BPF_PIN_RECORD_H
#define RETIRE_BPF_PIN_RECORD_H

/* Addresses of struct page in the kernel: from `first` up to, without, `end`. */
struct pin_range {
	unsigned long long first, end;
};

struct pin_record {
	unsigned long long page, length, place; /* as in struct bpf_pin */
	int pid, fd;
};

#endif
