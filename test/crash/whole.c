// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/crash/whole.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

static bool is_lost(const struct result *result, const char *kind, const char *name)
{
	for (size_t i = 0; result && i < result->losses.count; i++) {
		const struct loss *loss = &result->losses.items[i];

		if (strcmp(loss->kind, kind) == 0 && strcmp(loss->name, name) == 0)
			return true;
	}
	return false;
}

static const char *inside_of(const struct model_state *state, const struct model_mount *mount)
{
	return mount->inside < 0 ? "" : state->mounts[mount->inside].point;
}

/* A peer group of its own stands for the old one. */
static bool is_shared(const struct model_mount *mount)
{
	return strstr(mount->propagation, "shared:") != NULL;
}

static bool is_same_mount(const struct model_state *one, const struct model_mount *a,
			  const struct model_state *other, const struct model_mount *b)
{
	return a->there && b->there && a->filesystem == b->filesystem && a->ns == b->ns &&
	       strcmp(a->point, b->point) == 0 && strcmp(a->root, b->root) == 0 &&
	       strcmp(a->options, b->options) == 0 && is_shared(a) == is_shared(b) &&
	       strcmp(a->super_options, b->super_options) == 0 && strcmp(a->source, b->source) == 0 &&
	       strcmp(inside_of(one, a), inside_of(other, b)) == 0;
}

static bool has_mount(const struct model_state *state, const struct model_state *other,
		      const struct model_mount *mount)
{
	for (size_t i = 0; i < MODEL_MOUNTS; i++)
		if (is_same_mount(state, &state->mounts[i], other, mount))
			return true;
	return false;
}

static bool may_be_lost(const struct model *model, const struct model_mount *mount)
{
	bool foreign = model->before.filesystems[mount->filesystem].device < 0;

	return mount->ns == MODEL_LOCKED || (foreign && model->foreign_may_go);
}

static bool differs(char *why, size_t size, const char *what, const char *name)
{
	snprintf(why, size, "%s %s", what, name);
	return true;
}

static size_t count_mounts(const struct model_state *state)
{
	size_t count = 0;

	for (size_t i = 0; i < MODEL_MOUNTS; i++)
		count += state->mounts[i].there;
	return count;
}

static bool mounts_differ(const struct model *model, const struct result *result, char *why, size_t size)
{
	const struct model_state *before = &model->before, *now = model->state;
	size_t lost = 0;

	for (size_t i = 0; i < MODEL_MOUNTS; i++) {
		const struct model_mount *was = &before->mounts[i];

		if (was->there && !has_mount(now, before, was)) {
			if (!may_be_lost(model, was) || (result && !is_lost(result, "mount", was->point)))
				return differs(why, size, "is not mounted as it was and not lost:", was->point);
			lost++;
		} else if (was->there && is_lost(result, "mount", was->point)) {
			return differs(why, size, "is called lost and is there:", was->point);
		}
		if (now->mounts[i].there && !has_mount(before, now, &now->mounts[i]))
			return differs(why, size, "was not mounted so:", now->mounts[i].point);
	}
	if (count_mounts(now) + lost != count_mounts(before))
		return differs(why, size, "some are mounted", "twice");
	return false;
}

static bool swaps_differ(const struct model *model, char *why, size_t size)
{
	for (size_t i = 0; i < MODEL_SWAPS; i++) {
		const struct model_swap *was = &model->before.swaps[i], *is = &model->state->swaps[i];

		if (was->on != is->on)
			return differs(why, size, is->on ? "swap is on:" : "swap is off:", is->path);
		/* one below 0 is the kernel's own choice */
		if (was->on && was->priority != is->priority && (was->priority >= 0 || is->priority >= 0))
			return differs(why, size, "another priority:", is->path);
	}
	return false;
}

static bool served_differ(const struct model *model, char *why, size_t size)
{
	for (size_t i = 0; i < MODEL_SERVED; i++)
		if (model->before.served[i].on != model->state->served[i].on)
			return differs(why, size, "is served, or not:", model->state->served[i].path);
	return false;
}

static bool stacks_differ(const struct model *model, char *why, size_t size)
{
	for (size_t i = 0; i < MODEL_STACKS; i++)
		if (model->before.stacks[i].there != model->state->stacks[i].there)
			return differs(why, size, "is not as it was:", model->before.stacks[i].name);
	return false;
}

/* Each online in its zone, or offline, as it was. */
static bool memory_differs(const struct model *model, char *why, size_t size)
{
	for (int device = 0; device < MODEL_DEVICES; device++)
		for (int i = 0; i < MODEL_BLOCKS; i++) {
			const struct model_block *was = &model->before.blocks[device][i];
			const struct model_block *is = &model->state->blocks[device][i];
			char name[32];

			snprintf(name, sizeof(name), "block %d of dax%d.0", i, device);
			if (was->there != is->there || was->online != is->online)
				return differs(why, size, is->online ? "is online:" : "is offline:", name);
			if (was->online && was->zone != is->zone)
				return differs(why, size, "is in another zone:", name);
		}
	return false;
}

static bool devices_differ(const struct model *model, char *why, size_t size)
{
	for (size_t i = 0; i < MODEL_DEVICES; i++)
		if (model->before.devices[i].enabled != model->state->devices[i].enabled)
			return differs(why, size, "its driver:", i ? "namespace1.0" : "namespace0.0");
	if (memcmp(&model->before.cxl, &model->state->cxl, sizeof(struct model_cxl)) != 0)
		return differs(why, size, "what it stands on:", "region0 or mem0");
	return false;
}

static bool is_told_lost(const struct result *result, const struct model_process *process)
{
	char name[32];

	snprintf(name, sizeof(name), "%s[%d]", process->comm, process->pid);
	return is_lost(result, "process", name);
}

/* Whoever has ended is told of, and nobody else. */
static bool processes_differ(const struct model *model, const struct result *result, char *why, size_t size)
{
	for (size_t i = 0; i < MODEL_PROCESSES; i++) {
		const struct model_process *was = &model->before.processes[i], *is = &model->state->processes[i];
		bool told = is_told_lost(result, is);

		if (result && was->alive && !is->alive && !told)
			return differs(why, size, "has ended and nobody says so:", is->comm);
		if (is->alive && told)
			return differs(why, size, "is called lost and lives:", is->comm);
	}
	return false;
}

static bool is_hurt(const struct model_state *state, char *why, size_t size)
{
	if (state->broken[0])
		return differs(why, size, state->broken, "");
	if (state->kept_offline)
		return differs(why, size, "rules of udev are still", "kept off");
	for (size_t i = 0; i < MODEL_MOUNTS; i++)
		if (state->kept[i].there)
			return differs(why, size, "is still kept:", state->kept[i].point);
	for (size_t i = 0; i < MODEL_FILESYSTEMS; i++) {
		if (state->filesystems[i].there && state->filesystems[i].freezer != NOT_FROZEN)
			return differs(why, size, "is still frozen:", state->filesystems[i].fstype);
	}
	return false;
}

static bool is_retired(const struct model_state *state)
{
	for (int i = 0; i < MODEL_DEVICES; i++) {
		if (state->devices[i].enabled || model_uses_device(state, i) || state->blocks[i][0].there)
			return false;
		for (size_t j = 0; j < MODEL_PROCESSES; j++)
			if (state->processes[j].alive && state->processes[j].device == i)
				return false;
	}
	return model_cxl_is_retired(&state->cxl);
}

enum whole whole_of(struct model *model, const struct result *result, char *why, size_t size)
{
	*why = '\0';
	model_sweep(model);
	if (is_hurt(model->state, why, size))
		return BROKEN;
	/* whom the kernel ends when it tells a file system, it does not say */
	if (is_retired(model->state))
		return !model->state->may_unbind_mounted && processes_differ(model, result, why, size) ? BROKEN
												       : RETIRED;
	if (devices_differ(model, why, size) || mounts_differ(model, result, why, size) ||
	    swaps_differ(model, why, size) || served_differ(model, why, size) || stacks_differ(model, why, size) ||
	    memory_differs(model, why, size) || processes_differ(model, result, why, size))
		return BROKEN;
	return AS_BEFORE;
}
