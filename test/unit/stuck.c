// SPDX-License-Identifier: GPL-2.0-or-later
/* A block of memory that does not go offline: who keeps it there is told soon, and ended as far as was asked. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "retire/steps/steps.h"
#include "test/unit/tree.h"
#include "util/cleanup.h"
#include "util/root.h"

/* Blocks of 16 pages; the device has 2 and 3, and of 2 six pages are in use. */
enum { PAGE = 4096, PAGES = 16, BLOCK_SIZE = PAGES * PAGE, IN_USE = 6, STUCK = 2, WHOLE_MS = 4000 };

struct fixture {
	struct tree tree;
	struct root root;
	struct memory_block blocks[2];
	struct effects effects;
	struct request request;
	struct result result;
	struct look look;
	struct execution execution;
	pid_t keeper;	      /* 0: nobody keeps it */
	int in_use;	      /* pages of it */
	unsigned slow, looks; /* one page of it moves in so many looks; so many there were */
	int searches, hidden; /* how often it was looked for keepers, and how often they are not seen */
	int refusal;	      /* what the kernel says at once; 0: it goes on trying */
	unsigned tries, times_told;
	uint64_t begun_us, told_us, amounts, most;
	char told[1024];
};

/* What is called back knows nothing but the execution or the effects. */
static struct fixture *fixture;

static void write_pages(const struct fixture *f)
{
	uint64_t flags[4 * PAGES] = { 0 };

	for (int i = 0; i < 4 * PAGES; i++)
		flags[i] = i >= STUCK * PAGES && i < STUCK * PAGES + f->in_use ? 1 << 5 | 1 << 12 : 1 << 10;
	tree_write(&f->tree, "/proc/kpageflags", (const char *)flags, sizeof(flags));
}

static bool is_kept(void)
{
	siginfo_t info = { 0 };

	if (fixture->slow && fixture->in_use) {
		fixture->in_use -= ++fixture->looks % fixture->slow == 0;
		write_pages(fixture);
		return true;
	}
	if (!fixture->keeper)
		return fixture->refusal != 0;
	return waitid(P_PID, (id_t)fixture->keeper, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && !info.si_pid;
}

/* As the kernel does: block 3 goes at once, 2 when nobody keeps it any more. */
static int offline_block(struct effects *effects, uint64_t number, const struct effects_watch *watch,
			 struct deadline deadline, struct err *err)
{
	(void)effects;
	if (number != STUCK)
		return 0;
	fixture->tries++;
	while (is_kept()) {
		if (fixture->refusal)
			return err_set(err, fixture->refusal, "%s", strerror(-fixture->refusal));
		if (deadline_passed(deadline))
			return err_set(err, -ETIMEDOUT, "it stays");
		poll(NULL, 0, (int)watch->every_ms);
		watch->look(watch->argument, -1);
	}
	return 0;
}

static int keep_offline(struct effects *effects, const struct system_ram *memory, struct err *err)
{
	(void)effects;
	(void)memory;
	(void)err;
	return 0;
}

static int unplug(struct effects *effects, const struct device *device, struct deadline deadline, struct err *err)
{
	(void)effects;
	(void)device;
	(void)deadline;
	(void)err;
	return 1;
}

static int send(struct effects *effects, const struct process *process, int signal, struct err *err)
{
	(void)effects;
	(void)err;
	return kill(process->pid, signal) < 0 ? -errno : 0;
}

static int find_keeper(const struct root *root, struct look *look)
{
	struct holder *holder;

	(void)root;
	/* only who keeps pages of that block is asked for */
	assert_int_equal(look->devices.count, 1);
	assert_int_equal(look->devices.items[0].memory.items[0].start, STUCK * BLOCK_SIZE);
	assert_int_equal(look->devices.items[0].memory.items[0].size, BLOCK_SIZE);
	if (fixture->searches++ < fixture->hidden || !fixture->keeper)
		return 0;
	holder = look_add_holder(look, HOLDER_PROCESS, 0, 0, "keeper[%d]", fixture->keeper);
	assert_non_null(holder);
	holder->process =
		(struct process){ .pid = fixture->keeper, .uses = USE_PAGES, .pages_fd = 5, .pinned = 16 };
	holder->process.unit = strdup("bench.service");
	holder->process.pidfd = (int)syscall(SYS_pidfd_open, fixture->keeper, 0);
	return 0;
}

static void note_wait(const struct execution *execution, const char *message)
{
	(void)execution;
	/* not the same twice */
	assert_string_not_equal(fixture->told, message);
	fixture->times_told++;
	fixture->told_us = clock_us();
	snprintf(fixture->told, sizeof(fixture->told), "%s", message);
}

static void note_amount(const struct execution *execution, uint64_t done, uint64_t total)
{
	(void)execution;
	assert_int_equal(total, 2 * BLOCK_SIZE);
	fixture->amounts++;
	fixture->most = done > fixture->most ? done : fixture->most;
}

static void add_memory(struct fixture *f)
{
	struct device *device = array_add(&f->look.devices);
	struct holder *holder;

	assert_non_null(device);
	*device = (struct device){ .name = strdup("dax0.0"), .system_ram = true, .enabled = true };
	holder = look_add_holder(&f->look, HOLDER_MEMORY, 0, 0, "system RAM of dax0.0");
	assert_non_null(holder);
	holder->memory = (struct system_ram){ .block_size = BLOCK_SIZE, .node = 1 };
	for (int i = 0; i < 2; i++) {
		struct memory_block *block = array_add(&holder->memory.blocks);

		assert_non_null(block);
		*block = (struct memory_block){ (uint64_t)(STUCK + i), MEMORY_ONLINE, ZONE_MOVABLE };
	}
}

static int make(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fixture = f;
	tree_make(&f->tree);
	f->in_use = IN_USE;
	write_pages(f);
	tree_text(&f->tree, "/proc/meminfo", "MemFree: 64 kB\n");
	assert_int_equal(root_open(&f->root, f->tree.path), 0);
	f->effects = (struct effects){ .offline_block = offline_block,
				       .keep_offline = keep_offline,
				       .unplug = unplug,
				       .signal = send,
				       .interrupt = -1,
				       .hanging = CHILD_NONE };
	f->request = (struct request){ .timeout_ms = WHOLE_MS, .grace_ms = 300 };
	add_memory(f);
	f->execution = (struct execution){ .root = &f->root,
					   .request = &f->request,
					   .effects = &f->effects,
					   .look = &f->look,
					   .result = &f->result,
					   .deadline = deadline_in(WHOLE_MS),
					   .journal = JOURNAL_NONE,
					   .find_memory_keepers = find_keeper,
					   .tell_amount = note_amount,
					   .tell_wait = note_wait };
	*state = f;
	return 0;
}

static int drop(void **state)
{
	struct fixture *f = *state;

	if (f->keeper) {
		kill(f->keeper, SIGKILL);
		waitpid(f->keeper, NULL, 0);
	}
	look_free(&f->look);
	result_free(&f->result);
	root_close(&f->root);
	tree_remove(&f->tree);
	free(f);
	return 0;
}

static void begin_keeping(struct fixture *f, bool heeds_term)
{
	f->keeper = fork();
	assert_true(f->keeper >= 0);
	if (f->keeper == 0) {
		signal(SIGTERM, heeds_term ? SIG_DFL : SIG_IGN);
		for (;;)
			pause();
	}
	poll(NULL, 0, 50);
}

static int take_offline(struct fixture *f, struct err *err)
{
	const struct step step = { .type = STEP_OFFLINE, .device = 0, .holder = 1 };
	struct step_record record = { 0 };

	f->begun_us = clock_us();
	f->execution.deadline = deadline_in(f->request.timeout_ms);
	return step_kind(STEP_OFFLINE)->apply(&f->execution, &step, &record, err);
}

static void what_goes_says_how_far_it_is_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	assert_int_equal(take_offline(f, &err), 0);
	assert_int_equal(f->told_us, 0);
	assert_true(f->amounts >= 2);
	assert_int_equal(f->most, BLOCK_SIZE);
}

static void who_keeps_a_page_is_told_within_a_second(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	begin_keeping(f, true);
	f->request.timeout_ms = 1500;
	assert_int_equal(take_offline(f, &err), -ETIMEDOUT);
	assert_true(f->told_us && f->told_us - f->begun_us < 1000000);
	assert_non_null(strstr(f->told, "block 2 does not go offline: "));
	assert_non_null(strstr(f->told, "anonymous; kept there by keeper["));
	assert_non_null(strstr(f->told, "of bench.service (descriptor 5, 16 pages)"));
	assert_non_null(strstr(err.message, "kept there by keeper["));
	assert_int_equal(f->most, BLOCK_SIZE + BLOCK_SIZE - IN_USE * PAGE);
	/* nobody asked for that */
	assert_true(is_kept());
	assert_int_equal(f->result.losses.count, 0);
}

static void who_may_be_asked_is_asked_and_the_block_goes(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	begin_keeping(f, true);
	f->request.evict = EVICT_TERM;
	assert_int_equal(take_offline(f, &err), 0);
	assert_true(clock_us() - f->begun_us < 2000000);
	assert_int_equal(f->tries, 1);
	assert_int_equal(f->result.losses.count, 1);
	assert_string_equal(f->result.losses.items[0].reason, "SIGTERM");
}

static void who_does_not_heed_is_killed_after_the_grace(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	begin_keeping(f, false);
	f->request.evict = EVICT_KILL;
	assert_int_equal(take_offline(f, &err), 0);
	assert_true(clock_us() - f->told_us >= 300000);
	assert_int_equal(f->result.losses.count, 1);
	assert_string_equal(f->result.losses.items[0].reason, "SIGKILL");
}

static void nobody_is_killed_below_kill(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	begin_keeping(f, false);
	f->request.evict = EVICT_TERM;
	f->request.timeout_ms = 1500;
	assert_int_equal(take_offline(f, &err), -ETIMEDOUT);
	assert_true(is_kept());
}

/* Some other thing stood in the way first; who has come since is found, and asked, all the same. */
static void who_comes_later_is_found_later(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	begin_keeping(f, true);
	f->hidden = 1;
	f->request.evict = EVICT_TERM;
	assert_int_equal(take_offline(f, &err), 0);
	assert_int_equal(f->searches, 2);
	assert_int_equal(f->result.losses.count, 1);
}

static void what_moves_when_time_is_over_is_said_to_move(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	f->slow = 1;
	f->request.timeout_ms = 350;
	assert_int_equal(take_offline(f, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.message, "while its pages were moving, see --timeout (left there: "));
}

/* What took long from one page to the next may take that long again. */
static void what_moves_slowly_is_said_to_stand_still_once(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	f->slow = 5;
	assert_int_equal(take_offline(f, &err), 0);
	assert_true(clock_us() - f->begun_us > 2500000);
	assert_int_equal(f->times_told, 1);
}

static void what_the_kernel_refuses_is_told_at_once(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	f->refusal = -EBUSY;
	assert_int_equal(take_offline(f, &err), -EBUSY);
	assert_true(f->told_us - f->begun_us < 1000000);
	assert_int_equal(f->tries, 5);
	assert_non_null(strstr(err.message, "block 2 (0x20000, zone Movable) stays online: the kernel keeps"));
}

#define in_tree(test) cmocka_unit_test_setup_teardown(test, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_tree(what_goes_says_how_far_it_is_and_nothing_else),
		in_tree(who_keeps_a_page_is_told_within_a_second),
		in_tree(who_may_be_asked_is_asked_and_the_block_goes),
		in_tree(who_does_not_heed_is_killed_after_the_grace),
		in_tree(nobody_is_killed_below_kill),
		in_tree(who_comes_later_is_found_later),
		in_tree(what_moves_when_time_is_over_is_said_to_move),
		in_tree(what_moves_slowly_is_said_to_stand_still_once),
		in_tree(what_the_kernel_refuses_is_told_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
