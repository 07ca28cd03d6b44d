// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retire/report-events.h"
#include "retire/teller.h"
#include "util/clock.h"

/* More often nobody can read it. */
enum { AMOUNT_US = 100000 };

struct progress {
	struct teller events, lines;
	uint64_t start_us, begun_us; /* of the retirement, of the step */
	uint64_t amount_us;	     /* when it was told last how much is done */
	char id[32], phase[16];
};

struct progress *progress_new(const struct report_options *options, int out, int err)
{
	struct drawing events = events_drawing();
	struct lines_drawing lines = lines_drawing(options, err);
	struct progress *progress = calloc(1, sizeof(*progress));
	bool quiet = options && options->quiet, wants_events = options && options->events;

	if (!progress)
		return NULL;
	/* what is still buffered would be written by each of them */
	fflush(NULL);
	if (wants_events)
		teller_start(&progress->events, &events, out);
	if (!quiet)
		teller_start(&progress->lines, &lines.drawing, err);
	if (progress->events.pid || progress->lines.pid)
		return progress;
	free(progress);
	return NULL;
}

static void tell(struct progress *progress, struct event *event, bool hold)
{
	event->start_us = progress->start_us;
	event->at_us = clock_us();
	snprintf(event->id, sizeof(event->id), "%s", progress->id);
	snprintf(event->phase, sizeof(event->phase), "%s", progress->phase);
	teller_tell(&progress->events, event, hold);
	teller_tell(&progress->lines, event, hold);
}

static char *join_names(const struct request *request)
{
	char *joined = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&joined, &size);

	for (size_t i = 0; out && i < request->name_count; i++)
		fprintf(out, "%s%s", i ? " " : "", request->names[i]);
	if (out)
		fclose(out);
	return joined;
}

void progress_begin(struct progress *progress, const struct request *request, const char *id)
{
	struct event event = { .type = EVENT_BEGIN, .ms = -1 };
	char *names;

	if (!progress)
		return;
	names = join_names(request);
	event_set_text(&event, names, NULL);
	free(names);
	snprintf(event.command, sizeof(event.command), "%s", request->command);
	snprintf(progress->id, sizeof(progress->id), "%s", id);
	progress->start_us = clock_us();
	tell(progress, &event, false);
}

static void enter_phase(struct progress *progress, const char *phase, bool hold)
{
	struct event event = { .type = EVENT_PHASE, .ms = -1 };

	if (strcmp(progress->phase, phase) == 0)
		return;
	snprintf(progress->phase, sizeof(progress->phase), "%s", phase);
	tell(progress, &event, hold);
}

void progress_phase(struct progress *progress, const char *phase)
{
	if (progress)
		enter_phase(progress, phase, false);
}

static const char *phase_of(enum event_type type, const struct step_record *record)
{
	static const char *const phases[] = {
		[PHASE_ASK] = "ask", [PHASE_SETTLE] = "settle", [PHASE_CLAIM] = "claim", [PHASE_UNBIND] = "unbind"
	};

	return type == EVENT_UNDO_BEGUN || type == EVENT_UNDO ? "undo" : phases[step_phase(record->type)];
}

void progress_step(struct progress *progress, enum event_type type, const struct step_record *record, bool frozen)
{
	struct event event = { .type = type, .step = record->type, .restores = record->restores, .ms = -1 };

	if (!progress)
		return;
	enter_phase(progress, phase_of(type, record), frozen);
	if (type == EVENT_STEP_BEGUN || type == EVENT_UNDO_BEGUN) {
		progress->begun_us = clock_us();
		event_set_text(&event, record->subject, NULL);
	} else {
		event.state = record->state;
		event.notify = record->notify;
		event.ms = type == EVENT_STEP ? record->ms : (double)(clock_us() - progress->begun_us) / 1000;
		event_set_text(&event, record->subject, record->message);
	}
	tell(progress, &event, frozen);
}

void progress_amount(struct progress *progress, const struct step_record *record, uint64_t done, uint64_t total)
{
	struct event event = { .type = EVENT_PROGRESS, .step = record->type, .restores = record->restores };

	if (!progress || clock_us() - progress->amount_us < AMOUNT_US)
		return;
	progress->amount_us = clock_us();
	event.begun_us = progress->begun_us;
	event.bytes = done;
	event.of_bytes = total;
	event.ms = (double)(clock_us() - progress->begun_us) / 1000;
	event_set_text(&event, record->subject, NULL);
	tell(progress, &event, false);
}

void progress_wait(struct progress *progress, const struct step_record *record, const char *message)
{
	struct event event = { .type = EVENT_WAIT, .step = record->type, .restores = record->restores };

	if (!progress)
		return;
	event.ms = (double)(clock_us() - progress->begun_us) / 1000;
	event_set_text(&event, record->subject, message);
	tell(progress, &event, false);
}

void progress_finish(struct progress *progress)
{
	if (!progress)
		return;
	teller_finish(&progress->events);
	teller_finish(&progress->lines);
}

void progress_end_events(struct progress *progress)
{
	if (progress)
		teller_end(&progress->events);
}

void progress_end_lines(struct progress *progress)
{
	if (progress)
		teller_end(&progress->lines);
}

void progress_free(struct progress *progress)
{
	progress_end_events(progress);
	progress_end_lines(progress);
	free(progress);
}
