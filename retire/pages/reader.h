/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the kernel's memory, which nothing else lets a program do: a BPF
 * program of a few instructions copies it into a window. It changes nothing,
 * and a wrong address is an error, not a fault.
 */
#ifndef RETIRE_PAGES_READER_H
#define RETIRE_PAGES_READER_H

#include <stddef.h>
#include <stdint.h>

#include "util/err.h"

enum {
	WINDOW_SIZE = 1 << 20,
	ENDS_MAX = 512 /* so that a verifier that tries each is soon done */
};

struct reader {
	int map, program;
	int ends_program;      /* -1: none */
	unsigned char *window; /* WINDOW_SIZE bytes: what was copied last */
};

#define READER_NONE ((struct reader){ .map = -1, .program = -1, .ends_program = -1 })

/* 0, or a negative errno with a message: no privilege, no BPF, lockdown. reader_close() in every case. */
int reader_open(struct reader *reader, struct err *err);
void reader_close(struct reader *reader);

/* `size` bytes, at most WINDOW_SIZE, to the start of the window. 0, or -EFAULT: nothing is there. */
int reader_copy(const struct reader *reader, uint64_t address, size_t size);

/*
 * Of `count` stretches of `stride` bytes each, one after the other, at most
 * ENDS_MAX: the first two entries and the last, in a row for each, to the window.
 * Needs reader_load_ends(), which says how large an entry is. As above.
 */
int reader_load_ends(struct reader *reader, uint32_t entry);
int reader_copy_ends(const struct reader *reader, uint64_t address, uint64_t stride, size_t count);

/* The eight, or four, bytes at `address`; uses the window. */
int reader_word(const struct reader *reader, uint64_t address, uint64_t *word);
int reader_half(const struct reader *reader, uint64_t address, uint32_t *half);

/* Follows a chain of pointers: the word at `address` + the first offset, from there the next … 0 or -EFAULT. */
int reader_follow(const struct reader *reader, uint64_t address, const uint32_t *offsets, size_t count,
		  uint64_t *word);

/* Where this process itself is: its struct task_struct. */
int reader_self(const struct reader *reader, uint64_t *task);

#endif
