// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/retirement.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "retire/capture.h"
#include "retire/lock.h"
#include "retire/plan.h"
#include "util/cleanup.h"
#include "util/root.h"

static char *boot_id(const struct root *root)
{
	return root_attributef(root, "/proc/sys/kernel/random/boot_id");
}

struct json_object *retirement_head(const struct root *root, const char *id, const struct request *request)
{
	struct json_object *head = capture_new();
	_cleanup_free_ char *boot = boot_id(root);

	put_number(head, "journal", JOURNAL_VERSION);
	put_text(head, "id", id);
	put_text(head, "boot", boot);
	put_number(head, "time", (uint64_t)time(NULL));
	put_number(head, "pid", (uint64_t)getpid());
	put_text(head, "command", request->command);
	put_text(head, "evict", evict_level_name(request->evict));
	put_object(head, "allow", capture_items());
	for (size_t i = 0; i < request->allow_count; i++)
		capture_add(head, "allow", capture_text(request->allow[i]));
	put_number(head, "grace_ms", request->grace_ms);
	put_number(head, "timeout_ms", request->timeout_ms);
	if (request->no_unbind)
		put_bool(head, "no_unbind", true);
	put_bool(head, "delete", request->delete_region);
	put_bool(head, "power_off", request->power_off);
	return head;
}

static int step_named(const char *name, enum step_type *type)
{
	for (*type = STEP_NONE + 1; name && *type < STEP_TYPES; (*type)++)
		if (strcmp(name, step_name(*type)) == 0)
			return 0;
	return -EBADMSG;
}

static unsigned bounded(uint64_t number, unsigned most)
{
	return number > most ? most : (unsigned)number;
}

/* What a retirement was asked for; a journal that says nonsense gets the least. */
static int read_head(const struct root *root, struct retirement *retirement, struct json_object *head)
{
	_cleanup_free_ char *boot = boot_id(root);
	const char *text = text_of(head, "boot"), *evict = text_of(head, "evict");

	if (!text_of(head, "id") || strcmp(text_of(head, "id"), retirement->id) != 0)
		return -EBADMSG;
	retirement->command = text_of(head, "command");
	retirement->started = number_of(head, "time");
	retirement->this_boot = boot && text && strcmp(boot, text) == 0;
	retirement->grace_ms = bounded(number_of(head, "grace_ms"), INT_MAX);
	retirement->timeout_ms = bounded(number_of(head, "timeout_ms"), INT_MAX);
	retirement->no_unbind = bool_of(head, "no_unbind");
	retirement->delete_region = bool_of(head, "delete");
	retirement->power_off = bool_of(head, "power_off");
	for (enum evict_level level = EVICT_NONE; evict && level < EVICT_NEVER; level++)
		if (strcmp(evict, evict_level_name(level)) == 0)
			retirement->evict = level;
	for (size_t i = 0; i < length_of(head, "allow") && i < COUNT_OF(retirement->allow); i++)
		if (item_text(head, "allow", i))
			retirement->allow[retirement->allow_count++] = item_text(head, "allow", i);
	return retirement->command ? 0 : -EBADMSG;
}

static int add_devices(struct look *look, struct json_object *plan)
{
	for (size_t i = 0; i < length_of(plan, "devices"); i++) {
		struct device *device = array_add(&look->devices);
		int rc = device ? captured_device(item_of(plan, "devices", i), device) : -ENOMEM;

		if (rc < 0) {
			if (device)
				look->devices.count--;
			return rc;
		}
	}
	return 0;
}

/* The steps of the plan before name devices by their place. */
static bool are_the_same(const struct look *was, const struct look *now)
{
	if (was->devices.count != now->devices.count)
		return false;
	for (size_t i = 0; i < was->devices.count; i++)
		if (strcmp(was->devices.items[i].name, now->devices.items[i].name) != 0)
			return false;
	return true;
}

static int read_devices(struct retirement *retirement, struct json_object *plan)
{
	struct look before = retirement->was;
	bool *restored = calloc(length_of(plan, "devices") + 1, sizeof(bool));
	int rc = restored ? 0 : -ENOMEM;

	free(retirement->restored);
	retirement->restored = restored;
	retirement->was = (struct look){ 0 };
	rc = rc < 0 ? rc : add_devices(&retirement->was, plan);
	if (rc == 0 && retirement->planned && !are_the_same(&before, &retirement->was))
		rc = -EBADMSG;
	retirement->planned = true;
	look_free(&before);
	return rc;
}

static int read_step(struct retirement *retirement, struct json_object *object)
{
	struct captured *captured = array_add(&retirement->captured);
	enum step_state *state = captured ? array_add(&retirement->states) : NULL;
	uint64_t device;

	if (!state)
		return -ENOMEM;
	captured->subject = text_of(object, "subject");
	captured->memo = object_of(object, "memo");
	if (!captured->subject || captured_number(object, "device", &device) < 0 ||
	    device >= retirement->was.devices.count)
		return -EBADMSG;
	captured->device = (int)device;
	return step_named(text_of(object, "step"), &captured->type);
}

/* A plan: the devices anew, and its steps after those of the one before. */
static int read_plan(struct retirement *retirement, struct json_object *plan)
{
	int rc = 0;

	/* one that finishes what was committed finds only what is left of it */
	retirement->last = retirement->captured.count;
	if (!retirement->committed) {
		rc = read_devices(retirement, plan);
		retirement->base = retirement->last;
	}
	for (size_t i = 0; rc == 0 && i < length_of(plan, "steps"); i++)
		rc = read_step(retirement, item_of(plan, "steps", i));
	return rc;
}

static enum step_state state_named(const char *name)
{
	for (enum step_state state = STATE_PLANNED; state <= STATE_STUCK; state++)
		if (strcmp(name, step_state_name(state)) == 0)
			return state;
	/* begun: whatever became of it, it is put back */
	return STATE_FAILED;
}

static int read_event(struct retirement *retirement, struct json_object *event, const char *state)
{
	uint64_t at;

	if (captured_number(event, "at", &at) < 0 || at >= retirement->captured.count - retirement->last)
		return -EBADMSG;
	retirement->states.items[retirement->last + at] = state_named(state);
	return 0;
}

static void read_restored(struct retirement *retirement, struct json_object *record)
{
	for (size_t i = 0; i < length_of(record, "restored"); i++)
		for (size_t j = 0; j < retirement->was.devices.count; j++)
			if (item_text(record, "restored", i) &&
			    strcmp(item_text(record, "restored", i), retirement->was.devices.items[j].name) == 0)
				retirement->restored[j] = true;
}

static int read_ending(struct retirement *retirement, struct json_object *record)
{
	struct ending *ending = array_add(&retirement->endings);

	if (!ending)
		return -ENOMEM;
	ending->reason = text_of(record, "reason");
	return ending->reason ? captured_process(object_of(record, "ending"), &ending->was) : -EBADMSG;
}

static int read_record(struct retirement *retirement, struct json_object *record)
{
	int rc = 0;

	if (has_list(record, "steps"))
		rc = read_plan(retirement, record);
	else if (text_of(record, "state"))
		rc = read_event(retirement, record, text_of(record, "state"));
	else if (object_of(record, "ending"))
		rc = read_ending(retirement, record);
	retirement->committed |= bool_of(record, "commit");
	if (text_of(record, "end")) {
		retirement->end = text_of(record, "end");
		retirement->ended = number_of(record, "time");
		/* its commit got to one of the places only, and counted for nothing */
		if (strcmp(retirement->end, outcome_name(OUTCOME_ROLLED_BACK)) == 0)
			retirement->committed = false;
	}
	if (has_list(record, "restored"))
		read_restored(retirement, record);
	return rc;
}

int retirement_of_records(const struct root *root, struct retirement *retirement, struct err *err)
{
	int rc = -ENODATA;

	array_each(record, &retirement->records.list) {
		rc = record == retirement->records.list.items ? read_head(root, retirement, *record) : 0;
		rc = rc < 0 ? rc : read_record(retirement, *record);
		if (rc < 0)
			return err_set(err, rc, "journal %s: record %zu makes no sense", retirement->id,
				       (size_t)(record - retirement->records.list.items) + 1);
	}
	return retirement->records.list.count ? 0 : err_set(err, -ENODATA, "journal %s is empty", retirement->id);
}

int retirement_read(const struct root *root, const char *id, struct retirement *retirement, struct err *err)
{
	int rc;

	memset(retirement, 0, sizeof(*retirement));
	if (!journal_is_id(id))
		return err_set(err, -ENOENT, "%s: no retirement has such an id", id);
	strcpy(retirement->id, id);
	rc = journal_read(root, JOURNAL_RUN, id, &retirement->records, err);
	if (rc == -ENOENT)
		rc = journal_read(root, JOURNAL_STATE, id, &retirement->records, err);
	return rc < 0 ? rc : retirement_of_records(root, retirement, err);
}

void retirement_free(struct retirement *retirement)
{
	look_free(&retirement->was);
	free(retirement->captured.items);
	free(retirement->states.items);
	free(retirement->endings.items);
	free(retirement->restored);
	journal_free(&retirement->records);
	memset(retirement, 0, sizeof(*retirement));
}

static bool is_meant(const struct device *device, const char *tool)
{
	return device_has_users(device->type) || !tool || strcmp(tool, device_tool(device->type)) == 0;
}

static bool is_called(const struct device *device, const char *called)
{
	return device->type == DEVICE_CXL_MEMDEV
		       ? cxl_is_called(called, device->name, device->cxl.host, device->cxl.serial)
		       : strcmp(called, device->name) == 0;
}

int retirement_device(const struct retirement *retirement, const char *tool, const char *called)
{
	for (size_t i = 0; i < retirement->was.devices.count; i++)
		if (is_meant(&retirement->was.devices.items[i], tool) &&
		    is_called(&retirement->was.devices.items[i], called))
			return (int)i;
	return -1;
}

bool retirement_is_restorable(const struct retirement *retirement)
{
	for (size_t i = 0; retirement->committed && i < retirement->was.devices.count; i++)
		if (!retirement->restored[i])
			return true;
	return false;
}

const char *retirement_state(const struct root *root, const struct retirement *retirement)
{
	if (retirement->committed && !retirement_is_restorable(retirement))
		return "restored";
	if (retirement->end)
		return retirement->end;
	if (!retirement->this_boot)
		return "expired";
	return lock_is_held_by(root, retirement->id) ? "running" : "interrupted";
}

int retirement_find_interrupted(const struct root *root, char id[JOURNAL_ID_ROOM], struct err *err)
{
	struct journal_names names = { 0 };
	int rc = journal_list(root, &names, err), found = 0;

	array_each(name, &names.list) {
		struct retirement retirement;

		if (rc < 0 || found || !name->in[JOURNAL_RUN])
			continue;
		rc = retirement_read(root, name->id, &retirement, err);
		/* one whose first record was never written has begun nothing */
		if (rc == -ENODATA)
			rc = 0;
		else if (rc == 0 && !retirement.end && retirement.this_boot)
			found = 1;
		retirement_free(&retirement);
		if (found)
			strcpy(id, name->id);
	}
	free(names.list.items);
	return rc < 0 ? rc : found;
}

/* Is every device of it in a retirement that came later? */
static bool is_superseded(const struct retirement *retirement, char *const *later, size_t count)
{
	for (size_t i = 0; i < retirement->was.devices.count; i++) {
		bool found = retirement->restored[i];

		for (size_t j = 0; !found && j < count; j++)
			found = strcmp(later[j], retirement->was.devices.items[i].name) == 0;
		if (!found)
			return false;
	}
	return true;
}

struct names {
	ARRAY_OF(char *) list;
};

static void note_devices(struct names *later, const struct retirement *retirement)
{
	for (size_t i = 0; retirement->committed && i < retirement->was.devices.count; i++) {
		char **name = array_add(&later->list);

		if (name)
			*name = strdup(retirement->was.devices.items[i].name);
		if (name && !*name)
			later->list.count--;
	}
}

void retirements_prune(const struct root *root)
{
	struct journal_names names = { 0 };
	struct names later = { 0 };
	size_t kept = 0;

	if (journal_list(root, &names, NULL) < 0)
		names.list.count = 0;
	for (size_t i = names.list.count; i-- > 0;) {
		const struct journal_name *name = &names.list.items[i];
		struct retirement retirement;
		int rc = retirement_read(root, name->id, &retirement, NULL);

		/* what cannot be read is for people to look at, and takes the place of nothing */
		if (rc == 0 && ++kept > RETIREMENTS_KEPT && (retirement.end || !retirement.this_boot) &&
		    (!retirement_is_restorable(&retirement) ||
		     is_superseded(&retirement, later.list.items, later.list.count)))
			for (enum journal_place place = 0; place < JOURNAL_PLACES; place++)
				journal_remove(root, place, name->id);
		if (rc == 0)
			note_devices(&later, &retirement);
		retirement_free(&retirement);
	}
	array_each(name, &later.list)
		free(*name);
	free(later.list.items);
	free(names.list.items);
}
