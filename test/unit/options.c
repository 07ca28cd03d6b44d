// SPDX-License-Identifier: GPL-2.0-or-later
/* How a command line becomes a request, and what is a usage error. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/options.h"

static const struct option_table retire = { "ndctl", "retire-namespace", "namespace", retire_entries };
static const struct option_table list = { "ndctl", "list-holders", "namespace", list_holders_entries };

#define MAX 16

/* Parses a command line given as words; the words must outlive the options. */
static int parse(struct options *options, const struct option_table *table, struct err *err,
		 const char *const *words)
{
	const char *argv[MAX] = { table->command };
	int argc = 1;

	for (; words[argc - 1]; argc++)
		argv[argc] = words[argc - 1];
	memset(err, 0, sizeof(*err));
	return options_parse(options, table, argc, argv, err);
}

#define PARSE(table, ...) parse(&options, table, &err, (const char *const[]){ __VA_ARGS__, NULL })

static void a_name_alone_takes_the_defaults(void **state)
{
	struct options options;
	struct err err;

	(void)state;
	assert_int_equal(PARSE(&retire, "namespace0.0"), PARSED);
	assert_string_equal(options.request.command, "retire-namespace");
	assert_int_equal(options.request.name_count, 1);
	assert_string_equal(options.request.names[0], "namespace0.0");
	assert_int_equal(options.request.evict, EVICT_NONE);
	assert_int_equal(options.request.grace_ms, 10000);
	assert_int_equal(options.request.timeout_ms, 60000);
	assert_int_equal(options.request.allow_count, 0);
	assert_false(options.request.wait || options.request.dry_run);
	assert_null(options.request.bus);
	options_free(&options);
}

static void a_node_alone_is_all_of_its_devices(void **state)
{
	static const struct option_table dax = { "daxctl", "retire-device", "device", dax_retire_entries };
	struct options options;
	struct err err;

	(void)state;
	assert_int_equal(PARSE(&dax, "--node=1"), PARSED);
	assert_int_equal(options.request.name_count, 1);
	assert_string_equal(options.request.names[0], "all");
	assert_string_equal(options.request.node, "1");
	options_free(&options);
	assert_int_equal(PARSE(&dax, "--node=1", "dax0.0"), PARSED);
	assert_string_equal(options.request.names[0], "dax0.0");
	options_free(&options);
}

static void memory_can_be_all_that_goes(void **state)
{
	static const struct option_table dax = { "daxctl", "retire-device", "device", dax_retire_entries };
	struct options options;
	struct err err;

	(void)state;
	assert_int_equal(PARSE(&dax, "--no-unbind", "dax0.0"), PARSED);
	assert_true(options.request.no_unbind);
	options_free(&options);
	assert_int_equal(PARSE(&dax, "dax0.0"), PARSED);
	assert_false(options.request.no_unbind);
	options_free(&options);
}

static void every_option_reaches_the_request(void **state)
{
	struct options options;
	struct err err;

	(void)state;
	assert_int_equal(PARSE(&retire, "a", "-n", "--evict=term", "--grace", "0.5", "-t", "90", "-w5", "-b",
			       "ACPI", "-rregion1", "-uvq", "b", "--each", "--events"),
			 PARSED);
	assert_int_equal(options.request.name_count, 2);
	assert_string_equal(options.request.names[1], "b");
	assert_int_equal(options.request.evict, EVICT_TERM);
	assert_int_equal(options.request.grace_ms, 500);
	assert_int_equal(options.request.timeout_ms, 90000);
	assert_int_equal(options.request.wait_ms, 5000);
	assert_string_equal(options.request.bus, "ACPI");
	assert_string_equal(options.request.region, "region1");
	assert_true(options.request.dry_run && options.request.wait);
	assert_true(options.report.human && options.report.verbose && options.report.quiet);
	assert_true(options.each && options.report.events);
	options_free(&options);
}

static void force_is_evict_kill_and_lifts_no_risk(void **state)
{
	struct options options;
	struct err err;

	(void)state;
	assert_int_equal(PARSE(&retire, "-f", "a"), PARSED);
	assert_int_equal(options.request.evict, EVICT_KILL);
	assert_int_equal(options.request.allow_count, 0);
	options_free(&options);
}

static void allow_collects_codes_once_each(void **state)
{
	struct options options;
	struct err err;

	(void)state;
	assert_int_equal(PARSE(&retire, "--allow=incomplete,poison", "-a", "poison,shutdown", "a"), PARSED);
	assert_int_equal(options.request.allow_count, 3);
	assert_true(request_allows(&options.request, "shutdown"));
	assert_false(request_allows(&options.request, "mounted-unbind"));
	options_free(&options);
}

static void all_codes_can_be_allowed_at_once(void **state)
{
	struct options options;
	char text[512] = "";
	struct err err;

	(void)state;
	for (size_t i = 0; i < 2 * RISK_CODES; i++) {
		if (i)
			strcat(text, ",");
		strcat(text, risk_codes[i % RISK_CODES]);
	}
	assert_int_equal(PARSE(&retire, "--allow", text, "a"), PARSED);
	assert_int_equal(options.request.allow_count, RISK_CODES);
	options_free(&options);
}

static void wait_without_a_value_is_without_limit_and_zero_is_none(void **state)
{
	struct options options;
	struct err err;

	(void)state;
	assert_int_equal(PARSE(&retire, "--wait", "a"), PARSED);
	assert_true(options.request.wait);
	assert_int_equal(options.request.wait_ms, 0);
	assert_int_equal(options.request.name_count, 1);
	options_free(&options);
	assert_int_equal(PARSE(&retire, "--wait=0", "a"), PARSED);
	assert_false(options.request.wait);
	options_free(&options);
}

static void two_dashes_end_the_options(void **state)
{
	struct options options;
	struct err err;

	(void)state;
	assert_int_equal(PARSE(&retire, "--", "-f"), PARSED);
	assert_string_equal(options.request.names[0], "-f");
	assert_int_equal(options.request.evict, EVICT_NONE);
	options_free(&options);
}

static void seconds_are_strict(void **state)
{
	static const struct {
		const char *text;
		int rc;
		unsigned ms;
	} cases[] = {
		{ "0", 0, 0 },
		{ "10", 0, 10000 },
		{ "0.5", 0, 500 },
		{ "1.2345", 0, 1235 },
		{ "0.0000001", 0, 1 },
		{ "1.0000", 0, 1000 },
		{ "604800", 0, 604800000 },
		{ "604801", -ERANGE, 0 },
		{ "604800.001", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1s", -EINVAL, 0 },
		{ "1.", -EINVAL, 0 },
		{ ".5", -EINVAL, 0 },
		{ "1,5", -EINVAL, 0 },
		{ "1.5.5", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 },
		{ "99999999999999999999999", -ERANGE, 0 },
		{ "inf", -EINVAL, 0 },
		{ "0.5garbage", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned ms = 0;

		if (parse_seconds(cases[i].text, &ms) != cases[i].rc || (cases[i].rc == 0 && ms != cases[i].ms))
			fail_msg("'%s' gives %d, %u ms", cases[i].text, parse_seconds(cases[i].text, &ms), ms);
	}
}

static void usage_errors_say_what_is_wrong(void **state)
{
	static const struct {
		const struct option_table *table;
		const char *words[4];
		const char *message;
	} cases[] = {
		{ &retire, { NULL }, "specify a namespace, or \"all\"" },
		{ &retire, { "all", "namespace0.0" }, "\"all\" and names exclude each other" },
		{ &retire, { "--zork", "a" }, "unknown option '--zork'" },
		{ &retire, { "-zf", "a" }, "unknown option '-z'" },
		{ &retire, { "a", "--evict" }, "option --evict requires a value" },
		{ &retire, { "a", "-e" }, "option --evict requires a value" },
		{ &retire, { "--force=yes", "a" }, "option --force takes no value" },
		{ &retire,
		  { "--evict=never", "a" },
		  "unknown level 'never' of --evict: none, stop, term or kill" },
		{ &retire, { "--timeout=0", "a" }, "--timeout=0 leaves no time at all" },
		{ &retire, { "--wait=x", "a" }, "--wait=x is not a number of seconds" },
		{ &retire, { "--grace=700000", "a" }, "--grace=700000 is more than a week (604800)" },
		{ &retire, { "--every", "a" }, "unknown option '--every'" },
		{ &retire, { "--\033[2Jx", "a" }, "unknown option '--\\x1b[2Jx'" },
		{ &list, { "--force", "a" }, "unknown option '--force'" },
		{ &list, { "--tree", "--dot", "a" }, "--tree and --dot exclude each other" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct options options;
		struct err err;

		assert_int_equal(parse(&options, cases[i].table, &err, cases[i].words), -EINVAL);
		assert_string_equal(err.message, cases[i].message);
		options_free(&options);
	}
}

static void an_unknown_code_names_the_known_ones(void **state)
{
	struct options options;
	struct err err;

	(void)state;
	assert_int_equal(PARSE(&retire, "--allow=incomplete,", "a"), -EINVAL);
	assert_non_null(strstr(err.message, "unknown code ''"));
	for (size_t i = 0; i < RISK_CODES; i++)
		assert_non_null(strstr(err.message, risk_codes[i]));
	options_free(&options);
}

static void help_and_list_opts_need_no_name(void **state)
{
	struct options options;
	struct err err;

	(void)state;
	assert_int_equal(PARSE(&retire, "--help"), PARSED_HELP);
	options_free(&options);
	assert_int_equal(PARSE(&list, "-h"), PARSED_HELP);
	options_free(&options);
	assert_int_equal(PARSE(&list, "--list-opts"), PARSED_LIST_OPTS);
	options_free(&options);
}

static void the_list_of_options_is_one_line(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	options_list(&list, out);
	fclose(out);
	assert_string_equal(text, "--bus --region --tree --dot --pages --exit-code --human --verbose \n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_alone_takes_the_defaults),
		cmocka_unit_test(a_node_alone_is_all_of_its_devices),
		cmocka_unit_test(memory_can_be_all_that_goes),
		cmocka_unit_test(every_option_reaches_the_request),
		cmocka_unit_test(force_is_evict_kill_and_lifts_no_risk),
		cmocka_unit_test(allow_collects_codes_once_each),
		cmocka_unit_test(all_codes_can_be_allowed_at_once),
		cmocka_unit_test(wait_without_a_value_is_without_limit_and_zero_is_none),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(seconds_are_strict),
		cmocka_unit_test(usage_errors_say_what_is_wrong),
		cmocka_unit_test(an_unknown_code_names_the_known_ones),
		cmocka_unit_test(help_and_list_opts_need_no_name),
		cmocka_unit_test(the_list_of_options_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
