// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/steps/stuck.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retire/holders/holders.h"
#include "util/cleanup.h"

/*
 * When nothing has moved for that long, somebody may be in the way. Where nobody is found it is waited for some
 * times as long as it took from one move to the next: a machine may be slow. The flags of a large block take a
 * while to read: that is done for a quarter of the time at most.
 */
enum { STILL_US = 300000, PACES = 2, REST = 3 };

/* Who was found has ended, or nobody was, and still nothing moves: somebody may have come since. */
enum { AGAIN_US = 2000000 };

/* UINT64_MAX: that cannot be told. */
static uint64_t read_used(struct stuck_block *stuck)
{
	uint64_t begun = clock_us(), now;
	int rc = holders_block_use(stuck->execution->root, &stuck->left, stuck->block->number, stuck->ended);

	now = clock_us();
	stuck->next_us = now + REST * (now - begun);
	return rc < 0 ? UINT64_MAX : memory_used(&stuck->left);
}

static void tell_amount(const struct stuck_block *stuck, uint64_t of_block)
{
	if (stuck->execution->tell_amount)
		stuck->execution->tell_amount(stuck->execution, stuck->done + of_block, stuck->total);
}

void stuck_begin(struct stuck_block *stuck, struct execution *execution, int device,
		 const struct system_ram *memory, const struct memory_block *block)
{
	*stuck =
		(struct stuck_block){ .execution = execution, .device = device, .memory = memory, .block = block };
	stuck->left.block_size = memory->block_size;
	stuck->ended = -1;
	array_each(other, &memory->blocks) {
		stuck->total += memory->block_size;
		stuck->done += other->state == MEMORY_OFFLINE || other > block ? memory->block_size : 0;
	}
	/* to read it takes longer than to take an empty block away: at the first look */
	stuck->used = stuck->before = UINT64_MAX;
	stuck->since_us = clock_us();
	tell_amount(stuck, 0);
}

void stuck_try(struct stuck_block *stuck)
{
	stuck->before = stuck->used;
}

bool stuck_gets_empty(struct stuck_block *stuck)
{
	uint64_t used = read_used(stuck), now = clock_us();

	/* what comes before the first look is no move */
	if (used < stuck->used && stuck->used != UINT64_MAX && now - stuck->since_us > stuck->pace_us)
		stuck->pace_us = now - stuck->since_us;
	if (used < stuck->used)
		stuck->since_us = now;
	if (stuck->before == UINT64_MAX)
		stuck->before = used;
	stuck->used = used;
	return used < stuck->before;
}

/* As if the device were nothing but this block. */
static void find_keepers(struct stuck_block *stuck)
{
	struct execution *execution = stuck->execution;
	struct memory_range *range;
	struct device *device;

	if (!execution->find_memory_keepers ||
	    look_copy_device(execution->look, stuck->device, &stuck->keepers) < 0)
		return;
	device = &stuck->keepers.devices.items[0];
	device->memory.count = 0;
	range = array_add(&device->memory);
	if (!range)
		return;
	*range = (struct memory_range){ stuck->block->number * stuck->memory->block_size,
					stuck->memory->block_size };
	stuck->keepers.initial_namespaces = execution->look->initial_namespaces;
	execution->find_memory_keepers(execution->root, &stuck->keepers);
}

enum { KEEPERS_TOLD = 3 };

static void tell_keepers(FILE *out, const struct look *keepers)
{
	size_t told = 0;

	array_each(holder, &keepers->holders) {
		if (holder->type != HOLDER_PROCESS || told == KEEPERS_TOLD)
			continue;
		fprintf(out, "%s%s", told++ ? ", " : "; kept there by ", holder->name);
		if (holder->process.unit)
			fprintf(out, " of %s", holder->process.unit);
		fprintf(out, " (descriptor %d", holder->process.pages_fd);
		if (holder->process.pinned)
			fprintf(out, ", %" PRIu64 " page%s", holder->process.pinned,
				holder->process.pinned > 1 ? "s" : "");
		fputc(')', out);
	}
}

/* NULL without memory. */
static char *tell_left(struct stuck_block *stuck)
{
	_cleanup_free_ char *left = NULL;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	left = holders_tell_block(stuck->execution->root, &stuck->left, stuck->block->number);
	fprintf(out, "%s",
		left && *left ? left
		: stuck->used ? "what is left there cannot be told"
			      : "nothing is in use there any more");
	tell_keepers(out, &stuck->keepers);
	fclose(out);
	return text;
}

static void find_out(struct stuck_block *stuck)
{
	if (stuck->used == UINT64_MAX)
		stuck_gets_empty(stuck);
	find_keepers(stuck);
	stuck->found_us = clock_us();
}

/* Not the same twice. */
static void tell(struct stuck_block *stuck)
{
	_cleanup_free_ char *before = stuck->what;
	char message[1024];

	stuck->what = tell_left(stuck);
	if (!stuck->what || !stuck->execution->tell_wait || (before && strcmp(before, stuck->what) == 0))
		return;
	snprintf(message, sizeof(message), "block %" PRIu64 " does not go offline: %s", stuck->block->number,
		 stuck->what);
	stuck->execution->tell_wait(stuck->execution, message);
}

static bool has_ended(const struct process *process, struct deadline deadline)
{
	return process->pidfd >= 0 && wait_readable(process->pidfd, -1, deadline) == 1;
}

/* Neither this program nor the first process. */
static bool can_be_ended(const struct holder *holder)
{
	return holder->type == HOLDER_PROCESS && !holder->process.own && holder->process.pid != 1 &&
	       !has_ended(&holder->process, deadline_in(0));
}

/* Was there anybody? What the call says is not what counts: who has ended is seen in the end. */
static bool send_all(struct stuck_block *stuck, int signal)
{
	struct execution *execution = stuck->execution;
	bool any = false;

	array_each(holder, &stuck->keepers.holders) {
		int rc = can_be_ended(holder) ? evict_uncaptured(execution, &holder->process, signal, NULL) : 1;

		any |= rc <= 0;
		if (rc == 0 && signal == SIGKILL)
			result_add_loss_once(execution->result, "process", holder->name, "SIGKILL");
	}
	return any;
}

/* Asked first, killed after the grace: nothing waits here, the kernel goes on meanwhile. */
static void end_keepers(struct stuck_block *stuck)
{
	const struct request *request = stuck->execution->request;
	uint64_t now = clock_us();

	if (request->evict < EVICT_TERM)
		return;
	if (!stuck->asked_us) {
		if (send_all(stuck, SIGTERM))
			stuck->asked_us = now;
		return;
	}
	if (request->evict < EVICT_KILL || stuck->killed || now - stuck->asked_us < request->grace_ms * 1000ull)
		return;
	stuck->killed = true;
	send_all(stuck, SIGKILL);
}

/* Is one of those that were found still there? */
static bool anybody_lives(const struct stuck_block *stuck)
{
	bool any = false;

	array_each(holder, &stuck->keepers.holders)
		any |= can_be_ended(holder);
	return any;
}

bool stuck_is_ending(const struct stuck_block *stuck)
{
	return anybody_lives(stuck) && stuck->asked_us && stuck->execution->request->evict == EVICT_KILL &&
	       !stuck->killed;
}

/* Its files are closed a moment before a process has ended. */
enum { ENDING_MS = 200 };

/* Who was asked and has ended is a loss, also when the block does not go all the same. */
static void let_keepers_go(struct stuck_block *stuck)
{
	struct deadline moment = deadline_in(ENDING_MS);

	array_each(holder, &stuck->keepers.holders)
		if (stuck->asked_us && holder->type == HOLDER_PROCESS && has_ended(&holder->process, moment))
			result_add_loss_once(stuck->execution->result, "process", holder->name, "SIGTERM");
	look_free(&stuck->keepers);
	stuck->keepers = (struct look){ 0 };
	stuck->asked_us = 0;
	stuck->killed = false;
}

static bool may_be_slow(const struct stuck_block *stuck)
{
	return clock_us() - stuck->since_us < PACES * stuck->pace_us;
}

void stuck_refused(struct stuck_block *stuck)
{
	if (!stuck->found_us || (clock_us() - stuck->found_us >= AGAIN_US && !anybody_lives(stuck))) {
		let_keepers_go(stuck);
		find_out(stuck);
		if (stuck->keepers.holders.count || !may_be_slow(stuck))
			tell(stuck);
	}
	end_keepers(stuck);
}

void stuck_failed(struct stuck_block *stuck)
{
	if (anybody_lives(stuck))
		return;
	let_keepers_go(stuck);
	find_out(stuck);
	tell(stuck);
}

void stuck_look(void *argument, int ended)
{
	struct stuck_block *stuck = argument;
	uint64_t size = stuck->memory->block_size;

	if (clock_us() >= stuck->next_us) {
		stuck->ended = ended;
		stuck_gets_empty(stuck);
		stuck->ended = -1;
		tell_amount(stuck, stuck->used < size ? size - stuck->used : 0);
	}
	/* with nothing left in it the kernel takes its time, and nobody is in the way */
	if (stuck->used && clock_us() - stuck->since_us >= STILL_US)
		stuck_refused(stuck);
	else if (stuck->asked_us)
		end_keepers(stuck);
}

void stuck_end(struct stuck_block *stuck)
{
	let_keepers_go(stuck);
	free(stuck->what);
}
