// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The result object, schema dax-retire/1. Fields are only ever added to it;
 * Documentation/schema/ says what they are.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>
#include <time.h>

#include "retire/report-events.h"
#include "retire/report-moves.h"
#include "retire/report-words.h"
#include "retire/report.h"
#include "util/cleanup.h"

static void cleanup_json(struct json_object **object)
{
	json_object_put(*object);
}

/* Owns `value` from here on, also when it cannot be added. */
static void put(struct json_object *object, const char *key, struct json_object *value)
{
	if (!object || json_object_object_add(object, key, value) < 0)
		json_object_put(value);
}

static void append(struct json_object *array, struct json_object *value)
{
	if (!array || json_object_array_add(array, value) < 0)
		json_object_put(value);
}

static void put_text(struct json_object *object, const char *key, const char *text)
{
	_cleanup_free_ char *valid = text ? valid_utf8(text) : NULL;

	if (valid)
		put(object, key, json_object_new_string(valid));
}

static void put_number(struct json_object *object, const char *key, uint64_t number)
{
	put(object, key, json_object_new_uint64(number));
}

static void put_true(struct json_object *object, const char *key, bool value)
{
	if (value)
		put(object, key, json_object_new_boolean(true));
}

/* One decimal is what a step's time is worth; a negative time was not taken. */
static void put_ms(struct json_object *object, const char *key, double ms)
{
	char text[32];

	if (!(ms >= 0))
		return;
	snprintf(text, sizeof(text), "%.1f", ms);
	put(object, key, json_object_new_double_s(ms, text));
}

static void put_size(struct json_object *object, const char *key, uint64_t bytes,
		     const struct report_options *options)
{
	char text[80];

	if (options && options->human && family_size(bytes, text, sizeof(text)))
		put_text(object, key, text);
	else
		put_number(object, key, bytes);
}

/* The file of a referenced page, and where in it. */
static struct json_object *json_run(const struct referenced_run *run)
{
	struct json_object *object = json_object_new_object();

	put_number(object, "pfn", run->pfn);
	put_number(object, "pages", run->pages);
	if (!run->dev)
		return object;
	put_number(object, "inode", run->inode);
	put_number(object, "index", run->index);
	put_text(object, "path", run->path);
	return object;
}

static struct json_object *json_pages(const struct references *references)
{
	struct json_object *object = json_object_new_object(), *runs;

	put_number(object, "counted", references->counted);
	if (!references->known)
		put(object, "referenced", NULL);
	else
		put_number(object, "referenced", references->referenced);
	if (references->counts_mappings)
		put_number(object, "mapped", references->mapped);
	put_text(object, "reason", references->reason);
	if (!references->runs.count)
		return object;
	runs = json_object_new_array();
	put(object, "runs", runs);
	array_each(run, &references->runs)
		append(runs, json_run(run));
	put_true(object, "more_runs", references->more_runs);
	return object;
}

static struct json_object *json_device(const struct result *result, size_t index,
				       const struct report_options *options)
{
	const struct device *device = &result->look.devices.items[index];
	struct json_object *object = json_object_new_object();

	put_text(object, "dev", device->name);
	put_text(object, "bus", device->bus);
	put_text(object, "path", device->path);
	put_text(object, "type", device_type_name(device->type));
	put_text(object, "mode", device_mode_name(device->mode));
	put_text(object, device->mode == MODE_DEVDAX ? "chardev" : "blockdev", device->blockdev);
	put_true(object, "system_ram", device->system_ram);
	put_size(object, "size", device->size, options);
	put_text(object, "uuid", device->uuid);
	if (!device->enabled)
		put_text(object, "state", "disabled");
	put_true(object, "gone", device->gone);
	put_true(object, "half_removed", device->half_removed);
	if (look_references(&result->look, (int)index))
		put(object, "pages", json_pages(look_references(&result->look, (int)index)));
	if (result->unused)
		put(object, "unused", json_object_new_boolean(result->unused[index]));
	return object;
}

/* An id when it rests on another holder, else the name of the device below. */
static void put_on(struct json_object *object, const struct look *look, const struct holder *holder)
{
	const struct holder *below = holder_below(look, holder);

	if (below)
		put(object, "on", json_object_new_int64(below->id));
	else if ((size_t)holder->device < look->devices.count)
		put_text(object, "on", look_on_name(look, holder));
}

/* What of its file system is on the device, when it is not it itself. */
static const char *part_of(const struct look *look, const struct mount *mount)
{
	const struct holder *filesystem = mount->foreign ? NULL : look_filesystem(look, mount->dev);

	return filesystem ? filesystem->filesystem.part : NULL;
}

static void put_mount(struct json_object *object, const struct look *look, const struct holder *holder)
{
	const struct mount *mount = &holder->mount;

	put_text(object, "name", holder->name);
	put_text(object, "fstype", mount->fstype);
	put_on(object, look, holder);
	put_text(object, "source", mount->source);
	if (mount->root && strcmp(mount->root, "/") != 0)
		put_text(object, "root", mount->root);
	put_text(object, "options", mount->options);
	if ((size_t)mount->ns < look->namespaces.count && !look->namespaces.items[mount->ns].initial)
		put_number(object, "mnt_ns", look->namespaces.items[mount->ns].ino);
	if ((size_t)mount->ns < look->namespaces.count)
		put_text(object, "kept_by", look->namespaces.items[mount->ns].keeper);
	put_text(object, "part", part_of(look, mount));
	put_true(object, "foreign", mount->foreign);
}

static struct json_object *json_uses(unsigned uses)
{
	struct json_object *array = json_object_new_array();

	/* "map" before "open": what is harder to end comes first */
	if (uses & USE_MAP)
		append(array, json_object_new_string("map"));
	for (size_t bit = 0; use_name(bit); bit++)
		if (uses & ~USE_MAP & 1u << bit)
			append(array, json_object_new_string(use_name(bit)));
	return array;
}

static void put_process(struct json_object *object, const struct look *look, const struct holder *holder)
{
	const struct process *process = &holder->process;

	put(object, "pid", json_object_new_int64(process->pid));
	put_number(object, "starttime", process->starttime);
	put_text(object, "comm", process->comm);
	put_number(object, "uid", process->uid);
	put_text(object, "unit", process->unit);
	put_text(object, "vm", process->vm);
	put_text(object, "container", process->container);
	put(object, "uses", json_uses(process->uses));
	put_on(object, look, holder);
	put_text(object, "path", process->path);
	put_true(object, "own", process->own);
}

static void put_swap(struct json_object *object, const struct holder *holder, const struct report_options *options)
{
	put(object, "priority", json_object_new_int64(holder->swap.priority));
	put_size(object, "size", holder->swap.size, options);
	put_size(object, "used", holder->swap.used, options);
}

static struct json_object *json_holder(const struct look *look, const struct holder *holder,
				       const struct report_options *options)
{
	struct json_object *object = json_object_new_object();

	put(object, "id", json_object_new_int64(holder->id));
	put_text(object, "kind", holder_word(holder));
	switch (holder->type) {
	case HOLDER_MOUNT:
		put_mount(object, look, holder);
		return object;
	case HOLDER_PROCESS:
		put_process(object, look, holder);
		return object;
	case HOLDER_SWAP:
		put_text(object, "name", holder->name);
		put_on(object, look, holder);
		put_swap(object, holder, options);
		return object;
	case HOLDER_EXPORT:
		put_text(object, "name", holder->name);
		put_on(object, look, holder);
		put_text(object, "path", holder->export.path);
		put_text(object, "client", holder->export.client);
		put_text(object, "users", holder->export.users);
		return object;
	case HOLDER_NVME_TARGET:
		put_text(object, "name", holder->name);
		put_on(object, look, holder);
		put_text(object, "path", holder->nvme.backing);
		put_text(object, "uuid", holder->nvme.uuid);
		return object;
	case HOLDER_FILESYSTEM:
		put_text(object, "name", holder->name);
		put_text(object, "fstype", holder->filesystem.fstype);
		put_on(object, look, holder);
		put_text(object, "part", holder->filesystem.part);
		put_true(object, "shut_down", holder->filesystem.shut_down);
		return object;
	default:
		put_text(object, "name", holder->name);
		put_on(object, look, holder);
		return object;
	}
}

/* Absent where it needs no move. */
static void put_move(struct json_object *object, const struct move *move)
{
	char text[MOVE_TEXT];

	if (move->never) {
		put(object, "lifted_by", NULL);
		put_text(object, "message", move->never->message);
	} else if (*move_text(move, text, sizeof(text))) {
		put_text(object, "lifted_by", text);
	}
}

static struct json_object *json_veto(const struct look *look, const struct veto *veto)
{
	const struct holder *holder = shown_holder(look, veto->holder);
	struct json_object *object = json_object_new_object();
	char lifted_by[64];

	put_text(object, "code", veto->code);
	put_text(object, "severity", severity_name(veto->severity));
	put_text(object, "subject", veto->subject);
	if (holder)
		put(object, "holder", json_object_new_int64(holder->id));
	if (veto_lifted_by(veto, lifted_by, sizeof(lifted_by)))
		put_text(object, "lifted_by", lifted_by);
	else
		put(object, "lifted_by", NULL);
	put(object, "stands", json_object_new_boolean(veto->stands));
	put_text(object, "message", veto->message);
	return object;
}

static struct json_object *json_step(const struct step_record *record)
{
	struct json_object *object = json_object_new_object();

	put_text(object, "step", step_record_name(record));
	put_text(object, "subject", record->subject);
	put_text(object, "state", step_state_name(record->state));
	put_ms(object, "ms", record->ms);
	put_text(object, "notify", notify_name(record->notify));
	put_text(object, "message", record->message);
	return object;
}

static struct json_object *json_verify(const struct verify *verify)
{
	struct json_object *object = json_object_new_object();

	put_text(object, "check", verify->check);
	put(object, "ok", verify->ok == CHECK_NULL ? NULL : json_object_new_boolean(verify->ok == CHECK_TRUE));
	put_text(object, "reason", verify->reason);
	if (verify->counts)
		put_number(object, "pages", verify->pages);
	return object;
}

/* A small object of two or three texts; `third` and its text may be NULL. */
static struct json_object *json_texts(const char *const keys[3], const char *first, const char *second,
				      const char *third)
{
	struct json_object *object = json_object_new_object();

	put_text(object, keys[0], first);
	put_text(object, keys[1], second);
	if (keys[2])
		put_text(object, keys[2], third);
	return object;
}

static struct json_object *put_array(struct json_object *object, const char *key)
{
	struct json_object *array = json_object_new_array();

	put(object, key, array);
	return array;
}

static void put_head(struct json_object *object, const struct result *result)
{
	put_text(object, "schema", "dax-retire/1");
	put_text(object, "command", result->command);
	if (result->id[0])
		put_text(object, "id", result->id);
	put_text(object, "result", outcome_name(result->outcome));
	put(object, "changed", json_object_new_boolean(result->changed));
	put_number(object, "elapsed_ms", result->elapsed_ms);
	put_ms(object, "frozen_ms", result->frozen_ms);
	put_text(object, "message", result->message);
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
		append(devices, json_device(result, i, options));
	array_each(holder, &result->look.holders) {
		struct json_object *shown =
			holder_is_shown(holder) ? json_holder(&result->look, holder, options) : NULL;

		/* a retirement has its vetoes for that */
		if (shown && moves)
			put_move(shown, &moves[holder->id - 1]);
		if (shown)
			append(holders, shown);
	}
}

static void put_unknowns(struct json_object *object, const struct result *result)
{
	static const char *const keys[] = { "subject", "reason", NULL };
	struct json_object *array = put_array(object, "unknown");

	array_each(unknown, &result->look.unknowns)
		append(array, json_texts(keys, unknown->subject, unknown->reason, NULL));
}

static void put_vetoes(struct json_object *object, const struct result *result)
{
	struct json_object *array = put_array(object, "vetoes");

	array_each(veto, &result->vetoes)
		append(array, json_veto(&result->look, veto));
}

static void put_done(struct json_object *object, const struct result *result)
{
	static const char *const loss_keys[] = { "kind", "name", "reason" };
	static const char *const stuck_keys[] = { "subject", "message", "stack" };
	struct json_object *losses = put_array(object, "losses"), *steps = put_array(object, "steps");
	struct json_object *verified = put_array(object, "verify"), *stuck_array;

	array_each(loss, &result->losses)
		append(losses, json_texts(loss_keys, loss->kind, loss->name, loss->reason));
	array_each(record, &result->steps)
		append(steps, json_step(record));
	array_each(verify, &result->verify)
		append(verified, json_verify(verify));
	if (!result->stuck.count)
		return;
	stuck_array = put_array(object, "stuck");
	array_each(stuck, &result->stuck)
		append(stuck_array, json_texts(stuck_keys, stuck->subject, stuck->message, stuck->stack));
}

static struct json_object *json_words(const char *words)
{
	struct json_object *array = json_object_new_array();
	_cleanup_free_ char *copy = words ? strdup(words) : NULL;
	char *cursor = copy, *word;

	while ((word = strsep(&cursor, " ")))
		if (*word)
			append(array, json_object_new_string(word));
	return array;
}

/* Seconds since 1970 as ISO 8601 in UTC, the form that `date -d` and every library take. */
static void put_time(struct json_object *object, const char *key, uint64_t seconds)
{
	time_t when = (time_t)seconds;
	char text[32];
	struct tm utc;

	if (seconds && gmtime_r(&when, &utc) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc))
		put_text(object, key, text);
}

static struct json_object *json_retirement(const struct told_retirement *told)
{
	struct json_object *object = json_object_new_object();

	put_text(object, "id", told->id);
	put_text(object, "command", told->command);
	put_text(object, "state", told->state);
	put(object, "devices", json_words(told->devices));
	put_time(object, "since", told->started);
	put_time(object, "ended", told->ended);
	put_text(object, "phase", told->phase);
	put_text(object, "step", told->step);
	put(object, "restorable", json_object_new_boolean(told->restorable));
	return object;
}

static void put_retirements(struct json_object *object, const struct result *result)
{
	struct json_object *array = put_array(object, "retirements");

	array_each(told, &result->retirements)
		append(array, json_retirement(told));
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
		append(array, json_result(&results[i], options));
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
	put_text(object, "event", event_name(event->type));
	put_text(object, "id", event->id);
	if (*event->command)
		put_text(object, "command", event->command);
	put_number(object, "elapsed_ms", (event->at_us - event->start_us) / 1000);
	if (*event->phase)
		put_text(object, "phase", event->phase);
	if (event->step != STEP_NONE)
		put_text(object, "step", event_step_name(event));
	if (event->step != STEP_NONE || event->type == EVENT_BEGIN)
		put_text(object, "subject", event_subject(event));
	if (event->type == EVENT_STEP || event->type == EVENT_UNDO)
		put_text(object, "state", step_state_name(event->state));
	put_ms(object, "ms", event->ms);
	put_text(object, "notify", notify_name(event->notify));
	if (*event_message(event))
		put_text(object, "message", event_message(event));
	print_json(object, &one_line, out);
}

struct drawing events_drawing(void)
{
	return (struct drawing){ .draw = draw_event, .heartbeat_ms = HEARTBEAT_MS };
}
