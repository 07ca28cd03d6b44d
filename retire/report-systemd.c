// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/report-systemd.h"

#ifdef HAVE_SYSTEMD
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "util/child.h"
#include "util/cleanup.h"
#include "util/library.h"
#include "util/text.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

enum { JOURNAL_MS = 1000, JOURNAL_FIELD_MAX = 4096 };

struct record {
	ARRAY_OF(struct iovec) fields;
};

static void record_free(struct record *record)
{
	array_each(field, &record->fields)
		free(field->iov_base);
	free(record->fields.items);
}

/* "NAME=value"; one that finds no memory is left out. */
static void __attribute__((format(printf, 2, 3))) add(struct record *record, const char *fmt, ...)
{
	struct iovec *field;
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	field = n < 0 ? NULL : array_add(&record->fields);
	if (field)
		*field = (struct iovec){ text, (size_t)n };
	else if (n >= 0)
		free(text);
}

static int priority(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_STUCK:
		return LOG_ERR;
	case OUTCOME_ERROR:
	case OUTCOME_IN_PROGRESS:
	case OUTCOME_ROLLED_BACK:
		return LOG_WARNING;
	case OUTCOME_REFUSED:
		return LOG_NOTICE;
	default:
		return LOG_INFO;
	}
}

static void add_message(struct record *record, const struct result *result)
{
	char message[JOURNAL_FIELD_MAX], names[JOURNAL_FIELD_MAX / 2] = "";
	size_t at = 0;

	array_each(device, &result->look.devices)
		if (at < sizeof(names))
			at += (size_t)snprintf(names + at, sizeof(names) - at, " %s", device->name);
	printable(result->message ? result->message : "", message, sizeof(message));
	add(record, "MESSAGE=%s%s: %s%s%s", result->command, names, outcome_name(result->outcome),
	    *message ? ": " : "", message);
}

static void fill(struct record *record, const struct result *result)
{
	add_message(record, result);
	add(record, "MESSAGE_ID=%s", RETIRE_MESSAGE_ID);
	add(record, "PRIORITY=%d", priority(result->outcome));
	add(record, "SYSLOG_IDENTIFIER=dax-retire");
	add(record, "DAX_RETIRE_ID=%s", result->id);
	add(record, "DAX_RETIRE_COMMAND=%s", result->command);
	add(record, "DAX_RETIRE_RESULT=%s", outcome_name(result->outcome));
	add(record, "DAX_RETIRE_ELAPSED_MS=%ju", (uintmax_t)result->elapsed_ms);
	array_each(device, &result->look.devices)
		add(record, "DAX_RETIRE_DEVICE=%s", device->name);
	array_each(holder, &result->look.holders)
		if (holder->type != HOLDER_FILESYSTEM || holder->filesystem.detached)
			add(record, "DAX_RETIRE_HOLDER=%s", holder->name);
	array_each(loss, &result->losses)
		add(record, "DAX_RETIRE_LOSS=%s %s (%s)", loss->kind, loss->name, loss->reason);
	array_each(stuck, &result->stuck)
		add(record, "DAX_RETIRE_STUCK=%s: %s", stuck->subject, stuck->message);
}

static int send_record(void *argument, int *fd)
{
	__typeof__(&sd_journal_sendv) sendv = LIBRARY_FUNCTION("libsystemd.so.0", sd_journal_sendv);
	const struct record *record = argument;

	(void)fd;
	return !sendv ? -ENOSYS : sendv(record->fields.items, (int)record->fields.count);
}

void report_systemd(const struct result *result)
{
	_cleanup_(record_free) struct record record = { 0 };
	struct child left;

	if (access(JOURNAL_SOCKET, W_OK) < 0)
		return;
	fill(&record, result);
	child_run(send_record, &record, -1, deadline_in(JOURNAL_MS), NULL, &left);
	child_forget(&left);
}

#else

void report_systemd(const struct result *result)
{
	(void)result;
}

#endif
