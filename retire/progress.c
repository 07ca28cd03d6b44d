// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One line a step. On a terminal it is a live line that the next one takes
 * the place of; what failed stays.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <wchar.h>

#include "retire/report-words.h"
#include "retire/report.h"
#include "util/cleanup.h"
#include "util/text.h"

#define LINE 1024

struct terminal {
	struct progress progress; /* first: the address of both is the same */
	FILE *err;
	bool live, keep;
	bool drawn; /* a live line stands there */
};

/* Columns of the terminal now: it may have been resized. */
static size_t columns(FILE *err)
{
	struct winsize size;

	if (ioctl(fileno(err), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 80;
}

/* Cuts `line` so that it takes at most `room` columns: a line that wraps cannot be erased. */
static void fit(char *line, size_t room)
{
	mbstate_t state = { 0 };
	size_t used = 0;

	for (char *at = line; *at;) {
		wchar_t wide;
		size_t length = mbrtowc(&wide, at, strlen(at), &state);
		int width = 1;

		if (length == 0 || length > strlen(at)) {
			/* no character of this locale */
			memset(&state, 0, sizeof(state));
			length = 1;
			*at = '?';
		} else if (wcwidth(wide) >= 0) {
			width = wcwidth(wide);
		}
		used += (size_t)width;
		if (used > room) {
			*at = '\0';
			return;
		}
		at += length;
	}
}

static void format(const struct step_record *record, char *line, size_t size)
{
	char subject[LINE / 2], message[LINE / 2], time[32] = "", state[32] = "";

	printable(record->subject ? record->subject : "", subject, sizeof(subject));
	printable(record->message ? record->message : "", message, sizeof(message));
	if (record->ms >= 0)
		snprintf(time, sizeof(time), " %.1f ms", record->ms);
	if (record->state != STATE_DONE && record->state != STATE_PLANNED)
		snprintf(state, sizeof(state), " %s", step_state_name(record->state));
	snprintf(line, size, "%s%s%s ...%s%s%s%s", step_record_name(record), *subject ? " " : "", subject, time,
		 state, *message ? ": " : "", message);
}

static void erase(struct terminal *terminal)
{
	if (terminal->drawn)
		fputs("\r\033[K", terminal->err);
	terminal->drawn = false;
}

static void tell_step(struct progress *progress, const struct step_record *record)
{
	struct terminal *terminal = (struct terminal *)progress;
	bool failed = record->state == STATE_FAILED || record->state == STATE_STUCK;
	char line[2 * LINE];

	format(record, line, sizeof(line));
	erase(terminal);
	if (terminal->live && !failed && !(terminal->keep && record->ms >= 0)) {
		fit(line, columns(terminal->err) - 1);
		fputs(line, terminal->err);
		terminal->drawn = true;
	} else {
		fprintf(terminal->err, "%s\n", line);
	}
	fflush(terminal->err);
}

struct progress *progress_new(const struct report_options *options, FILE *err)
{
	const char *kind = getenv("TERM");
	struct terminal *terminal;

	if (options && options->quiet)
		return NULL;
	terminal = calloc(1, sizeof(*terminal));
	if (!terminal)
		return NULL;
	terminal->progress.step = tell_step;
	terminal->err = err;
	terminal->live = isatty(fileno(err)) && kind && strcmp(kind, "dumb") != 0;
	terminal->keep = options && options->verbose;
	return &terminal->progress;
}

void progress_free(struct progress *progress)
{
	struct terminal *terminal = (struct terminal *)progress;

	if (!terminal)
		return;
	erase(terminal);
	fflush(terminal->err);
	free(terminal);
}
