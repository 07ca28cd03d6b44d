// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory of this system goes offline, block by block from the highest on, since
 * what cannot move gathers at the lowest. The kernel never gives up on a page
 * that does not move (mm/memory_hotplug.c:offline_pages()): each write has a
 * deadline of its own, at which it ends and leaves the block online.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "retire/capture.h"
#include "retire/holders/holders.h"
#include "retire/steps/stuck.h"
#include "util/cleanup.h"

/* What one write may take, and for each GiB of a block; how often it is tried, and the first pause in between. */
enum { BLOCK_MS = 20000, GIB_MS = 10000, TRIES = 5, PAUSE_MS = 100, ROUNDS = 4, LOOK_MS = 100 };

static struct json_object *capture_offline(const struct execution *execution, const struct step *step)
{
	return capture_memory(&look_holder(execution->look, step->holder)->memory);
}

/* What the kernel answers, whether the next try may be answered otherwise, and what it means. */
static const struct {
	int error;
	bool again;
	const char *why;
} answers[] = {
	/* a fault, a compaction, an isolation of another block: mm/page_isolation.c */
	{ -EBUSY, true, "the kernel keeps something there that it cannot move" },
	{ -EAGAIN, true, "the kernel was busy with it" },
	{ -EINTR, true, "it was interrupted" },
	{ -ETIMEDOUT, false, "a page did not move in time, something keeps it where it is" },
	{ -ENOMEM, false, "there is no room to move it to; free some, or lower the number of huge pages" },
	{ -EINVAL, false, "it has holes or is in more than one zone" },
	{ -EPERM, false, "the kernel does not allow it" },
};

static bool is_worth_another_try(int rc)
{
	for (size_t i = 0; i < COUNT_OF(answers); i++)
		if (answers[i].error == rc)
			return answers[i].again;
	return false;
}

static const char *reason_of(int rc)
{
	for (size_t i = 0; i < COUNT_OF(answers); i++)
		if (answers[i].error == rc)
			return answers[i].why;
	return strerror(-rc);
}

static uint64_t block_ms(const struct system_ram *memory)
{
	return BLOCK_MS + memory->block_size / (1 << 20) * GIB_MS / 1024;
}

/* A wait that a rollback or an unbind after the commit may take, whatever of the deadline is left. */
static struct deadline block_deadline(const struct system_ram *memory, struct deadline whole)
{
	return deadline_sooner(deadline_in(block_ms(memory)), whole);
}

/* Worth another try: what moved stays away, and whoever is being ended may let go. */
static bool gets_on(struct stuck_block *stuck, int rc)
{
	return rc == -ETIMEDOUT && (stuck_gets_empty(stuck) || stuck_is_ending(stuck));
}

/* `interrupt`: -1 where nothing but the deadline ends it. */
static int offline_patiently(struct stuck_block *stuck, int interrupt, struct deadline whole, struct err *err)
{
	struct effects *effects = stuck->execution->effects;
	const struct effects_watch watch = { stuck_look, stuck, LOOK_MS, interrupt };
	unsigned pause = PAUSE_MS;
	int rc;

	for (int tries = 1;; tries++, pause *= 2) {
		stuck_try(stuck);
		rc = effects->offline_block(effects, stuck->block->number, &watch,
					    block_deadline(stuck->memory, whole), err);
		if (rc >= 0 || deadline_passed(whole))
			return rc;
		if (gets_on(stuck, rc))
			tries = 0, pause = PAUSE_MS;
		else if (!is_worth_another_try(rc) || tries >= TRIES)
			return rc;
		if (rc == -EBUSY)
			stuck_refused(stuck);
		if (wait_readable(-1, interrupt, deadline_sooner(deadline_in(pause), whole)) == -EINTR)
			return -EINTR;
	}
}

static int tell_stuck(struct stuck_block *stuck, int rc, struct deadline whole, struct err *err)
{
	bool moved = rc == -ETIMEDOUT && deadline_passed(whole) && stuck_gets_empty(stuck);

	stuck_failed(stuck);
	return err_set(
		err, rc, "block %" PRIu64 " (%#" PRIx64 ", zone %s) stays online: %s%s%s%s", stuck->block->number,
		stuck->block->number * stuck->memory->block_size, memory_zone_name(stuck->block->zone),
		moved && !stuck->keepers.holders.count ? "time ran out while its pages were moving, see --timeout"
						       : reason_of(rc),
		stuck->what ? " (left there: " : "", stuck->what ? stuck->what : "", stuck->what ? ")" : "");
}

static int offline_one(struct execution *execution, int device, const struct system_ram *memory,
		       const struct memory_block *block, int interrupt, struct deadline whole, struct err *err)
{
	struct stuck_block stuck;
	int rc;

	stuck_begin(&stuck, execution, device, memory, block);
	rc = offline_patiently(&stuck, interrupt, whole, err);
	if (rc == -EINTR)
		err_set(err, rc, "interrupted by a signal");
	else if (rc < 0)
		tell_stuck(&stuck, rc, whole, err);
	stuck_end(&stuck);
	return rc;
}

static int offline(struct execution *execution, int device, const struct system_ram *memory, int interrupt,
		   struct deadline whole, struct err *err)
{
	int done = 1;

	for (size_t i = memory->blocks.count; i-- > 0;) {
		const struct memory_block *block = &memory->blocks.items[i];
		int rc;

		if (block->state == MEMORY_OFFLINE)
			continue;
		if (wait_readable(interrupt, -1, deadline_in(0)) == 1)
			return err_set(err, -EINTR, "interrupted by a signal");
		rc = offline_one(execution, device, memory, block, interrupt, whole, err);
		if (rc < 0)
			return rc;
		done &= rc;
	}
	return done;
}

/*
 * With all of them offline it is done at once, and nobody can bring one back. It does not do instead of the
 * blocks one by one: those say which of them does not go, and go back into the zones that they were in. Whether it
 * worked is seen by the blocks, when they are looked at for the last time. As they come back all online, it is for
 * a device of which all were.
 */
static void unplug(struct execution *execution, int device, const struct system_ram *was)
{
	struct effects *effects = execution->effects;

	if (!execution->request->no_unbind && memory_online(was) == was->blocks.count)
		effects->unplug(effects, &execution->look->devices.items[device],
				deadline_sooner(deadline_in(BLOCK_MS), execution->deadline), NULL);
}

static int apply_offline(struct execution *execution, const struct step *step, struct step_record *record,
			 struct err *err)
{
	const struct system_ram *memory = &look_holder(execution->look, step->holder)->memory;
	int rc;

	(void)record;
	/* a race that is lost all the same is seen before the unbind */
	execution->effects->keep_offline(execution->effects, memory, NULL);
	rc = offline(execution, step->device, memory, execution->effects->interrupt, execution->deadline, err);
	if (rc >= 0)
		unplug(execution, step->device, memory);
	return rc;
}

int memory_stays_offline(struct execution *execution, int device, struct deadline whole, struct err *err)
{
	struct system_ram now;
	int rc = holders_read_memory(execution->root, &execution->look->devices.items[device], &now);

	if (rc < 0)
		return err_errno(err, rc, "cannot look whether its memory is still offline");
	rc = offline(execution, device, &now, -1, whole, err);
	free(now.blocks.items);
	return rc < 0 ? err_wrap(err, "somebody has brought it online again") : rc;
}

/* `is`: how it is now. One that somebody has put into another zone can change that only by way of offline. */
static int online_block(struct execution *execution, const struct system_ram *memory,
			const struct memory_block *was, const struct memory_block *is, struct err *err)
{
	struct effects *effects = execution->effects;
	int rc = 0;

	if (is->state == MEMORY_ONLINE && is->zone == was->zone)
		return 1;
	if (is->state == MEMORY_ONLINE)
		rc = effects->offline_block(effects, was->number, NULL,
					    block_deadline(memory, execution->deadline), err);
	if (rc < 0)
		return err_wrap(err, "block %" PRIu64 " is in zone %s and does not leave it", was->number,
				memory_zone_name(is->zone));
	rc = effects->online_block(effects, was->number, was->zone, block_deadline(memory, execution->deadline),
				   err);
	if (rc == -EHWPOISON)
		return err_set(err, rc, "block %" PRIu64 " has a poisoned page: the kernel keeps it offline",
			       was->number);
	return rc < 0 ? err_wrap(err, "block %" PRIu64 " does not go online", was->number) : rc;
}

/* One that fails does not hold up the others. A journal may say anything: only what is memory of the device
 * counts. */
static int online(struct execution *execution, const struct system_ram *was, const struct system_ram *now,
		  struct err *err)
{
	struct err first = { 0 };
	int rc = 0, done = 1;

	array_each(block, &was->blocks) {
		const struct memory_block *is = memory_block_of(now, block->number);
		int one = is ? online_block(execution, now, block, is, err)
			     : err_set(err, -ENODEV, "block %" PRIu64 " is not memory of it", block->number);

		if (one < 0 && rc == 0) {
			rc = one;
			first = *err;
		}
		done &= one >= 0 && one;
	}
	if (rc < 0)
		*err = first;
	return rc < 0 ? rc : done;
}

/* Those that were taken out come back all in one zone: in which most of them were. */
static int plug(struct execution *execution, int device, const struct system_ram *was, struct err *err)
{
	uint64_t movable = memory_online(was) - memory_online_outside(was, ZONE_MOVABLE);
	struct effects *effects = execution->effects;
	int rc = effects->plug(effects, &execution->look->devices.items[device],
			       2 * movable >= was->blocks.count ? ZONE_MOVABLE : ZONE_NORMAL,
			       block_deadline(was, execution->deadline), err);

	return rc < 0 ? err_wrap(err, "its blocks do not come back") : rc;
}

/* Once over all of them: 1 when each was found as it had been. */
static int online_round(struct execution *execution, int index, const struct system_ram *was, struct err *err)
{
	const struct device *device = &execution->look->devices.items[index];
	struct system_ram now;
	int rc = holders_read_memory(execution->root, device, &now);

	if (rc == -ENOENT)
		return err_set(err, rc,
			       "%s is not there any more: its card was pulled, or its region taken away; what of "
			       "its memory was online then is lost until a reboot",
			       device->name);
	if (rc < 0)
		return err_errno(err, rc, "cannot look at its memory");
	rc = online(execution, was, &now, err);
	free(now.blocks.items);
	return rc;
}

/* Who brings them online, too, may do so elsewhere: it has ended when all are found as they were. */
static int undo_offline(struct execution *execution, const struct captured *captured, struct err *err)
{
	struct system_ram was;
	int rc = captured_memory(captured->memo, &was), done = 1;

	if (rc < 0)
		return err_errno(err, rc, "its journal does not say which blocks were online");
	rc = was.blocks.count ? plug(execution, captured->device, &was, err) : 1;
	done = rc != 0;
	for (int round = 0; rc >= 0 && (!round || rc == 0) && round < ROUNDS; round++) {
		rc = online_round(execution, captured->device, &was, err);
		done &= rc != 0;
	}
	free(was.blocks.items);
	if (rc < 0)
		return rc;
	return rc ? done : err_set(err, -EAGAIN, "somebody else changes its blocks all the time");
}

static const struct system_ram *memory_of(const struct look *now, int device)
{
	array_each(holder, &now->holders)
		if (holder->type == HOLDER_MEMORY && holder->device == device)
			return &holder->memory;
	return NULL;
}

static int verify_blocks(const struct look *now, const struct captured *captured, const struct system_ram *memory,
			 struct err *err)
{
	const struct system_ram *is = memory_of(now, captured->device);

	array_each(was, &memory->blocks) {
		const struct memory_block *block = is ? memory_block_of(is, was->number) : NULL;

		if (!block || block->state == MEMORY_OFFLINE)
			return err_set(err, 0, "block %" PRIu64 " is %s", was->number,
				       block ? "offline" : "not there");
		if (block->zone != was->zone)
			return err_set(err, 0, "block %" PRIu64 " is in zone %s, it was in %s", was->number,
				       memory_zone_name(block->zone), memory_zone_name(was->zone));
	}
	return 1;
}

static int verify_offline(const struct look *now, const struct captured *captured, struct err *err)
{
	struct system_ram memory;
	int rc = captured_memory(captured->memo, &memory);

	if (rc < 0)
		return err_set(err, 0, "its journal does not say which blocks were online");
	rc = verify_blocks(now, captured, &memory, err);
	free(memory.blocks.items);
	return rc;
}

const struct step_kind step_offline = {
	STEP_OFFLINE, capture_offline, apply_offline, undo_offline, verify_offline, undo_offline,
};
