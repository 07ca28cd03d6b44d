// SPDX-License-Identifier: GPL-2.0-or-later
/* What a journal tells of its retirement; written here through the code that writes real ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/sysmacros.h>

#include "retire/capture.h"
#include "retire/lock.h"
#include "retire/retirement.h"
#include "test/unit/journal-build.h"
#include "util/cleanup.h"

static const char *const risks[] = { "mounted-unbind" };

static struct journal begin_at(const struct journal_tree *place, const char *id, struct json_object **head)
{
	static const struct request request = { .command = "retire-namespace",
						.evict = EVICT_KILL,
						.allow = risks,
						.allow_count = 1,
						.grace_ms = 5000,
						.timeout_ms = 60000 };
	struct journal journal;
	struct err err = { 0 };

	*head = retirement_head(&place->root, id, &request);
	assert_non_null(*head);
	assert_int_equal(journal_create(&place->root, id, &journal, &err), 0);
	return journal;
}

static struct json_object *step(const char *name, unsigned device)
{
	struct json_object *object = capture_new(), *memo = capture_new();

	put_text(object, "step", name);
	put_number(object, "device", device);
	put_text(object, "subject", "/mnt/data");
	put_text(memo, "path", "/dev/pmem0");
	put_object(object, "memo", memo);
	return object;
}

/* A plan over `devices` ("namespace0.0 namespace1.0") of the steps; `object` is its head or a new one. */
static void write_plan(struct journal *journal, struct json_object *object, const char *devices, const char *steps)
{
	_cleanup_free_ char *names = strdup(devices), *kinds = strdup(steps);
	char *cursor = names, *name;
	struct err err = { 0 };

	put_object(object, "devices", capture_items());
	while ((name = strsep(&cursor, " ")) && *name) {
		struct device device = { .name = name,
					 .path = (char[]){ "/sys/devices/platform/ndbus0/region0/x" },
					 .enabled = true,
					 .dev = makedev(259, 0),
					 .size = 1 << 30 };

		capture_add(object, "devices", capture_device(&device));
	}
	put_object(object, "steps", capture_items());
	for (cursor = kinds; (name = strsep(&cursor, " ")) && *name;)
		capture_add(object, "steps", step(name, 0));
	assert_int_equal(journal_write(journal, object, true, &err), 0);
}

static void write_event(struct journal *journal, unsigned at, const char *state)
{
	struct json_object *event = capture_new();
	struct err err = { 0 };

	put_number(event, "at", at);
	put_text(event, "state", state);
	assert_int_equal(journal_write(journal, event, false, &err), 0);
}

static void write_flag(struct journal *journal, const char *key, const char *text)
{
	struct json_object *record = capture_new();
	struct err err = { 0 };

	if (text)
		put_text(record, key, text);
	else
		put_bool(record, key, true);
	put_number(record, "time", 1234);
	assert_int_equal(journal_write(journal, record, true, &err), 0);
}

static void write_restored(const struct journal_tree *place, const char *id, const char *name)
{
	struct json_object *record = capture_list("restored");
	struct journal journal;
	struct err err = { 0 };

	capture_add(record, "restored", capture_text(name));
	assert_int_equal(journal_append(&place->root, id, &journal, &err), 0);
	assert_int_equal(journal_write(&journal, record, true, &err), 0);
	journal_close(&journal);
}

/* A whole one over `devices`; `end` NULL: it was cut. */
static void write_one(const struct journal_tree *place, const char *id, const char *devices, bool committed,
		      const char *end)
{
	struct json_object *head;
	struct journal journal = begin_at(place, id, &head);

	write_plan(&journal, head, devices, "unmount claim unbind");
	write_event(&journal, 0, "begun");
	write_event(&journal, 0, "done");
	if (committed)
		write_flag(&journal, "commit", NULL);
	if (end)
		write_flag(&journal, "end", end);
	journal_close(&journal);
}

static struct retirement read_one(const struct journal_tree *place, const char *id)
{
	struct retirement retirement;
	struct err err = { 0 };

	assert_int_equal(retirement_read(&place->root, id, &retirement, &err), 0);
	return retirement;
}

static void assert_state(const struct journal_tree *place, const char *id, const char *expected, bool restorable)
{
	struct retirement retirement = read_one(place, id);

	assert_string_equal(retirement_state(&place->root, &retirement), expected);
	assert_int_equal(retirement_is_restorable(&retirement), restorable);
	retirement_free(&retirement);
}

static void new_boot(const struct journal_tree *place)
{
	tree_text(&place->tree, "/proc/sys/kernel/random/boot_id", "another\n");
}

/* ---- what it says */

static void what_was_asked_for_is_read_back(void **state)
{
	struct retirement retirement;

	write_one(*state, ID, "namespace0.0 namespace1.0", false, NULL);
	retirement = read_one(*state, ID);
	assert_string_equal(retirement.id, ID);
	assert_string_equal(retirement.command, "retire-namespace");
	assert_int_equal(retirement.evict, EVICT_KILL);
	assert_int_equal(retirement.allow_count, 1);
	assert_string_equal(retirement.allow[0], "mounted-unbind");
	assert_int_equal(retirement.grace_ms, 5000);
	assert_int_equal(retirement.timeout_ms, 60000);
	assert_true(retirement.started > 0);
	assert_true(retirement.this_boot);
	assert_int_equal(retirement.was.devices.count, 2);
	assert_string_equal(retirement.was.devices.items[1].name, "namespace1.0");
	assert_int_equal(retirement.captured.count, 3);
	assert_int_equal(retirement.captured.items[2].type, STEP_UNBIND);
	assert_string_equal(text_of(retirement.captured.items[0].memo, "path"), "/dev/pmem0");
	retirement_free(&retirement);
}

static void a_step_counts_as_begun_from_its_first_word(void **state)
{
	struct json_object *head;
	struct journal journal = begin_at(*state, ID, &head);
	struct retirement retirement;

	write_plan(&journal, head, "namespace0.0", "freeze flush kill thaw unmount swap-off claim");
	write_event(&journal, 0, "begun");
	write_event(&journal, 1, "done");
	write_event(&journal, 2, "not-needed");
	write_event(&journal, 3, "failed");
	write_event(&journal, 4, "undone");
	write_event(&journal, 5, "what a later version says");
	journal_close(&journal);
	retirement = read_one(*state, ID);
	assert_int_equal(retirement.states.items[0], STATE_FAILED);
	assert_int_equal(retirement.states.items[1], STATE_DONE);
	assert_int_equal(retirement.states.items[2], STATE_NOT_NEEDED);
	assert_int_equal(retirement.states.items[3], STATE_FAILED);
	assert_int_equal(retirement.states.items[4], STATE_UNDONE);
	assert_int_equal(retirement.states.items[5], STATE_FAILED);
	assert_int_equal(retirement.states.items[6], STATE_PLANNED);
	retirement_free(&retirement);
}

static int note_signal(struct effects *effects, const struct process *process, int number, struct err *err)
{
	(void)process;
	(void)err;
	effects->interrupt = number;
	return 0;
}

/* Who came later was captured by no step: it is written down before the signal, or there is none. */
static void whom_no_step_has_captured_is_in_it_before_the_signal(void **state)
{
	struct process late = { .pid = 812, .starttime = 5123, .comm = "late" };
	struct effects effects = { .signal = note_signal };
	struct execution execution = { .effects = &effects };
	struct retirement retirement;
	struct json_object *head;
	struct err err = { 0 };

	execution.journal = begin_at(*state, ID, &head);
	write_plan(&execution.journal, head, "namespace0.0", "offline-memory claim");
	assert_int_equal(evict_uncaptured(&execution, &late, SIGTERM, &err), 0);
	assert_int_equal(evict_uncaptured(&execution, &late, SIGKILL, &err), 0);
	assert_int_equal(effects.interrupt, SIGKILL);
	effects.interrupt = 0;
	close(execution.journal.fds[JOURNAL_RUN]);
	execution.journal.fds[JOURNAL_RUN] = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_equal(evict_uncaptured(&execution, &late, SIGKILL, &err), -ENOSPC);
	assert_int_equal(effects.interrupt, 0);
	journal_close(&execution.journal);
	retirement = read_one(*state, ID);
	assert_int_equal(retirement.endings.count, 2);
	assert_int_equal(retirement.endings.items[0].was.pid, 812);
	assert_int_equal(retirement.endings.items[0].was.starttime, 5123);
	assert_string_equal(retirement.endings.items[0].reason, "SIGTERM");
	assert_string_equal(retirement.endings.items[1].reason, "SIGKILL");
	retirement_free(&retirement);
}

static void an_ending_of_nobody_makes_no_sense(void **state)
{
	static const char *const records[] = {
		"{\"journal\":1,\"id\":\"" ID "\",\"command\":\"x\"}",
		"{\"ending\":{\"pid\":1,\"comm\":\"systemd\",\"starttime\":5},\"reason\":\"SIGKILL\"}",
	};
	struct retirement retirement;
	struct err err = { 0 };

	build_journal(*state, RUN_FILE, records, 2);
	assert_int_equal(retirement_read(&((struct journal_tree *)*state)->root, ID, &retirement, &err), -EBADMSG);
	assert_non_null(strstr(err.message, "record 2"));
	retirement_free(&retirement);
}

static void events_are_of_the_plan_before_them(void **state)
{
	struct json_object *head;
	struct journal journal = begin_at(*state, ID, &head);
	struct retirement retirement;
	struct err err = { 0 };

	write_plan(&journal, head, "namespace0.0", "terminate grace");
	write_event(&journal, 0, "done");
	write_plan(&journal, capture_new(), "namespace0.0", "unmount claim unbind");
	write_event(&journal, 1, "done");
	write_event(&journal, 2, "begun");
	journal_close(&journal);
	retirement = read_one(*state, ID);
	assert_int_equal(retirement.base, 2);
	assert_int_equal(retirement.captured.count, 5);
	assert_int_equal(retirement.states.items[0], STATE_DONE);
	assert_int_equal(retirement.states.items[1], STATE_PLANNED);
	assert_int_equal(retirement.states.items[3], STATE_DONE);
	assert_int_equal(retirement.states.items[4], STATE_FAILED);
	retirement_free(&retirement);
	assert_int_equal(journal_append(&((struct journal_tree *)*state)->root, ID, &journal, &err), 0);
	write_event(&journal, 3, "done");
	journal_close(&journal);
	assert_int_equal(retirement_read(&((struct journal_tree *)*state)->root, ID, &retirement, &err), -EBADMSG);
	assert_non_null(strstr(err.message, "record 6"));
	retirement_free(&retirement);
}

static void a_later_plan_is_of_the_same_devices(void **state)
{
	static const char *const others[] = { "", "namespace1.0", "namespace0.0 namespace1.0",
					      "namespace1.0 namespace0.0" };
	struct journal_tree *place = *state;

	for (size_t i = 0; i < COUNT_OF(others); i++) {
		struct json_object *head;
		struct journal journal = begin_at(place, ID, &head);
		struct retirement retirement;
		struct err err = { 0 };

		write_plan(&journal, head, i == 3 ? "namespace0.0 namespace1.0" : "namespace0.0", "terminate");
		write_plan(&journal, capture_new(), others[i], "");
		journal_close(&journal);
		assert_int_equal(retirement_read(&place->root, ID, &retirement, &err), -EBADMSG);
		assert_non_null(strstr(err.message, ID ": record 2"));
		retirement_free(&retirement);
		for (enum journal_place where = 0; where < JOURNAL_PLACES; where++)
			journal_remove(&place->root, where, ID);
	}
}

static void nonsense_in_the_head_is_the_least(void **state)
{
	static const char *const records[] = {
		"{\"journal\":1,\"id\":\"" ID
		"\",\"command\":\"x\",\"evict\":\"never\",\"allow\":[1,null,\"risk\"],"
		"\"grace_ms\":-5,\"timeout_ms\":18446744073709551615,\"boot\":7,\"time\":\"x\"}"
	};
	struct retirement retirement;

	build_journal(*state, RUN_FILE, records, 1);
	retirement = read_one(*state, ID);
	assert_int_equal(retirement.evict, EVICT_NONE);
	assert_int_equal(retirement.allow_count, 1);
	assert_int_equal(retirement.grace_ms, 0);
	assert_int_equal(retirement.timeout_ms, INT32_MAX);
	assert_false(retirement.this_boot);
	assert_int_equal(retirement.started, 0);
	retirement_free(&retirement);
}

static void the_journal_of_this_boot_comes_first(void **state)
{
	struct journal_tree *place = *state;
	struct retirement retirement;
	struct err err = { 0 };

	write_one(place, ID, "namespace0.0", false, NULL);
	retirement = read_one(place, ID);
	assert_int_equal(retirement.states.items[0], STATE_DONE);
	retirement_free(&retirement);
	/* the lasting one has not the steps, only what was synced */
	journal_remove(&place->root, JOURNAL_RUN, ID);
	retirement = read_one(place, ID);
	assert_int_equal(retirement.states.items[0], STATE_PLANNED);
	retirement_free(&retirement);
	journal_remove(&place->root, JOURNAL_STATE, ID);
	assert_int_equal(retirement_read(&place->root, ID, &retirement, &err), -ENOENT);
	retirement_free(&retirement);
	assert_int_equal(retirement_read(&place->root, "../x", &retirement, &err), -ENOENT);
	retirement_free(&retirement);
}

static void one_that_was_cut_before_its_first_record_is_empty(void **state)
{
	struct journal_tree *place = *state;
	struct retirement retirement;
	struct err err = { 0 };

	place_journal(place, RUN_FILE, "12345678 {\"jour", 15);
	assert_int_equal(retirement_read(&place->root, ID, &retirement, &err), -ENODATA);
	retirement_free(&retirement);
	place_journal(place, RUN_FILE, "12345678 {}\n12345678 {}\n", 24);
	assert_int_equal(retirement_read(&place->root, ID, &retirement, &err), -EBADMSG);
	retirement_free(&retirement);
}

/* ---- states */

static void how_it_ended_is_its_state(void **state)
{
	write_one(*state, "20260101T000000-0001", "namespace0.0", false, "rolled-back");
	write_one(*state, "20260101T000000-0002", "namespace0.0", true, "retired");
	write_one(*state, "20260101T000000-0003", "namespace0.0", true, "stuck");
	write_one(*state, "20260101T000000-0004", "namespace0.0", false, "stuck");
	assert_state(*state, "20260101T000000-0001", "rolled-back", false);
	assert_state(*state, "20260101T000000-0002", "retired", true);
	assert_state(*state, "20260101T000000-0003", "stuck", true);
	assert_state(*state, "20260101T000000-0004", "stuck", false);
	write_restored(*state, "20260101T000000-0002", "namespace0.0");
	assert_state(*state, "20260101T000000-0002", "restored", false);
}

static void one_without_an_end_is_running_interrupted_or_expired(void **state)
{
	struct journal_tree *place = *state;
	struct err err = { 0 };
	int lock;

	write_one(place, ID, "namespace0.0", false, NULL);
	assert_state(place, ID, "interrupted", false);
	lock = lock_take(&place->root, ID, false, deadline_in(1000), -1, &err);
	assert_true(lock >= 0);
	assert_state(place, ID, "running", false);
	close(lock);
	lock = lock_take(&place->root, "20260101T000000-0001", false, deadline_in(1000), -1, &err);
	assert_state(place, ID, "interrupted", false);
	close(lock);
	new_boot(place);
	assert_state(place, ID, "expired", false);
}

static void it_is_restorable_until_all_of_it_is_back(void **state)
{
	write_one(*state, ID, "namespace0.0 namespace1.0", true, "retired");
	write_restored(*state, ID, "namespace7.0");
	assert_state(*state, ID, "retired", true);
	write_restored(*state, ID, "namespace1.0");
	assert_state(*state, ID, "retired", true);
	write_restored(*state, ID, "namespace0.0");
	assert_state(*state, ID, "restored", false);
}

/* ---- which one was interrupted */

static int find(const struct journal_tree *place, char *id)
{
	struct err err = { 0 };

	return retirement_find_interrupted(&place->root, id, &err);
}

static void the_one_that_did_not_end_is_found(void **state)
{
	struct journal_tree *place = *state;
	char id[JOURNAL_ID_ROOM] = "";

	assert_int_equal(find(place, id), 0);
	write_one(place, "20260101T000000-0001", "namespace0.0", true, "retired");
	write_one(place, "20260101T000000-0002", "namespace0.0", false, "stuck");
	place_journal(place, "/run/dax-retire/journal/20260101T000000-0003", "", 0);
	assert_int_equal(find(place, id), 0);
	write_one(place, "20260101T000000-0004", "namespace0.0", false, NULL);
	write_one(place, "20260101T000000-0005", "namespace0.0", true, NULL);
	assert_int_equal(find(place, id), 1);
	assert_string_equal(id, "20260101T000000-0004");
	new_boot(place);
	assert_int_equal(find(place, id), 0);
}

static void one_that_cannot_be_read_may_be_one(void **state)
{
	struct journal_tree *place = *state;
	char id[JOURNAL_ID_ROOM] = "";
	size_t length;
	char *text;

	write_one(place, ID, "namespace0.0", false, NULL);
	text = read_text(place, RUN_FILE, &length);
	text[12] ^= 1;
	place_journal(place, RUN_FILE, text, length);
	assert_int_equal(find(place, id), -EBADMSG);
	free(text);
}

/* ---- pruning */

static bool is_there(const struct journal_tree *place, const char *id)
{
	return root_existsf(&place->root, "/var/lib/dax-retire/%s", id);
}

/* So many that came later, and took nothing away. */
static void write_later(const struct journal_tree *place, int count)
{
	for (int i = 0; i < count; i++) {
		char id[JOURNAL_ID_ROOM];

		snprintf(id, sizeof(id), "20270101T000000-%04x", (unsigned)i & 0xffff);
		write_one(place, id, "namespace9.0", false, "rolled-back");
	}
}

static void pruning_keeps_what_can_be_restored(void **state)
{
	struct journal_tree *place = *state;

	write_one(place, "20260101T000000-0001", "namespace0.0", false, "rolled-back");
	write_one(place, "20260101T000000-0002", "namespace0.0", true, "retired");
	write_one(place, "20260101T000000-0003", "namespace1.0", true, "retired");
	write_restored(place, "20260101T000000-0003", "namespace1.0");
	write_one(place, "20260101T000000-0004", "namespace2.0", true, "retired");
	write_one(place, "20260101T000000-0005", "namespace2.0", true, "retired");
	write_one(place, "20260101T000000-0006", "namespace3.0 namespace4.0", true, "retired");
	write_one(place, "20260101T000000-0007", "namespace3.0", true, "retired");
	write_one(place, "20260101T000000-0008", "namespace5.0", false, NULL);
	place_journal(place, "/var/lib/dax-retire/20260101T000000-0009", "garbage\ngarbage\n", 16);
	retirements_prune(&place->root);
	assert_true(is_there(place, "20260101T000000-0001"));
	write_later(place, RETIREMENTS_KEPT);
	retirements_prune(&place->root);
	assert_false(is_there(place, "20260101T000000-0001"));
	assert_true(is_there(place, "20260101T000000-0002"));
	assert_false(is_there(place, "20260101T000000-0003"));
	assert_false(is_there(place, "20260101T000000-0004")); /* namespace2.0 was retired again */
	assert_true(is_there(place, "20260101T000000-0005"));
	assert_true(is_there(place, "20260101T000000-0006")); /* namespace4.0 was not */
	assert_true(is_there(place, "20260101T000000-0007"));
	assert_true(is_there(place, "20260101T000000-0008")); /* interrupted in this boot */
	assert_true(is_there(place, "20260101T000000-0009")); /* for people to look at */
	assert_true(is_there(place, "20270101T000000-0000"));
	new_boot(place);
	retirements_prune(&place->root);
	assert_false(is_there(place, "20260101T000000-0008"));
}

static void what_makes_no_sense_supersedes_nothing(void **state)
{
	struct journal_tree *place = *state;
	struct journal journal;
	struct err err = { 0 };

	write_one(place, "20260101T000000-0001", "namespace0.0", true, "retired");
	write_one(place, "20260101T000000-0002", "namespace0.0", true, NULL);
	assert_int_equal(journal_append(&place->root, "20260101T000000-0002", &journal, &err), 0);
	write_event(&journal, 77, "done");
	journal_close(&journal);
	write_later(place, RETIREMENTS_KEPT);
	retirements_prune(&place->root);
	assert_true(is_there(place, "20260101T000000-0001"));
	assert_true(is_there(place, "20260101T000000-0002"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_journal_tree(what_was_asked_for_is_read_back),
		in_journal_tree(a_step_counts_as_begun_from_its_first_word),
		in_journal_tree(whom_no_step_has_captured_is_in_it_before_the_signal),
		in_journal_tree(an_ending_of_nobody_makes_no_sense),
		in_journal_tree(events_are_of_the_plan_before_them),
		in_journal_tree(a_later_plan_is_of_the_same_devices),
		in_journal_tree(nonsense_in_the_head_is_the_least),
		in_journal_tree(the_journal_of_this_boot_comes_first),
		in_journal_tree(one_that_was_cut_before_its_first_record_is_empty),
		in_journal_tree(how_it_ended_is_its_state),
		in_journal_tree(one_without_an_end_is_running_interrupted_or_expired),
		in_journal_tree(it_is_restorable_until_all_of_it_is_back),
		in_journal_tree(the_one_that_did_not_end_is_found),
		in_journal_tree(one_that_cannot_be_read_may_be_one),
		in_journal_tree(pruning_keeps_what_can_be_restored),
		in_journal_tree(what_makes_no_sense_supersedes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
