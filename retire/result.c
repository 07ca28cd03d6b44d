// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/result.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	int exit;
} outcomes[] = {
	[OUTCOME_RETIRED] = { "retired", 0 },
	[OUTCOME_ALREADY_RETIRED] = { "already-retired", 0 },
	[OUTCOME_RESTORED] = { "restored", 0 },
	[OUTCOME_RECOVERED] = { "recovered", 0 },
	[OUTCOME_NOTHING_TO_DO] = { "nothing-to-do", 0 },
	[OUTCOME_PLANNED] = { "planned", 0 },
	[OUTCOME_LISTED] = { "listed", 0 },
	[OUTCOME_ERROR] = { "error", 1 },
	[OUTCOME_IN_PROGRESS] = { "in-progress", 1 },
	[OUTCOME_REFUSED] = { "refused", 2 },
	[OUTCOME_ROLLED_BACK] = { "rolled-back", 3 },
	[OUTCOME_STUCK] = { "stuck", 4 },
};

const char *outcome_name(enum outcome outcome)
{
	return outcomes[outcome].name;
}

int outcome_exit(enum outcome outcome)
{
	return outcomes[outcome].exit;
}

const char *step_state_name(enum step_state state)
{
	static const char *const names[] = {
		[STATE_PLANNED] = "planned", [STATE_DONE] = "done",	[STATE_NOT_NEEDED] = "not-needed",
		[STATE_FAILED] = "failed",   [STATE_UNDONE] = "undone", [STATE_STUCK] = "stuck",
	};

	return names[state];
}

const char *notify_name(enum notify notify)
{
	static const char *const names[] = {
		[NOTIFY_NONE] = NULL,
		[NOTIFY_SENT] = "sent",
		[NOTIFY_NOT_NEEDED] = "not-needed",
		[NOTIFY_UNSUPPORTED] = "unsupported",
	};

	return names[notify];
}

/* NULL stays NULL. False when memory is out. */
static bool copy(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return *to || !from;
}

struct step_record *result_add_step(struct result *result, enum step_type type, const char *subject)
{
	struct step_record *record = array_add(&result->steps);

	if (!record)
		return NULL;
	record->type = type;
	record->ms = -1;
	if (copy(&record->subject, subject))
		return record;
	result->steps.count--;
	return NULL;
}

int result_add_loss(struct result *result, const char *kind, const char *name, const char *reason)
{
	struct loss *loss = array_add(&result->losses);

	if (!loss)
		return -ENOMEM;
	loss->kind = kind;
	return copy(&loss->name, name) && copy(&loss->reason, reason) ? 0 : -ENOMEM;
}

int result_add_loss_once(struct result *result, const char *kind, const char *name, const char *reason)
{
	array_each(loss, &result->losses)
		if (strcmp(loss->kind, kind) == 0 && strcmp(loss->name, name) == 0)
			return 0;
	return result_add_loss(result, kind, name, reason);
}

int result_add_stuck(struct result *result, const char *subject, const char *stack, const char *fmt, ...)
{
	struct stuck *stuck = array_add(&result->stuck);
	va_list ap;
	int n;

	if (!stuck)
		return -ENOMEM;
	va_start(ap, fmt);
	n = vasprintf(&stuck->message, fmt, ap);
	va_end(ap);
	if (n < 0)
		stuck->message = NULL;
	return copy(&stuck->subject, subject) && copy(&stuck->stack, stack) && stuck->message ? 0 : -ENOMEM;
}

int result_add_verify(struct result *result, const char *check, enum check ok, const char *reason)
{
	struct verify *verify = array_add(&result->verify);

	if (!verify)
		return -ENOMEM;
	verify->check = check;
	verify->ok = ok;
	return copy(&verify->reason, reason) ? 0 : -ENOMEM;
}

int result_add_counted(struct result *result, enum check ok, uint64_t pages, const char *reason)
{
	int rc = result_add_verify(result, "no-references", ok, reason);

	if (rc == 0) {
		struct verify *verify = &result->verify.items[result->verify.count - 1];

		verify->counts = ok == CHECK_TRUE;
		verify->pages = pages;
	}
	return rc;
}

static void free_steps(struct result *result)
{
	array_each(record, &result->steps) {
		free(record->subject);
		free(record->message);
	}
	free(result->steps.items);
}

void result_take_vetoes(struct result *result, struct plan *plan)
{
	array_each(veto, &plan->vetoes) {
		struct veto *to = array_add(&result->vetoes);

		if (!to)
			return;
		*to = *veto;
		*veto = (struct veto){ 0 };
	}
	plan->vetoes.count = 0;
}

static void free_vetoes(struct result *result)
{
	array_each(veto, &result->vetoes) {
		free(veto->subject);
		free(veto->message);
	}
	free(result->vetoes.items);
}

static void free_leftovers(struct result *result)
{
	array_each(loss, &result->losses) {
		free(loss->name);
		free(loss->reason);
	}
	free(result->losses.items);
	array_each(stuck, &result->stuck) {
		free(stuck->subject);
		free(stuck->message);
		free(stuck->stack);
	}
	free(result->stuck.items);
	array_each(verify, &result->verify)
		free(verify->reason);
	free(result->verify.items);
	array_each(told, &result->retirements) {
		free(told->command);
		free(told->state);
		free(told->phase);
		free(told->step);
		free(told->devices);
	}
	free(result->retirements.items);
}

/* Moves the elements of one array behind those of another. */
#define MOVE(to, from)                                                                                            \
	do {                                                                                                      \
		array_each(item, from) {                                                                          \
			__typeof__(item) slot = array_add(to);                                                    \
			if (!slot)                                                                                \
				break;                                                                            \
			*slot = *item;                                                                            \
			memset(item, 0, sizeof(*item));                                                           \
		}                                                                                                 \
	} while (0)

void result_merge(struct result *to, struct result *from)
{
	MOVE(&to->look.devices, &from->look.devices);
	MOVE(&to->vetoes, &from->vetoes);
	MOVE(&to->steps, &from->steps);
	MOVE(&to->losses, &from->losses);
	MOVE(&to->stuck, &from->stuck);
	MOVE(&to->verify, &from->verify);
	MOVE(&to->retirements, &from->retirements);
	array_each(veto, &to->vetoes)
		veto->holder = 0;
	to->changed |= from->changed;
	result_free(from);
}

void result_free(struct result *result)
{
	look_free(&result->look);
	free_vetoes(result);
	free_steps(result);
	free_leftovers(result);
	free(result->unused);
	free(result->message);
	memset(result, 0, sizeof(*result));
}
