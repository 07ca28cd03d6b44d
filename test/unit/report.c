// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What scripts and people are told. CHECK_SCHEMA in the environment names the
 * program that holds the JSON against the schema; without it that is skipped.
 */
#include <errno.h>
#include <json-c/json.h>

#include "retire/report-words.h"
#include "retire/report.h"
#include "test/unit/report-build.h"

static void fill_stuck(struct result *result)
{
	struct step_record *record;

	fill(result);
	strcpy(result->id, "20261121T101502-7f3a");
	result->outcome = OUTCOME_STUCK;
	result->changed = true;
	result->elapsed_ms = 412;
	result->frozen_ms = 18.04;
	result->message = own("cannot unmount /mnt/data");
	result->unused = calloc(1, sizeof(bool));
	add_veto(result, "process", SEVERITY_HOLDER, EVICT_TERM, 5, "fio[812] maps /mnt/data/job.0");
	add_veto(result, "superblock", SEVERITY_CRITICAL, EVICT_NONE, 2, "fio[812] is the system");
	add_veto(result, "incomplete", SEVERITY_RISK, EVICT_NONE, 0, "process 9 could not be looked at");
	result->vetoes.items[0].stands = false;
	assert_int_equal(look_add_unknown(&result->look, "process 9", "%s", strerror(EACCES)), 0);
	assert_int_equal(result_add_loss(result, "process", "fio[812]", "SIGKILL"), 0);
	record = result_add_step(result, STEP_FREEZE, "/mnt/data");
	record->state = STATE_DONE;
	record->ms = 3.14;
	record = result_add_step(result, STEP_UNBIND, "pfn0.0");
	record->state = STATE_STUCK;
	record->notify = NOTIFY_NOT_NEEDED;
	record->message = own("timed out");
	assert_int_equal(result_add_stuck(result, "pfn0.0", "wait_for_completion <- memunmap_pages", "reboot"), 0);
	assert_int_equal(result_add_verify(result, "no-mount", CHECK_TRUE, NULL), 0);
	assert_int_equal(result_add_verify(result, "no-references", CHECK_NULL, "this kernel cannot tell"), 0);
}

static const char golden[] = "{\n"
			     "  \"schema\":\"dax-retire/1\",\n"
			     "  \"command\":\"retire-namespace\",\n"
			     "  \"id\":\"20261121T101502-7f3a\",\n"
			     "  \"result\":\"stuck\",\n"
			     "  \"changed\":true,\n"
			     "  \"elapsed_ms\":412,\n"
			     "  \"frozen_ms\":18.0,\n"
			     "  \"message\":\"cannot unmount /mnt/data\",\n"
			     "  \"devices\":[\n"
			     "    {\n"
			     "      \"dev\":\"namespace0.0\",\n"
			     "      \"bus\":\"nd\",\n"
			     "      \"path\":\"/sys/devices/LNXSYSTM:00/ndbus0/region0/namespace0.0\",\n"
			     "      \"type\":\"pmem-namespace\",\n"
			     "      \"mode\":\"fsdax\",\n"
			     "      \"blockdev\":\"pmem0\",\n"
			     "      \"size\":1073741824,\n"
			     "      \"unused\":false\n"
			     "    }\n"
			     "  ],\n"
			     "  \"holders\":[\n"
			     "    {\n"
			     "      \"id\":1,\n"
			     "      \"kind\":\"partition\",\n"
			     "      \"name\":\"pmem0p1\",\n"
			     "      \"on\":\"pmem0\"\n"
			     "    },\n"
			     "    {\n"
			     "      \"id\":3,\n"
			     "      \"kind\":\"mount\",\n"
			     "      \"name\":\"/mnt\",\n"
			     "      \"fstype\":\"xfs\",\n"
			     "      \"on\":1,\n"
			     "      \"source\":\"/dev/pmem0p1\",\n"
			     "      \"options\":\"rw,relatime\"\n"
			     "    },\n"
			     "    {\n"
			     "      \"id\":4,\n"
			     "      \"kind\":\"mount\",\n"
			     "      \"name\":\"/mnt/data\",\n"
			     "      \"fstype\":\"xfs\",\n"
			     "      \"on\":1,\n"
			     "      \"source\":\"/dev/pmem0p1\",\n"
			     "      \"options\":\"rw,relatime\",\n"
			     "      \"mnt_ns\":4026532210\n"
			     "    },\n"
			     "    {\n"
			     "      \"id\":5,\n"
			     "      \"kind\":\"process\",\n"
			     "      \"pid\":812,\n"
			     "      \"starttime\":5123,\n"
			     "      \"comm\":\"f\\\"i\xef\xbf\xbdo\\u001b[2J\",\n"
			     "      \"uid\":0,\n"
			     "      \"unit\":\"bench.service\",\n"
			     "      \"vm\":\"web1\",\n"
			     "      \"container\":\"3f2a\",\n"
			     "      \"uses\":[\n"
			     "        \"map\",\n"
			     "        \"open\"\n"
			     "      ],\n"
			     "      \"on\":4,\n"
			     "      \"path\":\"/mnt/data/job.0\"\n"
			     "    },\n"
			     "    {\n"
			     "      \"id\":6,\n"
			     "      \"kind\":\"swap\",\n"
			     "      \"name\":\"/dev/pmem0p2\",\n"
			     "      \"on\":\"pmem0\",\n"
			     "      \"priority\":-2,\n"
			     "      \"size\":4096,\n"
			     "      \"used\":0\n"
			     "    }\n"
			     "  ],\n"
			     "  \"vetoes\":[\n"
			     "    {\n"
			     "      \"code\":\"process\",\n"
			     "      \"severity\":\"holder\",\n"
			     "      \"subject\":\"fio[812]\",\n"
			     "      \"holder\":5,\n"
			     "      \"lifted_by\":\"--evict=term\",\n"
			     "      \"stands\":false,\n"
			     "      \"message\":\"fio[812] maps /mnt/data/job.0\"\n"
			     "    },\n"
			     "    {\n"
			     "      \"code\":\"superblock\",\n"
			     "      \"severity\":\"critical\",\n"
			     "      \"subject\":\"fio[812]\",\n"
			     "      \"holder\":3,\n"
			     "      \"lifted_by\":null,\n"
			     "      \"stands\":true,\n"
			     "      \"message\":\"fio[812] is the system\"\n"
			     "    },\n"
			     "    {\n"
			     "      \"code\":\"incomplete\",\n"
			     "      \"severity\":\"risk\",\n"
			     "      \"subject\":\"fio[812]\",\n"
			     "      \"lifted_by\":\"--allow=incomplete\",\n"
			     "      \"stands\":true,\n"
			     "      \"message\":\"process 9 could not be looked at\"\n"
			     "    }\n"
			     "  ],\n"
			     "  \"unknown\":[\n"
			     "    {\n"
			     "      \"subject\":\"process 9\",\n"
			     "      \"reason\":\"Permission denied\"\n"
			     "    }\n"
			     "  ],\n"
			     "  \"losses\":[\n"
			     "    {\n"
			     "      \"kind\":\"process\",\n"
			     "      \"name\":\"fio[812]\",\n"
			     "      \"reason\":\"SIGKILL\"\n"
			     "    }\n"
			     "  ],\n"
			     "  \"steps\":[\n"
			     "    {\n"
			     "      \"step\":\"freeze\",\n"
			     "      \"subject\":\"/mnt/data\",\n"
			     "      \"state\":\"done\",\n"
			     "      \"ms\":3.1\n"
			     "    },\n"
			     "    {\n"
			     "      \"step\":\"unbind\",\n"
			     "      \"subject\":\"pfn0.0\",\n"
			     "      \"state\":\"stuck\",\n"
			     "      \"notify\":\"not-needed\",\n"
			     "      \"message\":\"timed out\"\n"
			     "    }\n"
			     "  ],\n"
			     "  \"verify\":[\n"
			     "    {\n"
			     "      \"check\":\"no-mount\",\n"
			     "      \"ok\":true\n"
			     "    },\n"
			     "    {\n"
			     "      \"check\":\"no-references\",\n"
			     "      \"ok\":null,\n"
			     "      \"reason\":\"this kernel cannot tell\"\n"
			     "    }\n"
			     "  ],\n"
			     "  \"stuck\":[\n"
			     "    {\n"
			     "      \"subject\":\"pfn0.0\",\n"
			     "      \"message\":\"reboot\",\n"
			     "      \"stack\":\"wait_for_completion <- memunmap_pages\"\n"
			     "    }\n"
			     "  ]\n"
			     "}\n";

static void a_whole_result_is_what_the_contract_says(void **state)
{
	struct capture capture;
	struct result result;

	(void)state;
	fill_stuck(&result);
	assert_int_equal(report_json(&result, &(struct report_options){ 0 }, capture_start(&capture)), 0);
	assert_string_equal(captured(&capture), golden);
	capture_end(&capture);
	result_free(&result);
}

/* Writes the result to the checker; its exit status, or -1 when there is none. */
static int check_schema(const struct result *result, const struct report_options *options)
{
	const char *checker = getenv("CHECK_SCHEMA");
	FILE *pipe = checker ? popen(checker, "w") : NULL;

	if (!pipe)
		return -1;
	assert_int_equal(report_json(result, options, pipe), 0);
	return pclose(pipe);
}

static void every_outcome_fits_the_schema(void **state)
{
	static const struct report_options both[] = { { 0 }, { .human = true } };

	(void)state;
	if (!getenv("CHECK_SCHEMA"))
		skip();
	for (enum outcome outcome = OUTCOME_RETIRED; outcome <= OUTCOME_STUCK; outcome++) {
		struct result result;

		fill_stuck(&result);
		result.outcome = outcome;
		result.changed = outcome == OUTCOME_RETIRED || outcome >= OUTCOME_ROLLED_BACK;
		assert_int_equal(check_schema(&result, &both[outcome % 2]), 0);
		result_free(&result);
	}
}

static void a_listing_has_no_vetoes_and_no_steps(void **state)
{
	static const char *const absent[] = { "vetoes", "losses", "steps", "verify", "stuck", "id", "frozen_ms" };
	struct capture capture;
	struct json_object *object;
	struct result result;

	(void)state;
	fill(&result);
	result.command = "list-holders";
	result.outcome = OUTCOME_LISTED;
	assert_int_equal(report_json(&result, NULL, capture_start(&capture)), 0);
	object = json_tokener_parse(captured(&capture));
	for (size_t i = 0; i < COUNT_OF(absent); i++)
		assert_false(json_object_object_get_ex(object, absent[i], NULL));
	assert_true(json_object_object_get_ex(object, "unknown", NULL));
	json_object_put(object);
	capture_end(&capture);
	result_free(&result);
}

static const char *field_of(struct json_object *object, size_t holder, const char *key)
{
	struct json_object *array, *field;

	assert_true(json_object_object_get_ex(object, "holders", &array));
	if (!json_object_object_get_ex(json_object_array_get_idx(array, holder), key, &field))
		return "absent";
	return field ? json_object_get_string(field) : "null";
}

static void a_listing_says_what_would_move_each(void **state)
{
	struct capture capture;
	struct json_object *object;
	struct result result;

	(void)state;
	fill(&result);
	result.command = "list-holders";
	result.outcome = OUTCOME_LISTED;
	add_veto(&result, "mount", SEVERITY_HOLDER, EVICT_STOP, 4, "/mnt/data is mounted");
	add_veto(&result, "volatile-mount", SEVERITY_RISK, EVICT_NONE, 4, "it would lose its contents");
	add_veto(&result, "init", SEVERITY_CRITICAL, EVICT_NONE, 5, "it cannot be ended: reboot");
	assert_int_equal(report_json(&result, NULL, capture_start(&capture)), 0);
	object = json_tokener_parse(captured(&capture));
	assert_string_equal(field_of(object, 0, "lifted_by"), "absent");
	assert_string_equal(field_of(object, 2, "lifted_by"), "--evict=stop --allow=volatile-mount");
	assert_string_equal(field_of(object, 3, "lifted_by"), "null");
	assert_string_equal(field_of(object, 3, "message"), "it cannot be ended: reboot");
	json_object_put(object);
	assert_true(!getenv("CHECK_SCHEMA") || check_schema(&result, NULL) == 0);
	capture_end(&capture);
	result_free(&result);
}

static void sizes_for_people_are_the_familys(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, NULL },
		{ 5000 * 1024 - 1, NULL },
		{ 5000 * 1024, "4.88 MiB (5.12 MB)" },
		{ GIB, "1024.00 MiB (1073.74 MB)" },
		{ 2 * GIB, "2.00 GiB (2.15 GB)" },
		{ 8453619712, "7.87 GiB (8.45 GB)" },
		{ 2048 * GIB, "2.00 TiB (2.20 TB)" },
		{ UINT64_MAX, "16777216.00 TiB (18446744.07 TB)" },
	};
	char text[80];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(family_size(cases[i].bytes, text, sizeof(text)), cases[i].text != NULL);
		if (cases[i].text)
			assert_string_equal(text, cases[i].text);
	}
}

static void bytes_that_are_no_character_are_replaced(void **state)
{
	static const struct {
		const char *text, *valid;
	} cases[] = {
		{ "plain", "plain" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
		  "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "\xff", "\xef\xbf\xbd" },
		{ "a\xc3", "a\xef\xbf\xbd" },
		{ "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },		    /* overlong '/' */
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* a surrogate */
		{ "\xf4\x90\x80\x80x", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx" },
		{ "\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *valid = valid_utf8(cases[i].text);

		assert_string_equal(valid, cases[i].valid);
		free(valid);
	}
}

static void a_text_without_end_is_cut_between_characters(void **state)
{
	char text[20001], *valid;

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = i % 2 ? (char)0xbc : (char)0xc3;
	memmove(text + 1, text, sizeof(text) - 2);
	text[0] = 'a';
	text[sizeof(text) - 1] = '\0';
	valid = valid_utf8(text);
	assert_int_equal(strlen(valid), 8191);
	free(valid);
}

static void a_full_disk_is_an_error(void **state)
{
	FILE *full = fopen("/dev/full", "w");
	struct result result;

	(void)state;
	if (!full)
		skip();
	fill(&result);
	assert_int_equal(report_json(&result, NULL, full), -ENOSPC);
	result_free(&result);
	fclose(full);
}

static void a_refusal_names_what_would_lift_it(void **state)
{
	struct capture capture;
	struct result result;

	(void)state;
	fill(&result);
	result.outcome = OUTCOME_REFUSED;
	add_veto(&result, "process", SEVERITY_HOLDER, EVICT_TERM, 5, "fio[812] maps /mnt/\033[2J");
	add_veto(&result, "incomplete", SEVERITY_RISK, EVICT_NONE, 0, "process 9 could not be looked at");
	report_people(&result, &(struct report_options){ .quiet = true }, capture_start(&capture));
	assert_string_equal(captured(&capture),
			    "refused, nothing was changed: namespace0.0\n"
			    "  fio[812] maps /mnt/\\x1b[2J (--evict=term)\n"
			    "  fio[812]: process 9 could not be looked at (--allow=incomplete)\n"
			    "to go on, if this may go: dax-retire ndctl retire-namespace --evict=term"
			    " --allow=incomplete namespace0.0\n");
	capture_end(&capture);
	result_free(&result);
}

/* `count` processes of a unit, a mount, and what is not lifted by anything. */
static void fill_many(struct result *result, int count)
{
	fill(result);
	result->outcome = OUTCOME_REFUSED;
	add_veto(result, "mount", SEVERITY_HOLDER, EVICT_STOP, 4, "fio[812] is a mount");
	for (int i = 0; i < count; i++) {
		struct process *process = add_process(result, 2, "postgres", "/mnt/data/x");

		process->unit = own("postgres.service");
		process->uses = i < 3 ? USE_OPEN : USE_OPEN | USE_MAP;
		add_veto(result, "process", SEVERITY_HOLDER, EVICT_TERM, (int)result->look.holders.count,
			 "fio[812] maps a file");
		add_veto(result, "incomplete", SEVERITY_RISK, EVICT_NONE, 0, "fio[812] could not be looked at");
	}
	for (int i = 0; i < 4; i++)
		add_veto(result, "loop", SEVERITY_CRITICAL, EVICT_NONE, 1, "fio[812] is a loop: end it first");
}

static void more_than_a_screenful_is_summed_by_unit(void **state)
{
	struct capture capture;
	struct result result;

	(void)state;
	fill_many(&result, 34);
	report_people(&result, NULL, capture_start(&capture));
	assert_string_equal(captured(&capture),
			    "refused, nothing was changed: namespace0.0\n"
			    "  fio[812] is a mount (--evict=stop)\n"
			    "  postgres.service: 34 processes, maps 31, open 34 (--evict=term)\n"
			    "  incomplete: 34, such as fio[812], fio[812], fio[812] (--allow=incomplete)\n"
			    "  fio[812] is a loop: end it first (no option lifts this)\n"
			    "  and 3 more of that sort: fio[812], fio[812], fio[812], ...\n"
			    "  (summed: stdout has each of them, and so has stderr with -v)\n"
			    "end by hand what no option lifts, then run the command again\n");
	capture_end(&capture);
	report_people(&result, &(struct report_options){ .verbose = true }, capture_start(&capture));
	assert_null(strstr(captured(&capture), "summed"));
	capture_end(&capture);
	result_free(&result);
}

static void a_screenful_is_told_one_by_one(void **state)
{
	struct capture capture;
	struct result result;

	(void)state;
	fill_many(&result, 7);
	report_people(&result, NULL, capture_start(&capture));
	assert_null(strstr(captured(&capture), "summed"));
	capture_end(&capture);
	result_free(&result);
}

static void what_no_option_lifts_is_never_advised(void **state)
{
	struct capture capture;
	struct result result;

	(void)state;
	fill(&result);
	result.outcome = OUTCOME_REFUSED;
	add_veto(&result, "process", SEVERITY_HOLDER, EVICT_NEVER, 5, "fio[812] is a virtual machine");
	report_people(&result, NULL, capture_start(&capture));
	assert_non_null(strstr(captured(&capture), "(no option lifts this)"));
	assert_null(strstr(captured(&capture), "--evict"));
	capture_end(&capture);
	result_free(&result);
}

static void what_is_stuck_is_named_with_what_to_do(void **state)
{
	struct capture capture;
	struct result result;

	(void)state;
	fill_stuck(&result);
	report_people(&result, &(struct report_options){ .quiet = true }, capture_start(&capture));
	assert_string_equal(captured(&capture), "stuck: cannot unmount /mnt/data\n"
						"  unbind pfn0.0 stuck: timed out\n"
						"  lost: process fio[812] (SIGKILL)\n"
						"  pfn0.0: reboot\n"
						"    waits in wait_for_completion <- memunmap_pages\n");
	capture_end(&capture);
	result_free(&result);
}

static void exit_codes_are_the_contract(void **state)
{
	static const int codes[] = { 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4 };

	(void)state;
	for (enum outcome outcome = OUTCOME_RETIRED; outcome <= OUTCOME_STUCK; outcome++)
		assert_int_equal(outcome_exit(outcome), codes[outcome]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_result_is_what_the_contract_says),
		cmocka_unit_test(every_outcome_fits_the_schema),
		cmocka_unit_test(a_listing_has_no_vetoes_and_no_steps),
		cmocka_unit_test(a_listing_says_what_would_move_each),
		cmocka_unit_test(sizes_for_people_are_the_familys),
		cmocka_unit_test(bytes_that_are_no_character_are_replaced),
		cmocka_unit_test(a_text_without_end_is_cut_between_characters),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(a_refusal_names_what_would_lift_it),
		cmocka_unit_test(more_than_a_screenful_is_summed_by_unit),
		cmocka_unit_test(a_screenful_is_told_one_by_one),
		cmocka_unit_test(what_no_option_lifts_is_never_advised),
		cmocka_unit_test(what_is_stuck_is_named_with_what_to_do),
		cmocka_unit_test(exit_codes_are_the_contract),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
