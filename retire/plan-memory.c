// SPDX-License-Identifier: GPL-2.0-or-later
/* What stands against taking memory of this system away. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "retire/plan-vetoes.h"

#define MESSAGE 512

static const struct device *device_of(const struct planning *planning, const struct holder *holder)
{
	return &planning->look->devices.items[holder->device];
}

/*
 * An unbind with memory online leaves it to the system, in use, without a
 * driver that could take it back: drivers/dax/kmem.c:dev_dax_kmem_remove(). That
 * goes for all of it, also what was offline and what is taken offline afterwards.
 */
static int veto_burned(struct planning *planning, const struct holder *holder)
{
	struct veto veto = { .code = "burned", .severity = SEVERITY_CRITICAL, .holder = holder->id };
	char message[MESSAGE];

	snprintf(
		message, sizeof(message),
		"%s was left to the system (%" PRIu64
		" of %zu blocks are online) by an unbind while it was online: "
		"no driver has it, and only a reboot gives it back; do not destroy its namespace or region before",
		holder->name, memory_online(&holder->memory), holder->memory.blocks.count);
	return plan_add_veto(planning, veto, holder->name, message);
}

static uint64_t in_zone(const struct system_ram *memory, enum memory_zone zone)
{
	return memory_online(memory) - memory_online_outside(memory, zone);
}

/* A block that spans zones never goes (memory_block_offline()); one that is not movable, hardly ever. */
static int veto_zones(struct planning *planning, const struct holder *holder)
{
	uint64_t spanned = in_zone(&holder->memory, ZONE_SPANNED);
	uint64_t outside = memory_online_outside(&holder->memory, ZONE_MOVABLE) - spanned;
	struct veto veto = { .code = "spanned-zones", .severity = SEVERITY_CRITICAL, .holder = holder->id };
	char message[MESSAGE];
	int rc = 0;

	if (spanned) {
		snprintf(message, sizeof(message),
			 "%s has blocks that lie in more than one zone (%" PRIu64 " of %" PRIu64
			 "), and the kernel never takes such a block offline: reboot without onlining them",
			 holder->name, spanned, memory_online(&holder->memory));
		rc = plan_add_veto(planning, veto, holder->name, message);
	}
	if (rc < 0 || !outside)
		return rc;
	veto.code = "unmovable-zone";
	veto.severity = SEVERITY_RISK;
	snprintf(message, sizeof(message),
		 "%s has %" PRIu64 " of %" PRIu64 " online blocks outside zone Movable: the kernel puts there "
		 "what it cannot move, so they hardly ever go offline",
		 holder->name, outside, memory_online(&holder->memory));
	return plan_add_veto(planning, veto, holder->name, message);
}

static const char *size_of(uint64_t bytes, char *text, size_t size)
{
	snprintf(text, size, "%" PRIu64 " MiB", (bytes + (1 << 20) - 1) >> 20);
	return text;
}

/* Memory that the plan moves elsewhere, and of which it is known how much. */
static bool has_to_move(const struct planning *planning, const struct holder *holder)
{
	return holder->type == HOLDER_MEMORY && holder->memory.use_known && device_of(planning, holder)->enabled &&
	       memory_online(&holder->memory);
}

/* What all of it needs together, and has: what is free on one of several that go is no room for the others. How
 * many they are. */
static size_t add_up(const struct planning *planning, const struct holder *first, struct system_ram *sum)
{
	size_t count = 1;

	*sum = first->memory;
	array_each(holder, &planning->look->holders) {
		if (holder == first || !has_to_move(planning, holder))
			continue;
		count++;
		for (enum memory_use use = 0; use < MEMORY_USES; use++)
			sum->used[use] += holder->memory.used[use];
		memory_room_without(&sum->elsewhere, &holder->memory);
	}
	return count;
}

static bool is_first_to_move(const struct planning *planning, const struct holder *holder)
{
	array_each(other, &planning->look->holders)
		if (has_to_move(planning, other))
			return other == holder;
	return false;
}

/*
 * The kernel does not fail for want of room, it goes on looking for it:
 * mm/memory_hotplug.c:offline_pages(). What must find some is anonymous; what
 * is cached of files can be dropped.
 */
static int veto_room(struct planning *planning, const struct holder *holder)
{
	struct veto veto = { .code = "would-not-fit", .severity = SEVERITY_RISK, .holder = holder->id };
	char message[MESSAGE], more[48] = "", used[32], free_there[32], droppable[32], swap[32];
	const struct memory_room *room;
	struct system_ram sum;
	size_t count;

	if (!is_first_to_move(planning, holder))
		return 0;
	count = add_up(planning, holder, &sum);
	room = &sum.elsewhere;
	if (memory_used(&sum) <= room->free)
		return 0;
	if (sum.used[MEMORY_ANONYMOUS] > room->free + room->reclaimable + room->swap)
		veto.severity = SEVERITY_CRITICAL;
	if (count > 1)
		snprintf(more, sizeof(more), " and of %zu more", count - 1);
	snprintf(
		message, sizeof(message),
		"%s of %s%s are in use, and elsewhere there are %s free, %s that could be dropped and %s of swap: "
		"%s",
		size_of(memory_used(&sum), used, sizeof(used)), holder->name, more,
		size_of(room->free, free_there, sizeof(free_there)),
		size_of(room->reclaimable, droppable, sizeof(droppable)), size_of(room->swap, swap, sizeof(swap)),
		veto.severity == SEVERITY_CRITICAL ? "it does not fit; end who uses it first, or add swap"
						   : "it may not fit");
	return plan_add_veto(planning, veto, holder->name, message);
}

enum { BOUND_TOLD = 3 };

/* "fio[812] (bench.service), sh[7] and 3 more" */
static const char *bound_to(const struct system_ram *memory, size_t *count, char *text, size_t size)
{
	size_t at = 0;

	*count = 0;
	*text = '\0';
	array_each(process, &memory->processes) {
		if (!process->bound || ++*count > BOUND_TOLD || at >= size)
			continue;
		at += (size_t)snprintf(text + at, size - at, "%s%s[%d]%s%s%s", at ? ", " : "", process->comm,
				       process->pid, process->unit ? " (" : "", process->unit ? process->unit : "",
				       process->unit ? ")" : "");
	}
	if (*count > BOUND_TOLD && at < size)
		snprintf(text + at, size - at, " and %zu more", *count - BOUND_TOLD);
	return text;
}

/*
 * Where pages are moved to, no policy is asked: mm/migrate.c:alloc_migration_target(). A process
 * that may have memory of that node only is given no more when the node has none.
 */
static int veto_policy(struct planning *planning, const struct holder *holder)
{
	struct veto veto = { .code = "policy-broken", .severity = SEVERITY_RISK, .holder = holder->id };
	char message[MESSAGE], names[MESSAGE / 2];
	size_t count;

	bound_to(&holder->memory, &count, names, sizeof(names));
	if (!count)
		return 0;
	snprintf(message, sizeof(message),
		 "%s %s bound to node %d (mbind, cpuset): what lies on %s is moved to other nodes all the same, "
		 "and "
		 "more may then not be given",
		 names, count > 1 ? "are" : "is", holder->memory.node, holder->name);
	return plan_add_veto(planning, veto, holder->name, message);
}

/*
 * A block with such a page does not go online again (since Linux 6.2,
 * drivers/base/memory.c:memory_block_online()), so that a rollback leaves it. And the kernel takes such a page for
 * one that need not move, also when somebody references it still (mm/memory_hotplug.c:do_migrate_range(),
 * mm/page_isolation.c).
 */
static int veto_poison(struct planning *planning, const struct holder *holder)
{
	const struct system_ram *memory = &holder->memory;
	uint64_t pages = memory->use_known ? memory->used[MEMORY_POISONED] / memory->page_size : 0;
	struct veto veto = { .code = "poison", .severity = SEVERITY_RISK, .holder = holder->id };
	char message[MESSAGE];

	if (!pages)
		return 0;
	snprintf(message, sizeof(message),
		 "%s has %" PRIu64
		 " poisoned page%s (a hardware error, or put out of use by hand): blocks with one may "
		 "not come back online, so that a rollback is not whole, and they go offline even when somebody "
		 "still "
		 "references it",
		 holder->name, pages, pages > 1 ? "s" : "");
	return plan_add_veto(planning, veto, holder->name, message);
}

int plan_veto_memory(struct planning *planning, const struct holder *holder)
{
	int rc;

	if (!device_of(planning, holder)->enabled)
		return holder->memory.blocks.count ? veto_burned(planning, holder) : 0;
	if (!memory_online(&holder->memory))
		return 0;
	rc = veto_zones(planning, holder);
	rc = rc < 0 ? rc : veto_room(planning, holder);
	rc = rc < 0 ? rc : veto_poison(planning, holder);
	return rc < 0 ? rc : veto_policy(planning, holder);
}

static const struct holder *memory_of(const struct look *look, int device)
{
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_MEMORY && holder->device == device)
			return holder;
	return NULL;
}

bool plan_memory_is_offline(const struct look *look, int device)
{
	const struct holder *holder = memory_of(look, device);

	/* all may be out of the system altogether */
	return holder && !memory_online(&holder->memory);
}

/* Without an unbind there is nothing to be done to what is no memory. */
int plan_veto_no_unbind(struct planning *planning, int index)
{
	const struct device *device = &planning->look->devices.items[index];
	struct veto veto = { .code = "no-unbind", .severity = SEVERITY_CRITICAL };
	char message[MESSAGE];

	snprintf(message, sizeof(message),
		 "%s is not memory of this system: --no-unbind has nothing to take offline; retire it without "
		 "that option instead",
		 device->name);
	return plan_add_veto(planning, veto, device->name, message);
}

/* It was not found out which blocks it has: none is offlined then, and the unbind would burn what is online. */
int plan_veto_unseen_memory(struct planning *planning, int index)
{
	const struct device *device = &planning->look->devices.items[index];
	struct veto veto = { .code = "system-ram", .severity = SEVERITY_CRITICAL };
	char message[MESSAGE];

	if (memory_of(planning->look, index))
		return 0;
	snprintf(message, sizeof(message),
		 "%s is memory of this system, and which blocks are its own could not be seen: offline it first "
		 "(daxctl offline-memory)",
		 device->name);
	return plan_add_veto(planning, veto, device->name, message);
}

/* For each GiB that has to move. */
enum { GIB_MS = 10000 };

unsigned plan_timeout_ms(const struct look *look, const struct request *request)
{
	uint64_t used = 0;

	array_each(holder, &look->holders) {
		const struct system_ram *memory = &holder->memory;

		if (holder->type == HOLDER_MEMORY)
			used += memory->use_known ? memory_used(memory)
						  : memory_online(memory) * memory->block_size;
	}
	used = (used + (1 << 30) - 1) >> 30;
	if (request->timeout_given || used > (UINT_MAX - request->timeout_ms) / GIB_MS)
		return request->timeout_ms;
	return request->timeout_ms + (unsigned)used * GIB_MS;
}
