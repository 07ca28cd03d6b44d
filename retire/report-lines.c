// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One line a step, when it has ended. On a terminal it is a live line that
 * also shows what has begun and since when; the next one takes the place of
 * it, and only what failed stays.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "retire/report-events.h"
#include "util/terminal.h"
#include "util/text.h"

#define LINE 1024

static void format_ended(const struct event *event, char *line, size_t size)
{
	char subject[LINE / 2], message[LINE / 2], time[32] = "", state[32] = "";

	printable(event_subject(event), subject, sizeof(subject));
	printable(event_message(event), message, sizeof(message));
	if (event->ms >= 0)
		snprintf(time, sizeof(time), " %.1f ms", event->ms);
	if (event->state != STATE_DONE && event->state != STATE_PLANNED)
		snprintf(state, sizeof(state), " %s", step_state_name(event->state));
	snprintf(line, size, "%s%s%s ...%s%s%s%s", event_step_name(event), *subject ? " " : "", subject, time,
		 state, *message ? ": " : "", message);
}

/* What goes on, with the seconds that it takes already. */
static void format_begun(const struct event *event, char *line, size_t size)
{
	bool undo = strcmp(event->phase, "undo") == 0;
	char subject[LINE / 2], time[32] = "";

	printable(event_subject(event), subject, sizeof(subject));
	if (event->type == EVENT_HEARTBEAT)
		snprintf(time, sizeof(time), " %.0f s", event->ms / 1000);
	if (event->step == STEP_NONE)
		snprintf(line, size, "%s ...%s", event->phase, time);
	else
		snprintf(line, size, "%s%s%s%s ...%s", undo ? "undo " : "", event_step_name(event),
			 *subject ? " " : "", subject, time);
}

/* "57 % of 896.00 MiB, 3 s left, 1.20 GB/s": what matters least comes last, where a narrow terminal cuts. */
static void format_amount(const struct event *event, char *line, size_t size)
{
	char subject[LINE / 2], all[32], left[32] = "";
	double seconds = (double)(event->at_us - event->begun_us) / 1e6;
	double rate = seconds > 0 ? (double)event->bytes / seconds : 0;

	printable(event_subject(event), subject, sizeof(subject));
	if (rate > 0 && event->of_bytes >= event->bytes)
		snprintf(left, sizeof(left), ", %.0f s left", (double)(event->of_bytes - event->bytes) / rate);
	snprintf(line, size, "%s%s%s ... %.0f %% of %s%s, %.2f GB/s", event_step_name(event), *subject ? " " : "",
		 subject, (double)event->bytes * 100 / (double)event->of_bytes,
		 human_size(event->of_bytes, all, sizeof(all)), left, rate / 1e9);
}

static void format_live(const struct event *event, char *line, size_t size)
{
	if (event->of_bytes)
		format_amount(event, line, size);
	else
		format_begun(event, line, size);
}

static void erase(struct lines_drawing *lines, FILE *out)
{
	if (lines->drawn)
		fputs("\r\033[K", out);
	lines->drawn = false;
}

static void draw_live(struct lines_drawing *lines, char *line, FILE *out)
{
	size_t columns = terminal_columns(lines->fd);

	erase(lines, out);
	/* a line that wraps cannot be erased */
	display_cut(line, (columns ? columns : 80) - 1);
	fputs(line, out);
	lines->drawn = true;
}

static void draw_ended(struct lines_drawing *lines, const struct event *event, FILE *out)
{
	bool failed = event->state == STATE_FAILED || event->state == STATE_STUCK;
	char line[2 * LINE];

	/* what could not be put back is named in the end, with what to do */
	if (event->type == EVENT_UNDO && event->state != STATE_UNDONE)
		return;
	format_ended(event, line, sizeof(line));
	if (lines->live && !failed && !(lines->keep && event->ms >= 0)) {
		draw_live(lines, line, out);
		return;
	}
	erase(lines, out);
	fprintf(out, "%s\n", line);
}

/* It stays: who reads it may be the one to do something about it. */
static void draw_wait(struct lines_drawing *lines, const struct event *event, FILE *out)
{
	char subject[LINE / 2], message[LINE];

	erase(lines, out);
	fprintf(out, "%s %s ... waits: %s\n", event_step_name(event),
		printable(event_subject(event), subject, sizeof(subject)),
		printable(event_message(event), message, sizeof(message)));
}

static void draw_line(struct drawing *drawing, const struct event *event, FILE *out)
{
	struct lines_drawing *lines = (struct lines_drawing *)drawing;
	char line[2 * LINE];

	switch (event->type) {
	case EVENT_STEP:
	case EVENT_UNDO:
		draw_ended(lines, event, out);
		return;
	case EVENT_PHASE:
	case EVENT_STEP_BEGUN:
	case EVENT_UNDO_BEGUN:
	case EVENT_PROGRESS:
	case EVENT_HEARTBEAT:
		if (!lines->live || !*event->phase)
			return;
		format_live(event, line, sizeof(line));
		draw_live(lines, line, out);
		return;
	case EVENT_WAIT:
		draw_wait(lines, event, out);
		return;
	default:
		erase(lines, out);
	}
}

struct lines_drawing lines_drawing(const struct report_options *options, int fd)
{
	const char *kind = getenv("TERM");
	bool live = isatty(fd) && kind && strcmp(kind, "dumb") != 0;

	return (struct lines_drawing){
		.drawing = { .draw = draw_line, .heartbeat_ms = live ? 1000 : 0 },
		.fd = fd,
		.live = live,
		.keep = options && options->verbose,
	};
}
