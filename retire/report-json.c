// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The result object, schema dax-retire/1. Fields are only ever added to it;
 * Documentation/schema/ says what they are.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "retire/report-events.h"
#include "retire/report-fields.h"
#include "retire/report-moves.h"
#include "retire/report-words.h"
#include "retire/report.h"
#include "util/cleanup.h"

static void cleanup_json(struct json_object **object)
{
	json_object_put(*object);
}

/* Absent where it needs no move. */
static void put_move(struct json_object *object, const struct move *move)
{
	char text[MOVE_TEXT];

	if (move->never) {
		json_put(object, "lifted_by", NULL);
		json_put_text(object, "message", move->never->message);
	} else if (*move_text(move, text, sizeof(text))) {
		json_put_text(object, "lifted_by", text);
	}
}

static struct json_object *json_veto(const struct look *look, const struct veto *veto)
{
	const struct holder *holder = shown_holder(look, veto->holder);
	struct json_object *object = json_object_new_object();
	char lifted_by[64];

	json_put_text(object, "code", veto->code);
	json_put_text(object, "severity", severity_name(veto->severity));
	json_put_text(object, "subject", veto->subject);
	if (holder)
		json_put(object, "holder", json_object_new_int64(holder->id));
	if (veto_lifted_by(veto, lifted_by, sizeof(lifted_by)))
		json_put_text(object, "lifted_by", lifted_by);
	else
		json_put(object, "lifted_by", NULL);
	json_put(object, "stands", json_object_new_boolean(veto->stands));
	json_put_text(object, "message", veto->message);
	return object;
}

static struct json_object *json_step(const struct step_record *record)
{
	struct json_object *object = json_object_new_object();

	json_put_text(object, "step", step_record_name(record));
	json_put_text(object, "subject", record->subject);
	json_put_text(object, "state", step_state_name(record->state));
	json_put_ms(object, "ms", record->ms);
	json_put_text(object, "notify", notify_name(record->notify));
	json_put_text(object, "message", record->message);
	return object;
}

static struct json_object *json_verify(const struct verify *verify)
{
	struct json_object *object = json_object_new_object();

	json_put_text(object, "check", verify->check);
	json_put(object, "ok",
		 verify->ok == CHECK_NULL ? NULL : json_object_new_boolean(verify->ok == CHECK_TRUE));
	json_put_text(object, "reason", verify->reason);
	if (verify->counts)
		json_put_number(object, "pages", verify->pages);
	return object;
}

/* A small object of two or three texts; `third` and its text may be NULL. */
static struct json_object *json_texts(const char *const keys[3], const char *first, const char *second,
				      const char *third)
{
	struct json_object *object = json_object_new_object();

	json_put_text(object, keys[0], first);
	json_put_text(object, keys[1], second);
	if (keys[2])
		json_put_text(object, keys[2], third);
	return object;
}

static struct json_object *put_array(struct json_object *object, const char *key)
{
	struct json_object *array = json_object_new_array();

	json_put(object, key, array);
	return array;
}

static void put_head(struct json_object *object, const struct result *result)
{
	json_put_text(object, "schema", "dax-retire/1");
	json_put_text(object, "command", result->command);
	if (result->id[0])
		json_put_text(object, "id", result->id);
	json_put_text(object, "result", outcome_name(result->outcome));
	json_put(object, "changed", json_object_new_boolean(result->changed));
	json_put_number(object, "elapsed_ms", result->elapsed_ms);
	if (result->timeout_ms)
		json_put_number(object, "timeout_ms", result->timeout_ms);
	json_put_ms(object, "frozen_ms", result->frozen_ms);
	json_put_text(object, "message", result->message);
}

static bool is_command(const struct result *result, const char *name)
{
	return result->command && strcmp(result->command, name) == 0;
}

static void put_found(struct json_object *object, const struct result *result,
		      const struct report_options *options)
{
	struct json_object *devices = put_array(object, "devices"), *holders = put_array(object, "holders");
	_cleanup_free_ struct move *moves = is_command(result, "list-holders") ? moves_of(result) : NULL;

	for (size_t i = 0; i < result->look.devices.count; i++)
		json_append(devices, json_device(result, i, options));
	array_each(holder, &result->look.holders) {
		struct json_object *shown =
			holder_is_shown(holder) ? json_holder(&result->look, holder, options) : NULL;

		/* a retirement has its vetoes for that */
		if (shown && moves)
			put_move(shown, &moves[holder->id - 1]);
		if (shown)
			json_append(holders, shown);
	}
}

static void put_unknowns(struct json_object *object, const struct result *result)
{
	static const char *const keys[] = { "subject", "reason", NULL };
	struct json_object *array = put_array(object, "unknown");

	array_each(unknown, &result->look.unknowns)
		json_append(array, json_texts(keys, unknown->subject, unknown->reason, NULL));
}

static void put_vetoes(struct json_object *object, const struct result *result)
{
	struct json_object *array = put_array(object, "vetoes");

	array_each(veto, &result->vetoes)
		json_append(array, json_veto(&result->look, veto));
}

/* Of all memdevs: with one that is not, none is. */
static void put_ready(struct json_object *object, const struct result *result)
{
	bool any = false, ready = true;

	for (size_t i = 0; tells_ready(result) && i < result->look.devices.count; i++) {
		if (result->look.devices.items[i].type != DEVICE_CXL_MEMDEV)
			continue;
		any = true;
		ready &= is_ready_to_remove(result, i);
	}
	if (any)
		json_put(object, "ready_to_remove", json_object_new_boolean(ready));
}

static void put_done(struct json_object *object, const struct result *result)
{
	static const char *const loss_keys[] = { "kind", "name", "reason" };
	static const char *const stuck_keys[] = { "subject", "message", "stack" };
	struct json_object *losses = put_array(object, "losses"), *steps = put_array(object, "steps");
	struct json_object *verified = put_array(object, "verify"), *stuck_array;

	array_each(loss, &result->losses)
		json_append(losses, json_texts(loss_keys, loss->kind, loss->name, loss->reason));
	array_each(record, &result->steps)
		json_append(steps, json_step(record));
	array_each(verify, &result->verify)
		json_append(verified, json_verify(verify));
	put_ready(object, result);
	if (!result->stuck.count)
		return;
	stuck_array = put_array(object, "stuck");
	array_each(stuck, &result->stuck)
		json_append(stuck_array, json_texts(stuck_keys, stuck->subject, stuck->message, stuck->stack));
}

static struct json_object *json_words(const char *words)
{
	struct json_object *array = json_object_new_array();
	_cleanup_free_ char *copy = words ? strdup(words) : NULL;
	char *cursor = copy, *word;

	while ((word = strsep(&cursor, " ")))
		if (*word)
			json_append(array, json_object_new_string(word));
	return array;
}

/* Seconds since 1970 as ISO 8601 in UTC, the form that `date -d` and every library take. */
static void put_time(struct json_object *object, const char *key, uint64_t seconds)
{
	time_t when = (time_t)seconds;
	char text[32];
	struct tm utc;

	if (seconds && gmtime_r(&when, &utc) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc))
		json_put_text(object, key, text);
}

static struct json_object *json_retirement(const struct told_retirement *told)
{
	struct json_object *object = json_object_new_object();

	json_put_text(object, "id", told->id);
	json_put_text(object, "command", told->command);
	json_put_text(object, "state", told->state);
	json_put(object, "devices", json_words(told->devices));
	put_time(object, "since", told->started);
	put_time(object, "ended", told->ended);
	json_put_text(object, "phase", told->phase);
	json_put_text(object, "step", told->step);
	json_put(object, "restorable", json_object_new_boolean(told->restorable));
	return object;
}

static void put_retirements(struct json_object *object, const struct result *result)
{
	struct json_object *array = put_array(object, "retirements");

	array_each(told, &result->retirements)
		json_append(array, json_retirement(told));
}

static struct json_object *json_result(const struct result *result, const struct report_options *options)
{
	bool reads_only = is_command(result, "list-holders") || is_command(result, "list-retirements");
	struct json_object *object = json_object_new_object();

	put_head(object, result);
	if (is_command(result, "list-retirements") || is_command(result, "recover"))
		put_retirements(object, result);
	put_found(object, result, options);
	if (!reads_only)
		put_vetoes(object, result);
	put_unknowns(object, result);
	if (result->outcome == OUTCOME_LISTED && is_command(result, "list-holders"))
		json_object_object_add(object, "complete",
				       json_object_new_boolean(look_is_complete(&result->look)));
	if (!reads_only)
		put_done(object, result);
	return object;
}

static int print_json(struct json_object *object, const struct report_options *options, FILE *out)
{
	int shape = options && options->events ? JSON_C_TO_STRING_PLAIN : JSON_C_TO_STRING_PRETTY;
	const char *text = json_object_to_json_string_ext(object, shape | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (!object || !text)
		return -ENOMEM;
	errno = 0;
	if (fputs(text, out) < 0 || fputc('\n', out) < 0 || fflush(out) != 0 || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}

int report_json(const struct result *result, const struct report_options *options, FILE *out)
{
	_cleanup_(cleanup_json) struct json_object *object = json_result(result, options);

	return print_json(object, options, out);
}

int report_json_each(const struct result *results, size_t count, const struct report_options *options, FILE *out)
{
	_cleanup_(cleanup_json) struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < count; i++)
		json_append(array, json_result(&results[i], options));
	return print_json(array, options, out);
}

static void draw_event(struct drawing *drawing, const struct event *event, FILE *out)
{
	_cleanup_(cleanup_json) struct json_object *object = NULL;
	static const struct report_options one_line = { .events = true };

	(void)drawing;
	if (!event_name(event->type))
		return;
	object = json_object_new_object();
	json_put_text(object, "event", event_name(event->type));
	json_put_text(object, "id", event->id);
	if (*event->command)
		json_put_text(object, "command", event->command);
	json_put_number(object, "elapsed_ms", (event->at_us - event->start_us) / 1000);
	if (*event->phase)
		json_put_text(object, "phase", event->phase);
	if (event->step != STEP_NONE)
		json_put_text(object, "step", event_step_name(event));
	if (event->step != STEP_NONE || event->type == EVENT_BEGIN)
		json_put_text(object, "subject", event_subject(event));
	if (event->type == EVENT_STEP || event->type == EVENT_UNDO)
		json_put_text(object, "state", step_state_name(event->state));
	json_put_ms(object, "ms", event->ms);
	if (event->type == EVENT_PROGRESS) {
		json_put_number(object, "bytes", event->bytes);
		json_put_number(object, "of_bytes", event->of_bytes);
	}
	json_put_text(object, "notify", notify_name(event->notify));
	if (*event_message(event))
		json_put_text(object, "message", event_message(event));
	print_json(object, &one_line, out);
}

struct drawing events_drawing(void)
{
	return (struct drawing){ .draw = draw_event, .heartbeat_ms = HEARTBEAT_MS };
}
