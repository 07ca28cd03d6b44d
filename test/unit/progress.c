// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is told while a retirement runs, and that no reader can hold it up.
 * The tellers are real processes here, their outputs are pipes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "retire/progress.h"
#include "retire/report-events.h"
#include "retire/teller.h"
#include "util/clock.h"
#include "util/text.h"

#define TEXT_MAX (4 << 20)
#define ID	 "20261121T101502-7f3a"

static const struct report_options with_events = { .events = true };

/* The ends of a pipe, and what came out of it. */
struct reader {
	int in, out;
	char *text;
};

static void reader_open(struct reader *reader)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	reader->in = ends[0];
	reader->out = ends[1];
	reader->text = NULL;
}

/* All there is, up to the end. */
static const char *reader_text(struct reader *reader)
{
	size_t size = 0;
	ssize_t n;

	close(reader->out);
	reader->text = malloc(TEXT_MAX);
	assert_non_null(reader->text);
	while ((n = read(reader->in, reader->text + size, TEXT_MAX - size - 1)) > 0)
		size += (size_t)n;
	assert_int_equal(n, 0);
	reader->text[size] = '\0';
	return reader->text;
}

static void reader_close(struct reader *reader)
{
	close(reader->in);
	free(reader->text);
}

/* Somebody else, who reads all of it after a while and counts the lines: his exit status is 0 for `lines`. */
static pid_t late_reader(struct reader *reader, unsigned after_ms, size_t lines)
{
	pid_t pid = fork();

	if (pid == 0) {
		const char *text;

		poll(NULL, 0, (int)after_ms);
		text = reader_text(reader);
		for (; (text = strchr(text, '\n')); text++)
			lines--;
		_exit(lines != 0);
	}
	assert_true(pid > 0);
	return pid;
}

static int status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static const char *const names[] = { "namespace0.0", "namespace0.1" };
static const struct request request = { .command = "retire-namespace", .names = names, .name_count = 2 };

static struct step_record record_of(enum step_type type, char *subject, enum step_state state)
{
	return (struct step_record){ .type = type, .subject = subject, .state = state, .ms = 3.14 };
}

/* A step that begins and ends. */
static void one_step(struct progress *progress, struct step_record *record, enum step_state state)
{
	record->state = STATE_PLANNED;
	progress_step(progress, EVENT_STEP_BEGUN, record, false);
	record->state = state;
	progress_step(progress, EVENT_STEP, record, false);
}

static void plain_lines_are_one_a_step_that_ended(void **state)
{
	char subject[] = "/mnt/da\nta";
	struct step_record record = record_of(STEP_FREEZE, subject, STATE_DONE);
	struct progress *progress;
	struct reader reader;

	(void)state;
	reader_open(&reader);
	progress = progress_new(NULL, -1, reader.out);
	progress_begin(progress, &request, ID);
	progress_phase(progress, "look");
	one_step(progress, &record, STATE_DONE);
	record.message = subject;
	one_step(progress, &record, STATE_FAILED);
	progress_free(progress);
	assert_string_equal(reader_text(&reader), "freeze /mnt/da\\x0ata ... 3.1 ms\n"
						  "freeze /mnt/da\\x0ata ... 3.1 ms failed: /mnt/da\\x0ata\n");
	reader_close(&reader);
}

static void an_undo_is_a_line_only_when_something_was_put_back(void **state)
{
	char subject[] = "/mnt/data";
	struct step_record record = record_of(STEP_UNMOUNT, subject, STATE_DONE);
	struct progress *progress;
	struct reader reader;

	(void)state;
	reader_open(&reader);
	progress = progress_new(NULL, -1, reader.out);
	progress_step(progress, EVENT_UNDO_BEGUN, &record, false);
	progress_step(progress, EVENT_UNDO, &record, false);
	record.state = STATE_UNDONE;
	progress_step(progress, EVENT_UNDO_BEGUN, &record, false);
	progress_step(progress, EVENT_UNDO, &record, false);
	progress_free(progress);
	assert_non_null(strstr(reader_text(&reader), "unmount /mnt/data ... "));
	assert_non_null(strstr(reader.text, " ms undone\n"));
	assert_ptr_equal(strchr(reader.text, '\n') + 1, reader.text + strlen(reader.text));
	reader_close(&reader);
}

static void quiet_without_events_tells_nothing(void **state)
{
	(void)state;
	assert_null(progress_new(&(struct report_options){ .quiet = true }, -1, STDERR_FILENO));
	/* and nobody has to ask whether there is one */
	progress_begin(NULL, &request, ID);
	progress_phase(NULL, "look");
	progress_end_events(NULL);
	progress_end_lines(NULL);
}

/* The next line of `*text` as JSON; the caller puts it. */
static struct json_object *next_json(const char **text)
{
	const char *end = strchr(*text, '\n');
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object;

	assert_non_null(end);
	object = json_tokener_parse_ex(tokener, *text, (int)(end - *text));
	assert_non_null(object);
	json_tokener_free(tokener);
	*text = end + 1;
	return object;
}

static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value) : NULL;
}

static void expect_event(const char **text, const char *event, const char *phase, const char *step,
			 const char *status)
{
	struct json_object *object = next_json(text);

	assert_string_equal(text_of(object, "event"), event);
	assert_string_equal(text_of(object, "id"), ID);
	assert_true(json_object_object_get_ex(object, "elapsed_ms", NULL));
	if (phase)
		assert_string_equal(text_of(object, "phase"), phase);
	if (step)
		assert_string_equal(text_of(object, "step"), step);
	if (status)
		assert_string_equal(text_of(object, "state"), status);
	json_object_put(object);
}

/* Runs a whole one: look, a step, one that fails, its undo. */
static void tell_a_rollback(struct progress *progress)
{
	char hostile[] = "/mnt/\xff\033[2J\"\n", message[] = "Input/output error";
	struct step_record record = record_of(STEP_FREEZE, hostile, STATE_DONE);

	progress_begin(progress, &request, ID);
	progress_phase(progress, "look");
	one_step(progress, &record, STATE_DONE);
	record.type = STEP_CLAIM;
	record.message = message;
	one_step(progress, &record, STATE_FAILED);
	record.type = STEP_FREEZE;
	progress_step(progress, EVENT_UNDO_BEGUN, &record, false);
	record.state = STATE_UNDONE;
	progress_step(progress, EVENT_UNDO, &record, false);
}

static void events_are_one_object_a_line(void **state)
{
	struct progress *progress;
	struct reader reader;
	const char *text;

	(void)state;
	reader_open(&reader);
	progress = progress_new(&(struct report_options){ .events = true, .quiet = true }, reader.out, -1);
	tell_a_rollback(progress);
	progress_free(progress);
	text = reader_text(&reader);
	expect_event(&text, "begin", NULL, NULL, NULL);
	expect_event(&text, "phase", "look", NULL, NULL);
	expect_event(&text, "phase", "settle", NULL, NULL);
	expect_event(&text, "step-begun", "settle", "freeze", NULL);
	expect_event(&text, "step", "settle", "freeze", "done");
	expect_event(&text, "phase", "claim", NULL, NULL);
	expect_event(&text, "step-begun", "claim", "claim", NULL);
	expect_event(&text, "step", "claim", "claim", "failed");
	expect_event(&text, "phase", "undo", NULL, NULL);
	expect_event(&text, "undo-begun", "undo", "freeze", NULL);
	expect_event(&text, "undo", "undo", "freeze", "undone");
	assert_string_equal(text, "");
	reader_close(&reader);
}

static void events_and_a_result_fit_the_schema(void **state)
{
	struct result result = { .command = "retire-namespace", .id = ID, .outcome = OUTCOME_ROLLED_BACK };
	const char *checker = getenv("CHECK_SCHEMA");
	struct progress *progress;
	char command[4096];
	FILE *pipe;

	(void)state;
	if (!checker)
		skip();
	snprintf(command, sizeof(command), "'%s' --events", checker);
	pipe = popen(command, "we");
	assert_non_null(pipe);
	progress = progress_new(&with_events, fileno(pipe), STDERR_FILENO);
	tell_a_rollback(progress);
	progress_free(progress);
	result.elapsed_ms = 100000;
	assert_int_equal(report_json(&result, &with_events, pipe), 0);
	assert_int_equal(pclose(pipe), 0);
}

/* While something is frozen it is kept; then it comes in its order. */
static void what_happens_while_frozen_is_told_after_the_thaw(void **state)
{
	char subject[] = "/mnt/data";
	struct step_record record = record_of(STEP_FREEZE, subject, STATE_DONE);
	struct pollfd poller = { .events = POLLIN };
	struct progress *progress;
	struct reader reader;

	(void)state;
	reader_open(&reader);
	poller.fd = reader.in;
	progress = progress_new(NULL, -1, reader.out);
	progress_step(progress, EVENT_STEP, &record, true);
	record.type = STEP_FLUSH;
	progress_step(progress, EVENT_STEP, &record, true);
	assert_int_equal(poll(&poller, 1, 300), 0);
	record.type = STEP_THAW;
	progress_step(progress, EVENT_STEP, &record, false);
	assert_int_equal(poll(&poller, 1, 10000), 1);
	progress_free(progress);
	assert_string_equal(reader_text(&reader), "freeze /mnt/data ... 3.1 ms\n"
						  "flush /mnt/data ... 3.1 ms\n"
						  "thaw /mnt/data ... 3.1 ms\n");
	reader_close(&reader);
}

enum { MANY = 3000 };

/* More than the pipe and the socket take together. */
static void a_reader_that_stops_holds_up_nothing(void **state)
{
	char subject[] = "/mnt/data";
	struct step_record record = record_of(STEP_FLUSH, subject, STATE_DONE);
	struct progress *progress;
	struct reader reader;
	uint64_t start = clock_us();
	pid_t late;

	(void)state;
	reader_open(&reader);
	fcntl(reader.out, F_SETPIPE_SZ, 4096);
	progress = progress_new(NULL, -1, reader.out);
	for (int i = 0; i < MANY; i++)
		progress_step(progress, EVENT_STEP, &record, false);
	assert_true(clock_us() - start < 10000000);
	/* in the end he is waited for, and gets all of it */
	late = late_reader(&reader, 500, MANY);
	close(reader.out);
	progress_free(progress);
	assert_int_equal(status_of(late), 0);
	reader_close(&reader);
}

static void a_reader_that_goes_away_ends_only_the_teller(void **state)
{
	char subject[] = "/mnt/data";
	struct step_record record = record_of(STEP_FLUSH, subject, STATE_DONE);
	struct progress *progress;
	struct reader reader;

	(void)state;
	reader_open(&reader);
	progress = progress_new(&with_events, reader.out, reader.out);
	close(reader.out);
	close(reader.in);
	for (int i = 0; i < MANY; i++)
		progress_step(progress, EVENT_STEP, &record, false);
	progress_free(progress);
}

/* Who reads stdout does not wait for who reads stderr. */
static void each_output_has_its_own_reader(void **state)
{
	struct reader stopped, other;
	struct progress *progress;
	char subject[] = "/mnt/data";
	struct step_record record = record_of(STEP_FLUSH, subject, STATE_DONE);
	pid_t late;

	(void)state;
	reader_open(&stopped);
	reader_open(&other);
	fcntl(stopped.out, F_SETPIPE_SZ, 4096);
	progress = progress_new(&with_events, other.out, stopped.out);
	late = late_reader(&other, 0, MANY);
	progress_begin(progress, &request, ID);
	progress_phase(progress, "settle");
	for (int i = 0; i < MANY - 2; i++)
		progress_step(progress, EVENT_STEP, &record, false);
	progress_end_events(progress);
	close(other.out);
	assert_int_equal(status_of(late), 0);
	close(stopped.in);
	close(stopped.out);
	progress_free(progress);
	reader_close(&other);
}

static void draw_name(struct drawing *drawing, const struct event *event, FILE *out)
{
	(void)drawing;
	if (event_name(event->type))
		fprintf(out, "%s %s\n", event_name(event->type), event_subject(event));
}

/* A terminal: the side that a person sees in `in`, the program's in `out`. */
static void reader_open_terminal(struct reader *reader)
{
	*reader = (struct reader){ .in = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC) };
	assert_true(reader->in >= 0 && grantpt(reader->in) == 0 && unlockpt(reader->in) == 0);
	reader->out = open(ptsname(reader->in), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(reader->out >= 0);
}

/* What is on the terminal now, once `awaited` is in it. */
static void expect_on_terminal(const struct reader *reader, const char *awaited)
{
	struct pollfd poller = { .fd = reader->in, .events = POLLIN };
	char text[4096] = "";
	size_t size = 0;

	while (!strstr(text, awaited)) {
		ssize_t n;

		assert_int_equal(poll(&poller, 1, 10000), 1);
		n = read(reader->in, text + size, sizeof(text) - 1 - size);
		assert_true(n > 0);
		size += (size_t)n;
		text[size] = '\0';
	}
}

static void the_live_line_shows_what_has_begun_and_since_when(void **state)
{
	char subject[] = "/mnt/data";
	struct step_record record = record_of(STEP_GRACE, subject, STATE_PLANNED);
	struct progress *progress;
	struct reader reader;

	(void)state;
	setenv("TERM", "vt100", 1);
	reader_open_terminal(&reader);
	progress = progress_new(NULL, -1, reader.out);
	progress_begin(progress, &request, ID);
	progress_phase(progress, "look");
	expect_on_terminal(&reader, "look ...");
	progress_step(progress, EVENT_STEP_BEGUN, &record, false);
	expect_on_terminal(&reader, "\r\033[Kgrace /mnt/data ...");
	expect_on_terminal(&reader, " s");
	record.state = STATE_DONE;
	progress_step(progress, EVENT_STEP, &record, false);
	expect_on_terminal(&reader, "\r\033[Kgrace /mnt/data ... 3.1 ms");
	record.state = STATE_FAILED;
	progress_step(progress, EVENT_STEP, &record, false);
	expect_on_terminal(&reader, "\r\033[Kgrace /mnt/data ... 3.1 ms failed\r\n");
	progress_step(progress, EVENT_UNDO_BEGUN, &record, false);
	expect_on_terminal(&reader, "undo grace /mnt/data ...");
	/* in the end it is gone */
	progress_free(progress);
	expect_on_terminal(&reader, "\r\033[K");
	close(reader.out);
	close(reader.in);
}

static void the_live_line_shows_how_much_is_done_and_whom_it_waits_for(void **state)
{
	char subject[] = "system RAM of dax0.0";
	struct step_record record = record_of(STEP_OFFLINE, subject, STATE_PLANNED);
	struct progress *progress;
	struct reader reader;

	(void)state;
	setenv("TERM", "vt100", 1);
	reader_open_terminal(&reader);
	progress = progress_new(NULL, -1, reader.out);
	progress_begin(progress, &request, ID);
	progress_step(progress, EVENT_STEP_BEGUN, &record, false);
	poll(NULL, 0, 100);
	progress_amount(progress, &record, 1 << 29, 1 << 30);
	expect_on_terminal(&reader, "... 50 % of 1.00 GiB, 0 s left, ");
	/* it stays on the terminal, and the live line goes on with what is done */
	progress_wait(progress, &record, "block 39 does not go offline: \033[2J");
	expect_on_terminal(
		&reader,
		"offline-memory system RAM of dax0.0 ... waits: block 39 does not go offline: \\x1b[2J\r\n");
	expect_on_terminal(&reader, "offline-memory system RAM of dax0.0 ... 50 % of 1.00 GiB, ");
	progress_free(progress);
	close(reader.out);
	close(reader.in);
}

static void how_much_is_done_is_told_ten_times_a_second_at_most(void **state)
{
	char subject[] = "system RAM of dax0.0";
	struct step_record record = record_of(STEP_OFFLINE, subject, STATE_PLANNED);
	const struct report_options options = { .events = true, .quiet = true };
	struct progress *progress;
	struct reader reader;
	const char *text;

	(void)state;
	reader_open(&reader);
	progress = progress_new(&options, reader.out, -1);
	progress_begin(progress, &request, ID);
	progress_step(progress, EVENT_STEP_BEGUN, &record, false);
	for (uint64_t i = 0; i < 1000; i++)
		progress_amount(progress, &record, i, 1000);
	progress_wait(progress, &record, "block 39 does not go offline");
	progress_free(progress);
	text = reader_text(&reader);
	text = strstr(text, "{\"event\":\"progress\"");
	assert_non_null(text);
	assert_non_null(strstr(text, "\"bytes\":0,\"of_bytes\":1000"));
	assert_null(strstr(text, "\"bytes\":1,"));
	assert_non_null(strstr(text, "{\"event\":\"wait\""));
	assert_non_null(strstr(text, "\"message\":\"block 39 does not go offline\""));
	reader_close(&reader);
}

static void heartbeats_go_on_while_nothing_happens(void **state)
{
	struct drawing drawing = { .draw = draw_name, .heartbeat_ms = 50 };
	struct event event = { .type = EVENT_STEP_BEGUN, .step = STEP_GRACE, .start_us = 1, .at_us = 1 };
	uint64_t start = clock_us(), ms;
	struct reader reader;
	struct teller teller;
	const char *text;
	unsigned beats = 0;
	int come = 0;

	(void)state;
	reader_open(&reader);
	assert_int_equal(teller_start(&teller, &drawing, reader.out), 0);
	event_set_text(&event, "processes", NULL);
	teller_tell(&teller, &event, false);
	while (come < 21 + 3 * 20 && clock_us() - start < 10000000) {
		poll(NULL, 0, 10);
		assert_return_code(ioctl(reader.in, FIONREAD, &come), errno);
	}
	teller_end(&teller);
	ms = (clock_us() - start) / 1000;
	text = reader_text(&reader);
	assert_memory_equal(text, "step-begun processes\n", 21);
	for (text += 21; *text; text += 20, beats++)
		assert_memory_equal(text, "heartbeat processes\n", 20);
	assert_in_range(beats, 3, ms / 50);
	reader_close(&reader);
}

static void draw_time(struct drawing *drawing, const struct event *event, FILE *out)
{
	(void)drawing;
	/* as wide as the pipe is */
	if (event_name(event->type))
		fprintf(out, "%-11s %4084ju", event_name(event->type), (uintmax_t)event->at_us - event->start_us);
}

/* Events wait for him longer than a heartbeat is due; in his pipe is room for one line. */
static void no_line_goes_back_in_time_after_a_reader_that_stopped(void **state)
{
	struct drawing drawing = { .draw = draw_time, .heartbeat_ms = 20 };
	uint64_t start = clock_us(), last = 0, told = 0, at;
	struct event event = { .type = EVENT_STEP, .step = STEP_GRACE, .start_us = start };
	struct reader reader;
	struct teller teller;
	const char *text;
	pid_t late;

	(void)state;
	reader_open(&reader);
	fcntl(reader.out, F_SETPIPE_SZ, 4096);
	assert_int_equal(teller_start(&teller, &drawing, reader.out), 0);
	event_set_text(&event, "processes", NULL);
	for (int i = 0; i < 5; i++) {
		event.at_us = clock_us();
		teller_tell(&teller, &event, i == 3);
		poll(NULL, 0, 30);
	}
	teller_finish(&teller);
	at = clock_us() - start;
	late = fork();
	if (late == 0) {
		bool ordered = true;
		int events = 0;

		poll(NULL, 0, 200);
		for (text = reader_text(&reader); *text; text += 4096, last = told) {
			told = strtoull(text + 12, NULL, 10);
			ordered = ordered && told >= last && told <= at;
			events += starts_with(text, "step ");
		}
		_exit(!(ordered && events == 5));
	}
	close(reader.out);
	teller_end(&teller);
	assert_int_equal(status_of(late), 0);
	reader_close(&reader);
}

static void a_heartbeat_is_due_at_least_every_ten_seconds(void **state)
{
	(void)state;
	assert_true(events_drawing().heartbeat_ms > 0 && events_drawing().heartbeat_ms < 10000);
}

static void a_teller_keeps_no_descriptor_but_its_own(void **state)
{
	struct reader reader, other;
	struct progress *progress;
	struct pollfd poller = { .events = POLLIN };

	(void)state;
	reader_open(&reader);
	reader_open(&other);
	progress = progress_new(&with_events, reader.out, reader.out);
	close(other.out);
	poller.fd = other.in;
	assert_int_equal(poll(&poller, 1, 10000), 1);
	assert_true(poller.revents & POLLHUP);
	progress_free(progress);
	close(other.in);
	close(reader.out);
	reader_close(&reader);
}

/* A teller that waits for a reader, too. */
static void a_teller_ends_with_its_program(void **state)
{
	char subject[] = "/mnt/data";
	struct step_record record = record_of(STEP_FLUSH, subject, STATE_DONE);
	struct reader reader;
	pid_t program;

	(void)state;
	reader_open(&reader);
	fcntl(reader.out, F_SETPIPE_SZ, 4096);
	program = fork();
	if (program == 0) {
		struct progress *progress = progress_new(NULL, -1, reader.out);

		for (int i = 0; i < MANY; i++)
			progress_step(progress, EVENT_STEP, &record, false);
		poll(NULL, 0, 200);
		raise(SIGKILL);
	}
	assert_true(WIFSIGNALED(status_of(program)));
	/* the text has an end */
	assert_true(strlen(reader_text(&reader)) <= 8192);
	reader_close(&reader);
}

static void a_teller_heeds_no_signal_of_a_terminal(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGPIPE };
	struct drawing drawing = { .draw = draw_name };
	struct event event = { .type = EVENT_STEP, .step = STEP_FLUSH };
	struct reader reader;
	struct teller teller;

	(void)state;
	reader_open(&reader);
	assert_int_equal(teller_start(&teller, &drawing, reader.out), 0);
	event_set_text(&event, "/mnt/data", NULL);
	teller_tell(&teller, &event, false);
	/* it has started when it has written */
	assert_int_equal(poll(&(struct pollfd){ .fd = reader.in, .events = POLLIN }, 1, 10000), 1);
	for (size_t i = 0; i < COUNT_OF(signals); i++)
		kill(teller.pid, signals[i]);
	teller_tell(&teller, &event, false);
	teller_end(&teller);
	assert_string_equal(reader_text(&reader), "step /mnt/data\nstep /mnt/data\n");
	reader_close(&reader);
}

static void what_is_too_long_is_cut(void **state)
{
	static char text[10000];
	struct event event = { 0 };

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	event_set_text(&event, text, text);
	assert_int_equal(strlen(event_subject(&event)), EVENT_SUBJECT_MAX - 1);
	assert_int_equal(strlen(event_message(&event)), EVENT_MESSAGE_MAX - 1);
	assert_true(event_size(&event) <= sizeof(event));
	event_set_text(&event, NULL, NULL);
	assert_string_equal(event_subject(&event), "");
	assert_string_equal(event_message(&event), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_lines_are_one_a_step_that_ended),
		cmocka_unit_test(an_undo_is_a_line_only_when_something_was_put_back),
		cmocka_unit_test(quiet_without_events_tells_nothing),
		cmocka_unit_test(events_are_one_object_a_line),
		cmocka_unit_test(events_and_a_result_fit_the_schema),
		cmocka_unit_test(what_happens_while_frozen_is_told_after_the_thaw),
		cmocka_unit_test(a_reader_that_stops_holds_up_nothing),
		cmocka_unit_test(a_reader_that_goes_away_ends_only_the_teller),
		cmocka_unit_test(each_output_has_its_own_reader),
		cmocka_unit_test(the_live_line_shows_what_has_begun_and_since_when),
		cmocka_unit_test(the_live_line_shows_how_much_is_done_and_whom_it_waits_for),
		cmocka_unit_test(how_much_is_done_is_told_ten_times_a_second_at_most),
		cmocka_unit_test(heartbeats_go_on_while_nothing_happens),
		cmocka_unit_test(no_line_goes_back_in_time_after_a_reader_that_stopped),
		cmocka_unit_test(a_heartbeat_is_due_at_least_every_ten_seconds),
		cmocka_unit_test(a_teller_keeps_no_descriptor_but_its_own),
		cmocka_unit_test(a_teller_ends_with_its_program),
		cmocka_unit_test(a_teller_heeds_no_signal_of_a_terminal),
		cmocka_unit_test(what_is_too_long_is_cut),
	};

	/* as the program does */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
