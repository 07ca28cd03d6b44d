// SPDX-License-Identifier: GPL-2.0-or-later
/* Plans that take memory of this system away. */
#include "test/unit/plan-rows.h"

enum { BLOCK = 1 << 27 };

static void movable(struct look *look)
{
	add_memory(look, MODE_SYSTEM_RAM, ZONE_MOVABLE);
}

static void of_a_namespace(struct look *look)
{
	add_memory(look, MODE_DEVDAX, ZONE_MOVABLE);
}

static void offline(struct look *look)
{
	struct system_ram *memory = add_memory(look, MODE_SYSTEM_RAM, ZONE_MOVABLE);

	array_each(block, &memory->blocks)
		block->state = MEMORY_OFFLINE;
}

static void in_normal(struct look *look)
{
	add_memory(look, MODE_SYSTEM_RAM, ZONE_NORMAL);
}

static void half_spanned(struct look *look)
{
	add_memory(look, MODE_SYSTEM_RAM, ZONE_MOVABLE)->blocks.items[0].zone = ZONE_SPANNED;
}

static void burned(struct look *look)
{
	add_memory(look, MODE_SYSTEM_RAM, ZONE_MOVABLE);
	look->devices.items[0].enabled = false;
}

/* … and taken offline afterwards, which does not give it back */
static void burned_and_offline(struct look *look)
{
	offline(look);
	look->devices.items[0].enabled = false;
}

static void going_offline(struct look *look)
{
	add_memory(look, MODE_SYSTEM_RAM, ZONE_NORMAL)->blocks.items[1].state = MEMORY_GOING_OFFLINE;
}

/* Two blocks in use: 3/2 of one anonymous, half of one cached. */
static struct system_ram *in_use(struct look *look)
{
	struct system_ram *memory = add_memory(look, MODE_SYSTEM_RAM, ZONE_MOVABLE);

	memory->use_known = true;
	memory->page_size = 4096;
	memory->used[MEMORY_ANONYMOUS] = BLOCK + BLOCK / 2;
	memory->used[MEMORY_FILE] = BLOCK / 2;
	return memory;
}

static void fits(struct look *look)
{
	in_use(look)->elsewhere.free = 2 * (uint64_t)BLOCK;
}

static void fits_when_dropped(struct look *look)
{
	in_use(look)->elsewhere = (struct memory_room){ .free = BLOCK, .swap = BLOCK / 2 };
}

static void does_not_fit(struct look *look)
{
	in_use(look)->elsewhere = (struct memory_room){ .free = BLOCK, .swap = BLOCK / 2 - 1 };
}

/* What is free for each of them is free on the other one. */
static void two_beside_each_other(struct look *look)
{
	for (int i = 0; i < 2; i++) {
		struct system_ram *memory = in_use(look);

		memory->used[MEMORY_FREE] = 2 * (uint64_t)BLOCK;
		memory->elsewhere.free = 2 * (uint64_t)BLOCK;
	}
}

static void beside_an_idle_one(struct look *look)
{
	add_device(look, MODE_DEVDAX);
	add_memory(look, MODE_SYSTEM_RAM, ZONE_MOVABLE);
}

static void bound(struct look *look)
{
	struct system_ram *memory = add_memory(look, MODE_SYSTEM_RAM, ZONE_MOVABLE);

	for (int i = 0; i < 5; i++) {
		struct memory_process *process = array_add(&memory->processes);

		if (!process)
			abort();
		/* the first has some there, and may have it elsewhere */
		*process =
			(struct memory_process){ .pid = 70 + i, .comm = "fio", .bytes = 1 << 20, .bound = i > 0 };
	}
	memory->processes.items[1].unit = strdup("bench.service");
}

static void poisoned(struct look *look)
{
	struct system_ram *memory = add_memory(look, MODE_SYSTEM_RAM, ZONE_MOVABLE);

	memory->use_known = true;
	memory->page_size = 4096;
	memory->used[MEMORY_POISONED] = 2 * 4096;
}

static void an_idle_device(struct look *look)
{
	add_device(look, MODE_DEVDAX);
}

static void with_pages_in_a_pipe(struct look *look)
{
	struct process *process;

	add_memory(look, MODE_SYSTEM_RAM, ZONE_MOVABLE);
	process = &look->holders.items[add_process(look, DISK0, "fio", 812, USE_PAGES) - 1].process;
	process->pages_fd = 5;
	process->pinned = 2;
}

static const struct plan_row rows[] = {
	{ "memory_that_can_move_refuses_at_no_level", movable,
	  .steps = "offline-memory system RAM of dax0.0, claim dax0.0, unbind dax0.0" },
	{ "memory_of_a_namespace_is_looked_at_again", of_a_namespace,
	  .steps = "offline-memory system RAM of dax0.0, claim dax0.0, unbind dax0.0" },
	{ "memory_that_is_offline_is_only_unbound", offline,
	  .steps = "offline-memory system RAM of dax0.0, claim dax0.0, unbind dax0.0" },
	{ "what_is_not_movable_is_a_risk", in_normal, EVICT_KILL,
	  .stands = "unmovable-zone system RAM of dax0.0 --allow=unmovable-zone", .says = "2 of 2 online blocks" },
	{ "what_is_not_movable_can_be_tried", in_normal, .allow = { "unmovable-zone" },
	  .steps = "offline-memory system RAM of dax0.0, claim dax0.0, unbind dax0.0" },
	{ "what_goes_offline_is_online_until_it_is", going_offline,
	  .stands = "unmovable-zone system RAM of dax0.0 --allow=unmovable-zone", .says = "2 of 2 online blocks" },
	{ "what_lies_in_two_zones_is_critical",
	  half_spanned,
	  EVICT_KILL,
	  { "unmovable-zone" },
	  .stands = "spanned-zones system RAM of dax0.0 critical",
	  .says = "(1 of 2)" },
	{ "what_somebody_burned_is_critical", burned, EVICT_KILL, .stands = "burned system RAM of dax0.0 critical",
	  .says = "only a reboot" },
	{ "what_somebody_burned_stays_so_when_it_is_offline", burned_and_offline, EVICT_KILL,
	  .stands = "burned system RAM of dax0.0 critical", .says = "0 of 2 blocks" },
	{ "what_fits_elsewhere_is_no_risk", fits,
	  .steps = "offline-memory system RAM of dax0.0, claim dax0.0, unbind dax0.0" },
	{ "what_may_fit_is_a_risk", fits_when_dropped, EVICT_KILL,
	  .stands = "would-not-fit system RAM of dax0.0 --allow=would-not-fit", .says = "256 MiB" },
	{ "what_does_not_fit_is_critical",
	  does_not_fit,
	  EVICT_KILL,
	  { "would-not-fit" },
	  .stands = "would-not-fit system RAM of dax0.0 critical",
	  .says = "does not fit" },
	{ "what_fits_alone_does_not_fit_together", two_beside_each_other, EVICT_KILL,
	  .stands = "would-not-fit system RAM of dax0.0 critical",
	  .says = "512 MiB of system RAM of dax0.0 and of 1 more are in use, and elsewhere there are 0 MiB" },
	{ "who_is_bound_to_its_node_is_a_risk", bound, EVICT_KILL,
	  .stands = "policy-broken system RAM of dax0.0 --allow=policy-broken",
	  .says = "fio[71] (bench.service), fio[72], fio[73] and 1 more are bound to node 1" },
	{ "poisoned_pages_are_a_risk", poisoned, EVICT_KILL,
	  .stands = "poison system RAM of dax0.0 --allow=poison", .says = "has 2 poisoned pages" },
	{ "poisoned_pages_can_be_taken_away", poisoned, .allow = { "poison" },
	  .steps = "offline-memory system RAM of dax0.0, claim dax0.0, unbind dax0.0" },
	{ "memory_goes_offline_without_an_unbind", movable, .no_unbind = true,
	  .steps = "offline-memory system RAM of dax0.0, claim dax0.0" },
	{ "what_is_no_memory_does_not_go_offline", an_idle_device, EVICT_KILL, .no_unbind = true,
	  .stands = "no-unbind namespace0.0 critical" },
	{ "memory_that_is_offline_is_done_without_an_unbind", offline, .no_unbind = true, .steps = "" },
	{ "who_keeps_pages_refuses", with_pages_in_a_pipe, .stands = "process fio[812] --evict=term",
	  .says = "fio[812] keeps pages of dax0.0 by descriptor 5, 2 pages" },
	{ "who_keeps_pages_is_gone_before_memory_goes", with_pages_in_a_pipe, EVICT_KILL,
	  .steps = "terminate fio[812], grace, kill dax0.0, await-exit dax0.0, offline-memory system RAM of "
		   "dax0.0, "
		   "claim dax0.0, unbind dax0.0" },
	{ "all_is_offline_before_the_first_last_look", beside_an_idle_one,
	  .steps = "offline-memory system RAM of dax1.0, claim dax0.0, claim dax1.0, unbind dax0.0, unbind "
		   "dax1.0" },
};

/* 2 GiB in use, of which nothing is said; 1 GiB and a byte that is known; and what was asked for. */
static void memory_in_use_takes_longer(void **state)
{
	struct request request = { .timeout_ms = 60000 };
	struct look look = { 0 };
	struct system_ram *memory = add_memory(&look, MODE_SYSTEM_RAM, ZONE_MOVABLE);

	(void)state;
	memory->block_size = UINT64_C(1) << 30;
	assert_int_equal(plan_timeout_ms(&look, &request), 80000);
	memory->use_known = true;
	assert_int_equal(plan_timeout_ms(&look, &request), 60000);
	memory->used[MEMORY_ANONYMOUS] = (UINT64_C(1) << 30) + 1;
	assert_int_equal(plan_timeout_ms(&look, &request), 80000);
	request.timeout_given = true;
	assert_int_equal(plan_timeout_ms(&look, &request), 60000);
	look_free(&look);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(memory_in_use_takes_longer) };
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	return failed + run_plan_rows("plan-memory", rows, COUNT_OF(rows));
}
