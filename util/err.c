// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	vsnprintf(err->message, sizeof(err->message), fmt, ap);
	va_end(ap);
	err->code = code;
	return code;
}

int err_errno(struct err *err, int code, const char *fmt, ...)
{
	char text[sizeof(err->message) - 128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(err, code, "%s: %s", text, strerror(-code));
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char text[sizeof(err->message) / 2];
	char inner[sizeof(err->message)];
	va_list ap;

	if (!err)
		return 0;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	memcpy(inner, err->message, sizeof(inner));
	snprintf(err->message, sizeof(err->message), "%s: %.*s", text,
		 (int)(sizeof(err->message) - sizeof(text) - 3), inner);
	return err->code;
}
