/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The programs' map of what is watched. Private to this room. */
#ifndef RETIRE_BPF_WATCHED_H
#define RETIRE_BPF_WATCHED_H

#include <stdbool.h>

#include "retire/bpf/bpf.h"

bool watched_has(const struct bpf_watch *watches, size_t count, enum bpf_watch_kind kind);
bool watched_has_stacked(const struct bpf_watch *watches, size_t count);

/* 0, -ERANGE for a number that the kernel has not, or what bpf(2) answered. */
int watched_fill(int map, const struct bpf_watch *watches, size_t count);

#endif
