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
 * And those that have one where nothing in /proc shows it: in flight over a
 * unix socket, registered with io_uring; also when that socket or ring is in
 * such a place itself. Of those behind one descriptor the first is told.
 *
 * *suspects gets one or more of each process, sorted by pid; NULL when *count
 * is 0; the caller frees. 0 or a negative errno: -ENOSYS when this build cannot.
 */
int bpf_find_suspects(const struct bpf_watch *watches, size_t watch_count, struct bpf_suspect **suspects,
		      size_t *count);

/* Addresses of struct page in the kernel's array of all pages: from `first` up to, without, `end`. */
struct bpf_page_range {
	uint64_t first, end;
};

enum { BPF_PAGE_RANGES_MAX = 4096 };

/* A descriptor that keeps a page referenced: of a pipe, of a ring of io_uring, of a socket to which a pipe is
 * sent. */
struct bpf_pin {
	pid_t pid;     /* in the initial pid namespace */
	int fd;	       /* of that process, or of a thread of it that has descriptors of its own */
	uint64_t page; /* the address of its struct page; of several the first that was found */
	/* how much of the array all of them take, in bytes; one that is in there twice counts twice */
	uint64_t length;
	uint64_t
		place; /* the same for descriptors by which they are the same: of one pipe, one ring, one socket */
};

/* Goes on with 0; a negative errno ends the search. */
typedef int bpf_pin_found(void *argument, const struct bpf_pin *pin);

/* A search for pins, ready in the kernel. */
struct pins;

/* 0; -E2BIG for too many ranges, or another negative errno when it cannot be told: -ENOSYS when this build cannot.
 * bpf_pins_close() when it is 0. */
int bpf_pins_open(struct pins **pins, const struct bpf_page_range *ranges, size_t count);
void bpf_pins_close(struct pins *pins);

/*
 * The descriptors in which a page of one of the ranges is now, also by way of a
 * pipe that is in flight over a socket. Not seen: a direct write in flight, what
 * a device reads or writes by itself (VFIO, RDMA). 0, what `found` answered, or
 * another negative errno.
 */
int bpf_pins_list(struct pins *pins, bpf_pin_found *found, void *argument);

#endif
