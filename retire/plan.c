// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The order of a plan: one walk over the graph of holders, from the top of
 * each stack down. Before a file system is frozen, everything stacked on it is
 * gone: freezing the lower of two first hangs the upper for good.
 */
#include "retire/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "retire/plan-vetoes.h"

/* Names and phases of the steps; how each is done is in steps/. */
static const struct {
	const char *name;
	enum phase phase;
	const char *restore;
} step_facts[STEP_TYPES] = {
	[STEP_NONE] = { "none", PHASE_ASK },
	[STEP_TERMINATE] = { "terminate", PHASE_ASK },
	[STEP_GRACE] = { "grace", PHASE_ASK },
	[STEP_WITHDRAW] = { "withdraw", PHASE_SETTLE, "offer" },
	[STEP_FREEZE] = { "freeze", PHASE_SETTLE },
	[STEP_FLUSH] = { "flush", PHASE_SETTLE },
	[STEP_KILL] = { "kill", PHASE_SETTLE },
	[STEP_THAW] = { "thaw", PHASE_SETTLE },
	[STEP_AWAIT_EXIT] = { "await-exit", PHASE_SETTLE },
	[STEP_FORESEE] = { "foresee-references", PHASE_SETTLE },
	[STEP_SWAP_OFF] = { "swap-off", PHASE_SETTLE, "swap-on" },
	[STEP_OFFLINE] = { "offline-memory", PHASE_SETTLE, "online-memory" },
	[STEP_UNMOUNT] = { "unmount", PHASE_SETTLE, "mount" },
	[STEP_DM_REMOVE] = { "dm-remove", PHASE_SETTLE, "dm-create" },
	[STEP_MD_STOP] = { "md-stop", PHASE_SETTLE, "md-assemble" },
	[STEP_LOOP_DETACH] = { "loop-detach", PHASE_SETTLE, "loop-attach" },
	[STEP_CLAIM] = { "claim", PHASE_CLAIM },
	[STEP_REFERENCES] = { "count-references", PHASE_CLAIM },
	[STEP_UNBIND] = { "unbind", PHASE_UNBIND, "enable" },
	[STEP_DECOMMIT] = { "decommit", PHASE_UNBIND, "commit" },
	[STEP_ERASE] = { "delete", PHASE_UNBIND },
	[STEP_POWER_OFF] = { "power-off", PHASE_UNBIND, "power-on" },
};

const char *step_name(enum step_type type)
{
	return step_facts[type].name;
}

const char *step_restore_name(enum step_type type)
{
	return step_facts[type].restore ? step_facts[type].restore : step_facts[type].name;
}

enum phase step_phase(enum step_type type)
{
	return step_facts[type].phase;
}

const char *severity_name(enum severity severity)
{
	static const char *const names[] = { "holder", "risk", "critical" };

	return names[severity];
}

static int add_step(struct planning *planning, enum step_type type, int device, int holder)
{
	struct step *step = array_add(&planning->plan->steps);

	if (!step)
		return -ENOMEM;
	*step = (struct step){ .type = type, .device = device, .holder = holder };
	return 0;
}

static bool is_process_on(const struct look *look, const struct holder *holder, int place)
{
	return holder->type == HOLDER_PROCESS && look_rests_on(look, holder, place);
}

static bool has_process_on(const struct look *look, int place)
{
	array_each(holder, &look->holders)
		if (is_process_on(look, holder, place))
			return true;
	return false;
}

/* Nobody is killed below --evict=kill, nor where the kernel will tell them itself. */
static bool is_wanted(const struct planning *planning, enum step_type type, const struct holder *holder)
{
	bool left = plan_leaves_mounted(planning, holder);

	switch (type) {
	case STEP_KILL:
	case STEP_AWAIT_EXIT:
		return !left && planning->request->evict == EVICT_KILL &&
		       has_process_on(planning->look, holder->id);
	case STEP_FREEZE:
	case STEP_FLUSH:
	case STEP_THAW:
		/* nothing can be written any more, and FIFREEZE answers EIO */
		if (holder->filesystem.shut_down)
			return false;
		/* without a mount there is nothing to open it by, but through a user of it */
		return !holder->filesystem.detached || has_process_on(planning->look, holder->id);
	case STEP_FORESEE:
		/* what is shut down goes as it is; its memory map may be gone */
		return !left && !holder->filesystem.shut_down &&
		       device_has_pages(&planning->look->devices.items[holder->device]);
	case STEP_UNMOUNT:
		return !left && !look_is_pinned_mount(planning->look, holder);
	default:
		return true;
	}
}

static int add_recipe(struct planning *planning, const enum step_type *recipe, const struct holder *holder)
{
	int rc = 0;

	for (; rc == 0 && *recipe != STEP_NONE; recipe++)
		if (is_wanted(planning, *recipe, holder))
			rc = add_step(planning, *recipe, holder->device, holder->id);
	return rc;
}

/* A dm or md device may stand on several. */
static bool stands_on(const struct holder *holder, const struct holder *place)
{
	if (holder->on == place->id)
		return true;
	array_each(lower, holder_lowers(holder))
		if (lower->dev == place->dev)
			return place->type != HOLDER_FILESYSTEM;
	return false;
}

/* What has to be gone before `place` is frozen: whatever is stacked on it, or mounted inside it from elsewhere. */
static bool is_above(const struct look *look, const struct holder *holder, const struct holder *place)
{
	if (holder->type == HOLDER_FILESYSTEM && place->type == HOLDER_FILESYSTEM) {
		array_each(mount, &look->holders)
			if (mount->type == HOLDER_MOUNT && mount->on == holder->id && mount->inside &&
			    look_rests_on(look, look_holder(look, mount->inside), place->id))
				return true;
		return false;
	}
	return (holder->kind->stacks || holder->kind->serves) && holder->type != HOLDER_MOUNT &&
	       stands_on(holder, place);
}

/* Nobody nests mounts that deep but to exhaust our stack. */
enum { DEEPEST = 1000 };

struct walk {
	struct planning *planning;
	int depth;
	bool *visited; /* by holder index */
};

static int visit(struct walk *walk, const struct holder *place);

static int visit_those_above(struct walk *walk, const struct holder *place)
{
	const struct look *look = walk->planning->look;
	int rc = 0;

	array_each(holder, &look->holders)
		if (rc == 0 && is_above(look, holder, place))
			rc = visit(walk, holder);
	return rc;
}

/* Mounts and swap on `place`, those inside others first. */
static int visit_those_on(struct walk *walk, const struct holder *place)
{
	const struct look *look = walk->planning->look;
	int rc = 0;

	array_each(holder, &look->holders)
		if (rc == 0 && (holder->type == HOLDER_MOUNT || holder->type == HOLDER_SWAP) &&
		    (holder->on == place->id || holder->inside == place->id))
			rc = visit(walk, holder);
	return rc;
}

static int visit(struct walk *walk, const struct holder *place)
{
	bool *visited = &walk->visited[place->id - 1];
	int rc;

	if (*visited)
		return 0;
	*visited = true;
	if (++walk->depth > DEEPEST)
		return -ELOOP;
	rc = visit_those_above(walk, place);
	if (rc == 0)
		rc = add_recipe(walk->planning, place->kind->before, place);
	if (rc == 0)
		rc = visit_those_on(walk, place);
	if (rc == 0)
		rc = add_recipe(walk->planning, place->kind->after, place);
	walk->depth--;
	return rc;
}

/* Those who have the block device itself open, whatever is on it. */
static int kill_raw_users(struct planning *planning, int device)
{
	bool found = false;
	int rc;

	array_each(holder, &planning->look->holders)
		found |= holder->type == HOLDER_PROCESS && holder->device == device &&
			 look_is_on_disk(planning->look, holder);
	if (!found || planning->request->evict < EVICT_KILL)
		return 0;
	rc = add_step(planning, STEP_KILL, device, 0);
	return rc < 0 ? rc : add_step(planning, STEP_AWAIT_EXIT, device, 0);
}

static int settle(struct planning *planning)
{
	const struct look *look = planning->look;
	struct walk walk = { .planning = planning };
	int rc = 0;

	walk.visited = calloc(look->holders.count + 1, sizeof(bool));
	if (!walk.visited)
		return -ENOMEM;
	for (size_t i = 0; rc == 0 && i < look->devices.count; i++) {
		bool memory = look->devices.items[i].system_ram;

		/* memory goes when nobody keeps pages of it any more */
		rc = memory ? kill_raw_users(planning, (int)i) : 0;
		array_each(holder, &look->holders)
			if (rc == 0 && holder->device == (int)i && holder->on == 0)
				rc = visit(&walk, holder);
		if (rc == 0 && !memory)
			rc = kill_raw_users(planning, (int)i);
	}
	free(walk.visited);
	return rc;
}

static bool is_same_process(const struct holder *one, const struct holder *other)
{
	return one && one->process.pid == other->process.pid && one->process.starttime == other->process.starttime;
}

/* A process has a holder for each place that it uses, one after the other; some take a second SIGTERM for worse.
 */
static int ask(struct planning *planning)
{
	const struct holder *asked = NULL;
	int rc = 0;

	if (planning->stage != PLAN_WHOLE || planning->request->evict < EVICT_TERM)
		return 0;
	array_each(holder, &planning->look->holders) {
		if (rc < 0 || holder->type != HOLDER_PROCESS || is_same_process(asked, holder) ||
		    plan_leaves_mounted(planning, holder))
			continue;
		rc = add_step(planning, STEP_TERMINATE, holder->device, holder->id);
		asked = holder;
	}
	return rc < 0 || !asked ? rc : add_step(planning, STEP_GRACE, 0, 0);
}

static bool is_left_mounted(const struct planning *planning, int device)
{
	array_each(holder, &planning->look->holders)
		if (holder->type == HOLDER_FILESYSTEM && holder->device == device &&
		    plan_leaves_mounted(planning, holder))
			return true;
	return false;
}

/* A character device, or memory, has no claim: there the step is a last look, and comes after those that take
 * time. */
static bool is_claimed_in(const struct device *device, bool last)
{
	bool memory = device->system_ram;

	return device->enabled && (device->dev || memory) && (device->mode == MODE_DEVDAX || memory) == last;
}

static int claim(struct planning *planning, bool last)
{
	const struct look *look = planning->look;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < look->devices.count; i++)
		if (is_claimed_in(&look->devices.items[i], last) && !is_left_mounted(planning, (int)i))
			rc = add_step(planning, STEP_CLAIM, (int)i, 0);
	return rc;
}

/* After the last claim nobody comes any more: what is referenced then stays so. */
static int count_references(struct planning *planning)
{
	const struct look *look = planning->look;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < look->devices.count; i++)
		if (device_has_pages(&look->devices.items[i]))
			rc = add_step(planning, STEP_REFERENCES, (int)i, 0);
	return rc;
}

static bool is_enabled(const struct request *request, const struct device *device)
{
	(void)request;
	return device->enabled;
}

/* A region may be committed and have no driver. */
static bool has_driver(const struct request *request, const struct device *device)
{
	(void)request;
	return device->driver;
}

static bool is_committed(const struct request *request, const struct device *device)
{
	(void)request;
	return device->cxl.committed;
}

static bool is_to_be_deleted(const struct request *request, const struct device *device)
{
	return request->delete_region && !device->cxl.absent;
}

static bool is_to_lose_power(const struct request *request, const struct device *device)
{
	return request->power_off && !device->cxl.absent;
}

/* What cannot be undone: each over all devices of its type, before anything of what these stand on. */
static const struct {
	enum device_type type;
	enum step_type step;
	bool (*is_wanted)(const struct request *request, const struct device *device);
} last_steps[] = {
	{ DEVICE_PMEM_NAMESPACE, STEP_UNBIND, is_enabled },
	{ DEVICE_DAX, STEP_UNBIND, is_enabled },
	{ DEVICE_PMEM_REGION, STEP_UNBIND, is_enabled },
	{ DEVICE_CXL_REGION, STEP_UNBIND, has_driver },
	{ DEVICE_CXL_REGION, STEP_DECOMMIT, is_committed },
	{ DEVICE_CXL_REGION, STEP_ERASE, is_to_be_deleted },
	{ DEVICE_CXL_MEMDEV, STEP_UNBIND, is_enabled },
	{ DEVICE_CXL_MEMDEV, STEP_POWER_OFF, is_to_lose_power },
};

static int add_last(struct planning *planning, enum step_type type, int device)
{
	int rc = add_step(planning, type, device, 0);

	if (rc == 0 && type == STEP_UNBIND)
		planning->plan->steps.items[planning->plan->steps.count - 1].while_mounted =
			is_left_mounted(planning, device);
	return rc;
}

static int unbind(struct planning *planning)
{
	const struct look *look = planning->look;
	int rc = 0;

	for (size_t step = 0; step < COUNT_OF(last_steps); step++)
		for (size_t i = 0; rc == 0 && i < look->devices.count; i++)
			if (look->devices.items[i].type == last_steps[step].type &&
			    last_steps[step].is_wanted(planning->request, &look->devices.items[i]))
				rc = add_last(planning, last_steps[step].step, (int)i);
	return rc;
}

/* Over all devices: first every claim, then what cannot be undone, a region after every namespace. */
static int claim_and_unbind(struct planning *planning)
{
	int rc = claim(planning, false);

	rc = rc < 0 ? rc : claim(planning, true);
	rc = rc < 0 ? rc : count_references(planning);
	return rc < 0 || planning->request->no_unbind ? rc : unbind(planning);
}

/* Nothing is left to be done to it. */
static bool is_done(const struct planning *planning, int index)
{
	const struct device *device = &planning->look->devices.items[index];

	if (planning->request->no_unbind && device->system_ram && device->enabled)
		return plan_memory_is_offline(planning->look, index);
	if (device->type == DEVICE_CXL_REGION &&
	    (device->cxl.unowned || is_to_be_deleted(planning->request, device)))
		return false;
	if (device->type == DEVICE_CXL_MEMDEV && is_to_lose_power(planning->request, device))
		return false;
	return !device->enabled && !device->gone && !device->system_ram;
}

int plan_make(const struct look *look, const struct request *request, const struct kernel *kernel,
	      enum plan_stage stage, struct plan *plan)
{
	struct planning planning = { look, request, kernel, stage, plan };
	int rc;

	memset(plan, 0, sizeof(*plan));
	plan->already_retired = true;
	for (size_t i = 0; i < look->devices.count; i++)
		plan->already_retired &= is_done(&planning, (int)i);
	if (plan->already_retired)
		return 0;
	rc = plan_vetoes(&planning);
	rc = rc < 0 ? rc : ask(&planning);
	rc = rc < 0 ? rc : settle(&planning);
	rc = rc < 0 ? rc : claim_and_unbind(&planning);
	return rc;
}

void plan_free(struct plan *plan)
{
	array_each(veto, &plan->vetoes) {
		free(veto->subject);
		free(veto->message);
	}
	free(plan->vetoes.items);
	free(plan->steps.items);
	memset(plan, 0, sizeof(*plan));
}
