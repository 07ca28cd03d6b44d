// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/event.h"

#include <stdio.h>
#include <string.h>

const char *event_name(enum event_type type)
{
	static const char *const names[EVENT_TYPES] = {
		[EVENT_BEGIN] = "begin",	   [EVENT_PHASE] = "phase",
		[EVENT_STEP_BEGUN] = "step-begun", [EVENT_STEP] = "step",
		[EVENT_UNDO_BEGUN] = "undo-begun", [EVENT_UNDO] = "undo",
		[EVENT_PROGRESS] = "progress",	   [EVENT_WAIT] = "wait",
		[EVENT_HEARTBEAT] = "heartbeat",
	};

	return names[type];
}

void event_set_text(struct event *event, const char *subject, const char *message)
{
	size_t length;

	snprintf(event->text, EVENT_SUBJECT_MAX, "%s", subject ? subject : "");
	length = strlen(event->text) + 1;
	snprintf(event->text + length, EVENT_MESSAGE_MAX, "%s", message ? message : "");
}

const char *event_subject(const struct event *event)
{
	return event->text;
}

const char *event_message(const struct event *event)
{
	return event->text + strlen(event->text) + 1;
}

size_t event_size(const struct event *event)
{
	const char *message = event_message(event);

	return (size_t)(message + strlen(message) + 1 - (const char *)event);
}

const char *event_step_name(const struct event *event)
{
	return event->restores ? step_restore_name(event->step) : step_name(event->step);
}
