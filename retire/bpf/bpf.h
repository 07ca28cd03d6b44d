/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who could matter, asked of the kernel itself: BPF programs go over all
 * descriptors, mappings and tasks, and let through those of what is watched.
 * They only read.
 *
 * Everything here may be impossible: no BPF, lockdown, no type information, a
 * kernel that refuses, a build without it. That is a negative errno, never an
 * empty answer; the caller then looks another way.
 */
#ifndef RETIRE_BPF_BPF_H
#define RETIRE_BPF_BPF_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "retire/bpf/watch.h"

struct bpf_watch {
	enum bpf_watch_kind kind;
	uint64_t number;
};

/*
 * The processes that have, of what is watched, a file open or mapped, as root,
 * working directory or program, or that live in a watched mount namespace or
 * hold a descriptor of one. Some more may be among them, never fewer.
 *
 * *pids gets their ids in the initial pid namespace, sorted, each once;
 * NULL when *count is 0; the caller frees. 0 or a negative errno: -ENOSYS when
 * this build cannot.
 */
int bpf_find_suspects(const struct bpf_watch *watches, size_t watch_count, pid_t **pids, size_t *count);

#endif
