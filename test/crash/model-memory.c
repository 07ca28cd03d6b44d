// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/crash/model-memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retire/holders/holders.h"
#include "test/crash/model-effects.h"
#include "test/crash/model-machine.h"
#include "test/crash/points.h"

enum { FIRST_BLOCK = 32, BLOCKS_APART = 8 };

uint64_t model_block_number(int device, int block)
{
	return (uint64_t)(FIRST_BLOCK + device * BLOCKS_APART + block);
}

void model_add_memory(struct model_state *state, int device)
{
	for (int i = 0; state->devices[device].system_ram && i < MODEL_BLOCKS; i++) {
		state->blocks[device][i].there = true;
		state->blocks[device][i].online = false;
	}
}

void model_remove_memory(struct model_state *state, int device)
{
	for (int i = 0; i < MODEL_BLOCKS; i++)
		state->blocks[device][i].there = false;
}

bool model_has_online_memory(const struct model_state *state, int device)
{
	for (int i = 0; i < MODEL_BLOCKS; i++)
		if (state->blocks[device][i].there && state->blocks[device][i].online)
			return true;
	return false;
}

int model_block_keeper(const struct model_state *state, int device, int block)
{
	const struct model_block *kept = &state->blocks[device][block];
	bool begun = false;

	for (int i = 0; i < MODEL_BLOCKS; i++)
		begun |= state->blocks[device][i].there && !state->blocks[device][i].online;
	for (int i = 0; begun && kept->online && kept->keeper && i < MODEL_PROCESSES; i++)
		if (state->processes[i].pid == kept->keeper && state->processes[i].alive)
			return i;
	return -1;
}

bool model_admin_onlines(struct model *model, bool movable)
{
	for (int device = 0; device < MODEL_DEVICES; device++)
		for (int i = 0; i < MODEL_BLOCKS; i++) {
			struct model_block *block = &model->state->blocks[device][i];

			/* what was offline before is nobody's loss */
			if (!block->there || block->online || !model->before.blocks[device][i].online)
				continue;
			block->online = true;
			block->zone = movable ? ZONE_MOVABLE : ZONE_NORMAL;
			return true;
		}
	return false;
}

void model_read_memory(const struct model_state *state, int device, struct system_ram *memory)
{
	*memory = (struct system_ram){ .block_size = MODEL_BLOCK_SIZE, .node = 1 };
	for (int i = 0; i < MODEL_BLOCKS; i++) {
		const struct model_block *from = &state->blocks[device][i];
		struct memory_block *block = from->there ? array_add(&memory->blocks) : NULL;

		if (!from->there)
			continue;
		if (!block)
			abort();
		*block = (struct memory_block){ model_block_number(device, i),
						from->online ? MEMORY_ONLINE : MEMORY_OFFLINE,
						from->online ? from->zone : ZONE_UNKNOWN };
	}
}

int __wrap_holders_read_memory(const struct root *root, const struct device *device, struct system_ram *memory);
int __wrap_holders_burned(const struct root *root, const struct device *device, char *why, size_t size);

int __wrap_holders_read_memory(const struct root *root, const struct device *device, struct system_ram *memory)
{
	model_read_memory(model_of_root(root)->state, model_number(device), memory);
	return 0;
}

int __wrap_holders_burned(const struct root *root, const struct device *device, char *why, size_t size)
{
	const struct model_state *state = model_of_root(root)->state;

	snprintf(why, size, "blocks are left");
	return state->blocks[model_number(device)][0].there;
}

static bool is_kept(const struct model *model, uint64_t number)
{
	for (int device = 0; device < MODEL_DEVICES; device++)
		for (int i = 0; i < MODEL_BLOCKS; i++)
			if (model_block_number(device, i) == number)
				return model_block_keeper(model->state, device, i) >= 0;
	return false;
}

static struct model_block *block_of(struct model *model, uint64_t number)
{
	for (int device = 0; device < MODEL_DEVICES; device++)
		for (int i = 0; i < MODEL_BLOCKS; i++)
			if (model_block_number(device, i) == number && model->state->blocks[device][i].there)
				return &model->state->blocks[device][i];
	return NULL;
}

static int offline(struct model_block *block)
{
	if (!block)
		return -ENOENT;
	if (!block->online)
		return 1;
	if (block->stays)
		return -EBUSY;
	block->online = false;
	return 0;
}

/* Only what is offline can be put into another zone. */
static int online(struct model_block *block, enum memory_zone zone)
{
	if (!block)
		return -ENOENT;
	if (block->online)
		return 1;
	block->online = true;
	block->zone = zone == ZONE_MOVABLE ? ZONE_MOVABLE : ZONE_NORMAL;
	return 0;
}

static void name_block(uint64_t number, char name[32])
{
	snprintf(name, 32, "memory%lu", (unsigned long)number);
}

/* The kernel goes on trying; who is cut meanwhile sees nothing of it. */
static int await_keeper(struct model *model, uint64_t number, const struct effects_watch *watch,
			struct deadline deadline)
{
	while (is_kept(model, number)) {
		if (points->dead || deadline_passed(deadline))
			return -ETIMEDOUT;
		wait_readable(-1, -1, deadline_in(watch ? watch->every_ms : 100));
		if (watch)
			watch->look(watch->argument, -1);
	}
	return points->dead ? -ETIMEDOUT : 0;
}

/* One that is given up is told to stop, and does: there is nothing that hangs. */
static int model_offline_block(struct effects *effects, uint64_t number, const struct effects_watch *watch,
			       struct deadline deadline, struct err *err)
{
	struct model *model = model_of(effects);
	char name[32];
	int begun, rc;

	name_block(number, name);
	begun = model_begin(effects, "offline", name, false, err);
	if (begun < 0)
		return begun;
	rc = await_keeper(model, number, watch, deadline);
	return model_finish(begun, rc < 0 ? rc : offline(block_of(model, number)), err);
}

static int model_online_block(struct effects *effects, uint64_t number, enum memory_zone zone,
			      struct deadline deadline, struct err *err)
{
	char name[32];
	int begun;

	(void)deadline;
	name_block(number, name);
	begun = model_begin(effects, "online", name, true, err);
	return begun < 0 ? begun : model_finish(begun, online(block_of(model_of(effects), number), zone), err);
}

static int model_unplug(struct effects *effects, const struct device *device, struct deadline deadline,
			struct err *err)
{
	struct model_state *state = model_of(effects)->state;
	int index = model_number(device), begun;

	(void)deadline;
	if (!state->devices[index].can_unplug || !state->blocks[index][0].there)
		return 1;
	begun = model_begin(effects, "unplug", device->name, false, err);
	if (begun < 0)
		return begun;
	if (model_has_online_memory(state, index))
		return model_finish(begun, -EBUSY, err);
	model_remove_memory(state, index);
	return model_finish(begun, 0, err);
}

static int model_plug(struct effects *effects, const struct device *device, enum memory_zone zone,
		      struct deadline deadline, struct err *err)
{
	struct model_state *state = model_of(effects)->state;
	int index = model_number(device), begun;

	(void)deadline;
	if (!state->devices[index].can_unplug || !state->devices[index].enabled || state->blocks[index][0].there)
		return 1;
	begun = model_begin(effects, "plug", device->name, true, err);
	if (begun < 0)
		return begun;
	model_add_memory(state, index);
	for (int i = 0; i < MODEL_BLOCKS; i++)
		online(&state->blocks[index][i], zone);
	return model_finish(begun, 0, err);
}

static int model_keep_offline(struct effects *effects, const struct system_ram *memory, struct err *err)
{
	int begun = model_begin(effects, "keep-offline", "", true, err);

	(void)memory;
	if (begun < 0)
		return begun;
	model_of(effects)->state->kept_offline = true;
	return model_finish(begun, 0, err);
}

static int model_let_online(struct effects *effects, struct err *err)
{
	bool *kept = &model_of(effects)->state->kept_offline;
	int begun;

	/* nothing is changed where there is nothing */
	if (!*kept)
		return 1;
	begun = model_begin(effects, "let-online", "", true, err);
	if (begun < 0)
		return begun;
	*kept = false;
	return model_finish(begun, 0, err);
}

void model_memory_effects_init(struct effects *effects)
{
	effects->offline_block = model_offline_block;
	effects->online_block = model_online_block;
	effects->unplug = model_unplug;
	effects->plug = model_plug;
	effects->keep_offline = model_keep_offline;
	effects->let_online = model_let_online;
}
