// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/unit/plan-rows.h"

/* Facts as probed on these three; only the two below decide a plan. */
const struct kernel plan_kernels[] = {
	[LINUX_6_12] = { "6.12", { [KERNEL_PRE_REMOVE] = ANSWER_YES, [KERNEL_XFS_RANGED_FAILURE] = ANSWER_YES } },
	[LINUX_6_1] = { "6.1", { [KERNEL_PRE_REMOVE] = ANSWER_NO, [KERNEL_XFS_RANGED_FAILURE] = ANSWER_YES } },
	[LINUX_7_2] = { "7.2", { [KERNEL_PRE_REMOVE] = ANSWER_YES, [KERNEL_XFS_RANGED_FAILURE] = ANSWER_NO } },
};

int xfs_on(struct look *look, int on, const char *point)
{
	return add_mount(look, add_fs(look, on, "xfs", FS_XFS_RMAPBT), point);
}

void idle(struct look *look)
{
	add_device(look, MODE_FSDAX);
	xfs_on(look, DISK0, "/mnt");
}

void busy(struct look *look)
{
	add_device(look, MODE_FSDAX);
	add_process(look, xfs_on(look, DISK0, "/mnt"), "fio", 812, USE_FILES);
}

void raw_opener(struct look *look)
{
	add_device(look, MODE_FSDAX);
	add_process(look, DISK0, "dd", 77, USE_OPEN);
}

void user_of_ext4_inside(struct look *look)
{
	add_device(look, MODE_FSDAX);
	add_process(look, add_foreign(look, xfs_on(look, DISK0, "/mnt"), "ext4", "/mnt/other"), "cat", 9,
		    USE_OPEN);
}

/* The second disk's file system is mounted inside the first one's. */
void second_inside_first(struct look *look)
{
	int lower, upper;

	add_device(look, MODE_FSDAX);
	add_device(look, MODE_FSDAX);
	lower = xfs_on(look, DISK0, "/a");
	upper = add_fs(look, DISK1, "xfs", FS_XFS_RMAPBT);
	add_process(look, add_mount_inside(look, upper, lower, "/a/b"), "fio", 812, USE_FILES);
}

void on_stack(struct look *look, enum holder_type type, const char *name)
{
	int stack;

	add_device(look, MODE_FSDAX);
	stack = add_stack(look, type, DISK0, name);
	add_process(look, xfs_on(look, stack, "/mnt"), "fio", 812, USE_FILES);
	add_swap(look, add_stack(look, HOLDER_PARTITION, DISK0, "pmem0p2"), "/dev/pmem0p2", false);
	look_add_unknown(look, "process 5", "gone mad");
}

void on_dm(struct look *look)
{
	on_stack(look, HOLDER_DM, "dm-0 (vg-data)");
}

static struct request request_of(const struct plan_row *row)
{
	struct request request = { .command = "retire-namespace", .evict = row->evict, .allow = row->allow };

	request.no_unbind = row->no_unbind;
	while (request.allow_count < ALLOW_MAX && row->allow[request.allow_count])
		request.allow_count++;
	return request;
}

static void assert_says(const struct plan *plan, const char *phrase)
{
	bool said = false;

	array_each(veto, &plan->vetoes)
		said |= veto->stands && strstr(veto->message, phrase);
	if (!said)
		fail_msg("no veto says \"%s\"", phrase);
}

static void assert_told(char *told, const char *expected)
{
	assert_string_equal(told, expected);
	free(told);
}

static void check_plan(const struct plan_row *row, const struct look *look, const struct plan *plan)
{
	const struct request request = request_of(row);
	const char *rule = broken_rule(look, &request, plan);

	assert_told(tell_vetoes(plan, true), row->stands ? row->stands : "");
	if (row->lifted)
		assert_told(tell_vetoes(plan, false), row->lifted);
	if (row->steps)
		assert_told(tell_steps(look, plan), row->steps);
	if (row->says)
		assert_says(plan, row->says);
	if (rule)
		fail_msg("a rule is broken: %s", rule);
	/* a plan that goes on has to say how */
	assert_true(plan->refused || row->steps);
	assert_int_equal(plan->refused, row->stands != NULL);
}

static void plans_as_its_row_says(void **state)
{
	const struct plan_row *row = *state;
	const struct request request = request_of(row);
	struct look look = { 0 };
	struct plan plan;

	row->build(&look);
	assert_int_equal(plan_make(&look, &request, &plan_kernels[row->kernel], row->stage, &plan), 0);
	check_plan(row, &look, &plan);
	plan_free(&plan);
	look_free(&look);
}

/* At every level, with every risk taken and none, on every kernel, in both stages. */
static void keeps_the_rules_whatever_is_asked(void **state)
{
	const char *const allow[] = { "mounted-unbind", "incomplete", "volatile-mount" };
	const struct plan_row *row = *state;
	struct look look = { 0 };

	row->build(&look);
	for (unsigned i = 0; i < 4 * 4 * 3 * 2; i++) {
		const struct request request = {
			.command = "retire-namespace", .evict = i % 4, .allow = allow, .allow_count = i / 4 % 4
		};
		const char *rule;
		struct plan plan;

		assert_int_equal(plan_make(&look, &request, &plan_kernels[i / 16 % 3], i / 48, &plan), 0);
		rule = broken_rule(&look, &request, &plan);
		if (rule)
			fail_msg("asked the way %u a rule is broken: %s", i, rule);
		plan_free(&plan);
	}
	look_free(&look);
}

static struct CMUnitTest test_of(const char *name, CMUnitTestFunction test, const struct plan_row *row)
{
	return (struct CMUnitTest){ name, test, NULL, NULL, (void *)(uintptr_t)row };
}

int run_plan_rows(const char *group, const struct plan_row *rows, size_t count)
{
	struct CMUnitTest *tests = calloc(2 * count, sizeof(*tests));
	char(*names)[128] = calloc(count, sizeof(*names));
	int failed;

	if (!tests || !names)
		abort();
	for (size_t i = 0; i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "%s (whatever is asked)", rows[i].name);
		tests[2 * i] = test_of(rows[i].name, plans_as_its_row_says, &rows[i]);
		tests[2 * i + 1] = test_of(names[i], keeps_the_rules_whatever_is_asked, &rows[i]);
	}
	failed = _cmocka_run_group_tests(group, tests, 2 * count, NULL, NULL);
	free(names);
	free(tests);
	return failed;
}
