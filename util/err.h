/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors with context.
 *
 * A function that can fail returns 0 or a negative errno and fills a
 * `struct err` whose message is wrapped from the inside out:
 * "cannot retire namespace0.0: cannot freeze /mnt/data: Device or resource
 * busy". A positive return value is an outcome, never an error. The message
 * lives inside the struct: nothing to free. A NULL `struct err *` is allowed
 * everywhere and drops the message.
 */
#ifndef UTIL_ERR_H
#define UTIL_ERR_H

#include <stddef.h>

struct err {
	int code;	    /* the negative errno that was returned, 0 if none */
	char message[1024]; /* for people; always terminated; no newline */
};

/* Set a message of its own; returns `code` so that callers can return it. */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Set "<text>: <strerror(-code)>"; `code` is a negative errno. */
int err_errno(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Put "<text>: " before the message that is there; returns its code. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
