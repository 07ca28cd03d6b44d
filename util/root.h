/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root of the machine that is looked at: `/`, or a recorded tree of sysfs
 * and procfs that stands in for one. All paths are given absolute and are
 * resolved below that root; in a recorded tree no link leads out of it.
 *
 * Reads are bounded: sysfs, procfs and other people's names are hostile input.
 * Functions that return a descriptor set O_CLOEXEC. All return 0 (or a
 * descriptor, or a length) or a negative errno, without a message: the caller
 * knows what it was about.
 */
#ifndef UTIL_ROOT_H
#define UTIL_ROOT_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct root {
	int fd;	       /* of the directory */
	bool recorded; /* not the running machine */
};

/* `path` NULL or "/": the running machine. */
int root_open(struct root *root, const char *path);
void root_close(struct root *root);

/* A descriptor of `path` (printf rules give the path in the _f forms). */
int root_openf(const struct root *root, int flags, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A directory stream; NULL with errno set. */
DIR *root_opendirf(const struct root *root, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The whole file, NUL-terminated, at most `max` bytes (-E2BIG beyond); caller frees *text. Returns its length. */
ssize_t root_readf(const struct root *root, size_t max, char **text, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* An attribute: the first line without its newline, at most 4095 bytes; caller frees; NULL with errno set. */
char *root_attributef(const struct root *root, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* An attribute that is a decimal or 0x-hexadecimal number. 0 or a negative errno. */
int root_numberf(const struct root *root, uint64_t *number, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* An attribute "MAJOR:MINOR". 0 or a negative errno. */
int root_devf(const struct root *root, dev_t *dev, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The target of a link, as it stands; caller frees; NULL with errno set. */
char *root_readlinkf(const struct root *root, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* 1 there is such a path, 0 there is none, or a negative errno: it cannot be told. */
int root_findf(const struct root *root, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same where it does no harm to take the last for none. */
bool root_existsf(const struct root *root, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Reads an open descriptor to its end with the same bound as root_readf(). */
ssize_t read_whole(int fd, size_t max, char **text);

#endif
