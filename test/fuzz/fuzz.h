/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One target a file: fuzz_one() gets a NUL-terminated copy that it may change.
 * Under clang -fsanitize=fuzzer libFuzzer has the main(); else replay.c has
 * one, which runs the files named on its command line.
 */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

void fuzz_one(char *text);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
