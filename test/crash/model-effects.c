// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel does with each effect, as effects-system.c asks for it. Each
 * is a point: the program can be cut before it, and it can be made to fail.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "test/crash/model-effects.h"
#include "test/crash/model-machine.h"
#include "test/crash/points.h"
#include "util/cleanup.h"

struct model *model_of(struct effects *effects)
{
	return (struct model *)((char *)effects - offsetof(struct model, effects));
}

int model_begin(struct effects *effects, const char *what, const char *about, bool in_child, struct err *err)
{
	int rc = point_pass(POINT_EFFECT, what, about);

	if (rc == 0)
		return 0;
	err_set(err, rc, "%s", strerror(-rc));
	if (points->dead)
		return rc;
	if (rc == -ETIMEDOUT && in_child) {
		if (effects->hanging.pid >= 0)
			effects->hanging_more = true;
		else
			effects->hanging = model_hang(model_of(effects));
	}
	return points->late ? 1 : rc;
}

int model_finish(int begun, int rc, struct err *err)
{
	if (begun == 1)
		return err_set(err, points->error, "%s", strerror(-points->error));
	return rc < 0 ? err_set(err, rc, "%s", strerror(-rc)) : rc;
}

static int filesystem_of_dev(const struct model *model, dev_t dev)
{
	for (int i = 0; i < MODEL_FILESYSTEMS; i++)
		if (model->state->filesystems[i].there && model->state->filesystems[i].dev == dev)
			return i;
	return -1;
}

static int mount_of_id(const struct model *model, uint64_t id)
{
	for (int i = 0; i < MODEL_MOUNTS; i++)
		if (model->state->mounts[i].there && model->state->mounts[i].id == id)
			return i;
	return -1;
}

/* A mount in a namespace that the program has, or else a process that has a file of it. */
static int way_to(struct model *model, const struct look *look, const struct holder *filesystem, int *mount)
{
	*mount = -1;
	array_each(by, &look->holders) {
		int fd = by->type == HOLDER_MOUNT ? look->namespaces.items[by->mount.ns].fd : -1;

		if (by->type == HOLDER_MOUNT && !by->mount.foreign && by->mount.dev == filesystem->dev &&
		    model_handed(model, fd, HANDED_NAMESPACE)) {
			*mount = mount_of_id(model, by->mount.id);
			if (*mount >= 0)
				return 0;
		}
	}
	array_each(by, &look->holders)
		if (by->type == HOLDER_PROCESS && look_rests_on(look, by, filesystem->id))
			for (size_t i = 0; i < MODEL_PROCESSES; i++)
				if (model->state->processes[i].alive &&
				    model->state->processes[i].pid == by->process.pid)
					return 0;
	return -ENOENT;
}

static int model_open(struct effects *effects, const struct look *look, const struct holder *filesystem, int *fd,
		      struct err *err)
{
	struct model *model = model_of(effects);
	int begun = model_begin(effects, "open", filesystem->name, true, err), mount, rc;

	*fd = -1;
	if (begun)
		return begun < 0 ? begun : model_finish(1, 0, err);
	rc = way_to(model, look, filesystem, &mount);
	if (rc == 0) {
		*fd = model_hand(model, HANDED_FILESYSTEM, filesystem_of_dev(model, filesystem->dev));
		model_handed(model, *fd, HANDED_FILESYSTEM)->mount = mount;
	}
	return model_finish(0, rc, err);
}

static int model_guard(struct effects *effects, struct err *err)
{
	int begun = model_begin(effects, "guard", "", false, err);

	return model_finish(begun > 0, begun < 0 ? begun : 0, err);
}

static int model_freeze(struct effects *effects, int fd, struct deadline deadline, struct err *err)
{
	struct model *model = model_of(effects);
	const struct handed *handed = model_handed(model, fd, HANDED_FILESYSTEM);
	struct model_filesystem *filesystem = handed ? &model->state->filesystems[handed->object] : NULL;
	int begun = model_begin(effects, "freeze", filesystem ? filesystem->fstype : "", false, err);

	(void)deadline;
	/* one that is given up is thawed by the guardian as soon as it completes: nothing to do late */
	if (begun)
		return begun < 0 ? begun : model_finish(1, 0, err);
	if (!filesystem)
		return model_finish(0, -EBADF, err);
	if (filesystem->freezer != NOT_FROZEN)
		return model_finish(0, -EBUSY, err);
	for (size_t i = 0; i < MODEL_STACKS; i++)
		if (model->state->stacks[i].there && model->state->stacks[i].filesystem == handed->object)
			strcpy(model->state->broken, "frozen below a loop device, which hangs");
	filesystem->freezer = FROZEN_BY_GUARDIAN;
	model->frozen = handed->object;
	return 0;
}

/* Those who were killed meanwhile end now. */
static void thaw(struct model *model, int filesystem)
{
	model->state->filesystems[filesystem].freezer = NOT_FROZEN;
	for (int i = 0; i < MODEL_PROCESSES; i++)
		if (model->state->processes[i].doomed)
			model_end_process(model, i);
}

static int model_thaw(struct effects *effects, struct deadline deadline, struct err *err)
{
	struct model *model = model_of(effects);
	int begun = model_begin(effects, "thaw", "", false, err);

	(void)deadline;
	if (begun < 0)
		return begun;
	if (model->frozen < 0)
		return model_finish(begun, -EINVAL, err);
	thaw(model, model->frozen);
	model->frozen = -1;
	return model_finish(begun, 0, err);
}

static int model_release(struct effects *effects, struct deadline deadline, struct err *err)
{
	int begun = model_begin(effects, "release", "", false, err);

	(void)deadline;
	return model_finish(begun > 0, begun < 0 ? begun : 0, err);
}

static int model_thaw_left(struct effects *effects, int fd, struct deadline deadline, struct err *err)
{
	struct model *model = model_of(effects);
	const struct handed *handed = model_handed(model, fd, HANDED_FILESYSTEM);
	int begun = model_begin(effects, "thaw-left", "", true, err);

	(void)deadline;
	if (begun < 0)
		return begun;
	if (!handed)
		return model_finish(begun, -EBADF, err);
	if (model->state->filesystems[handed->object].freezer == NOT_FROZEN)
		return model_finish(begun, 1, err);
	thaw(model, handed->object);
	return model_finish(begun, 0, err);
}

static int model_flush(struct effects *effects, int fd, struct deadline deadline, struct err *err)
{
	struct model *model = model_of(effects);
	int begun = model_begin(effects, "flush", "", true, err);

	(void)deadline;
	if (begun < 0)
		return begun;
	if (!model_handed(model, fd, HANDED_FILESYSTEM) && !model_handed(model, fd, HANDED_CLAIM))
		return model_finish(begun, -EBADF, err);
	return model_finish(begun, 0, err);
}

/* A process that waits for what is frozen dies after the thaw. */
static bool waits(const struct model *model, const struct model_process *process)
{
	int filesystem =
		process->mount < 0 ? process->filesystem : model->state->mounts[process->mount].filesystem;

	return filesystem >= 0 && model->state->filesystems[filesystem].freezer != NOT_FROZEN;
}

static int model_signal(struct effects *effects, const struct process *process, int number, struct err *err)
{
	struct model *model = model_of(effects);
	int begun = model_begin(effects, number == SIGKILL ? "kill" : "terminate", process->comm, false, err);

	if (begun < 0)
		return begun;
	for (int i = 0; i < MODEL_PROCESSES; i++) {
		struct model_process *one = &model->state->processes[i];

		if (one->pid != process->pid)
			continue;
		if (!one->alive)
			return model_finish(begun, 1, err);
		if (number == SIGTERM && one->ignores_term)
			return model_finish(begun, 0, err);
		if (waits(model, one))
			one->doomed = true;
		else
			model_end_process(model, i);
		return model_finish(begun, 0, err);
	}
	return model_finish(begun, -ESRCH, err);
}

static bool is_busy(struct model *model, int index)
{
	const struct model_state *state = model->state;

	for (size_t i = 0; i < MODEL_MOUNTS; i++)
		if (state->mounts[i].there && state->mounts[i].inside == index)
			return true;
	for (size_t i = 0; i < MODEL_PROCESSES; i++)
		if (state->processes[i].alive && state->processes[i].mount == index)
			return true;
	for (size_t i = 0; i < MODEL_SWAPS; i++)
		if (state->swaps[i].on && state->swaps[i].file && state->mounts[index].ns == MODEL_INITIAL &&
		    strncmp(state->swaps[i].path, state->mounts[index].point,
			    strlen(state->mounts[index].point)) == 0 &&
		    state->swaps[i].filesystem == state->mounts[index].filesystem)
			return true;
	for (size_t i = 0; i < MODEL_SERVED; i++)
		if (state->served[i].on && state->mounts[index].ns == MODEL_INITIAL &&
		    state->served[i].filesystem == state->mounts[index].filesystem &&
		    strncmp(state->served[i].path, state->mounts[index].point,
			    strlen(state->mounts[index].point)) == 0)
			return true;
	for (size_t i = 0; i < MODEL_STACKS; i++)
		if (state->stacks[i].there && state->stacks[i].filesystem == state->mounts[index].filesystem &&
		    state->mounts[index].ns == MODEL_INITIAL &&
		    strncmp(state->stacks[i].path, state->mounts[index].point,
			    strlen(state->mounts[index].point)) == 0)
			return true;
	for (size_t i = 0; i < MODEL_HANDED; i++)
		if (model->handed[i].kind == HANDED_FILESYSTEM && model->handed[i].mount == index)
			return true;
	return false;
}

static int hand_kept(struct model *model, int index)
{
	int fd = model_hand(model, HANDED_CLONE, index);

	model_handed(model, fd, HANDED_CLONE)->clone = &model->state->kept[index];
	return fd;
}

/* Looking is no point. */
static int model_find_kept(struct effects *effects, const struct mount *mount)
{
	struct model *model = model_of(effects);

	for (int i = 0; i < MODEL_MOUNTS; i++)
		if (model->state->kept[i].there && model->state->kept[i].id == mount->id)
			return hand_kept(model, i);
	return -ENOENT;
}

static int model_forget_kept(struct effects *effects, struct err *err)
{
	struct model *model = model_of(effects);
	int begun = model_begin(effects, "forget", "", true, err);

	if (begun < 0)
		return begun;
	memset(model->state->kept, 0, sizeof(model->state->kept));
	return model_finish(begun, 0, err);
}

static int unmount(struct model *model, const struct mount *mount, int ns, int *kept)
{
	const struct handed *namespace = model_handed(model, ns, HANDED_NAMESPACE);
	int index = mount_of_id(model, mount->id);
	struct model_mount *found = index < 0 ? NULL : &model->state->mounts[index];
	struct model_filesystem *filesystem = found ? &model->state->filesystems[found->filesystem] : NULL;

	if (!namespace)
		return -EBADF;
	if (!found || found->ns != namespace->object)
		return 1;
	if (model_mount_at(model->state, found->ns, found->point) != index)
		return -ESTALE;
	if (found->ns == MODEL_LOCKED)
		return -EINVAL;
	if (is_busy(model, index))
		return -EBUSY;
	if (filesystem->device < 0) {
		model->state->kept[index] = *found;
		if (kept)
			*kept = hand_kept(model, index);
	}
	found->there = false;
	if (filesystem->freezer != NOT_FROZEN && !model_is_alive(model->state, found->filesystem))
		strcpy(model->state->broken, "a frozen file system was unmounted for the last time");
	return 0;
}

static int model_unmount(struct effects *effects, const struct mount *mount, int ns, int *kept,
			 struct deadline deadline, struct err *err)
{
	int begun = model_begin(effects, "unmount", mount->point, true, err);

	(void)deadline;
	if (begun < 0)
		return begun;
	/* who was given up hands nothing over */
	return model_finish(begun, unmount(model_of(effects), mount, ns, begun ? NULL : kept), err);
}

/* Directories of a tree are there when what they are in is mounted. */
static bool has_point(const struct model *model, int ns, const char *point)
{
	const struct model_mount *needed = NULL;

	for (size_t i = 0; i < MODEL_MOUNTS; i++) {
		const struct model_mount *was = &model->before.mounts[i];
		size_t length = strlen(was->point);

		if (was->there && was->ns == ns && strncmp(was->point, point, length) == 0 &&
		    point[length] == '/' && (!needed || length > strlen(needed->point)))
			needed = was;
	}
	return !needed || model_mount_at(model->state, ns, needed->point) >= 0;
}

/* A new mount of the file system; an exclusive holder of its disk keeps it out. */
static int new_mount(struct model *model, const struct mount *mount, struct model_mount *new)
{
	const struct model_filesystem *filesystem;

	new->filesystem = filesystem_of_dev(model, mount->dev);
	filesystem = &model->state->filesystems[new->filesystem < 0 ? 0 : new->filesystem];
	if (mount->foreign || new->filesystem < 0 || filesystem->device < 0)
		return -ENODEV;
	if (!model->state->devices[filesystem->device].enabled)
		return -ENXIO;
	if (filesystem->shut_down)
		return -EIO;
	if (filesystem->stack && !model->state->stacks[filesystem->stack - 1].there)
		return -ENOENT;
	if (!filesystem->stack && model_holds(model, HANDED_CLAIM, filesystem->device))
		return -EBUSY;
	snprintf(new->root, sizeof(new->root), "%s", mount->root);
	snprintf(new->options, sizeof(new->options), "%s", mount->options);
	snprintf(new->super_options, sizeof(new->super_options), "%s", mount->super_options);
	snprintf(new->source, sizeof(new->source), "%s", mount->source);
	return 0;
}

static int mount_again(struct model *model, const struct mount *mount, int ns, int kept)
{
	const struct handed *namespace = model_handed(model, ns, HANDED_NAMESPACE);
	const struct handed *clone = model_handed(model, kept, HANDED_CLONE);
	struct model_mount new = { 0 };
	int rc = 0;

	if (clone)
		new = *clone->clone;
	else
		rc = kept >= 0 ? -EBADF : new_mount(model, mount, &new);
	if (rc < 0 || !namespace)
		return rc < 0 ? rc : -EBADF;
	new.ns = namespace->object;
	for (size_t i = 0; i < MODEL_MOUNTS; i++) {
		const struct model_mount *there = &model->state->mounts[i];

		if (there->there && there->ns == new.ns &&
		    there->filesystem == new.filesystem &&strcmp(there->point, mount->point) == 0 &&
		    strcmp(there->root, mount->root) == 0)
			return 1;
	}
	if (!has_point(model, new.ns, mount->point))
		return -ENOENT;
	snprintf(new.point, sizeof(new.point), "%s", mount->point);
	snprintf(new.propagation, sizeof(new.propagation), "%s",
		 strstr(mount->propagation, "shared:") ? "shared:99" : "");
	model_add_mount(model->state, &new);
	return 0;
}

static int model_mount(struct effects *effects, const struct mount *mount, int ns, int kept,
		       struct deadline deadline, struct err *err)
{
	int begun = model_begin(effects, "mount", mount->point, true, err);

	(void)deadline;
	if (begun < 0)
		return begun;
	return model_finish(begun, mount_again(model_of(effects), mount, ns, kept), err);
}

static struct model_swap *swap_of(const struct model *model, const char *path)
{
	for (size_t i = 0; i < MODEL_SWAPS; i++)
		if (strcmp(model->state->swaps[i].path, path) == 0)
			return &model->state->swaps[i];
	return NULL;
}

/* 1: it was off already, or is not there. */
static int turn_off(int begun, bool *on, struct err *err)
{
	if (begun < 0)
		return begun;
	if (!on || !*on)
		return model_finish(begun, 1, err);
	*on = false;
	return model_finish(begun, 0, err);
}

static int model_swap_off(struct effects *effects, const struct swap *swap, struct deadline deadline,
			  struct err *err)
{
	struct model_swap *found = swap_of(model_of(effects), swap->path);
	int begun = model_begin(effects, "swap-off", swap->path, true, err);

	(void)deadline;
	return turn_off(begun, found ? &found->on : NULL, err);
}

static int swap_on(struct model *model, const struct swap *swap, struct model_swap *found)
{
	char directory[32];

	if (!found || !model->state->devices[found->device].enabled)
		return -ENOENT;
	snprintf(directory, sizeof(directory), "%.*s", (int)(strrchr(found->path, '/') - found->path),
		 found->path);
	if (found->file && model_mount_at(model->state, MODEL_INITIAL, directory) < 0)
		return -ENOENT;
	if (found->on)
		return 1;
	if (model_holds(model, HANDED_CLAIM, found->device))
		return -EBUSY;
	found->on = true;
	found->priority = swap->priority < 0 ? -7 : swap->priority;
	return 0;
}

static int model_swap_on(struct effects *effects, const struct swap *swap, struct deadline deadline,
			 struct err *err)
{
	struct model *model = model_of(effects);
	int begun = model_begin(effects, "swap-on", swap->path, true, err);

	(void)deadline;
	if (begun < 0)
		return begun;
	return model_finish(begun, swap_on(model, swap, swap_of(model, swap->path)), err);
}

static struct model_served *served_of(const struct model *model, const struct holder *served)
{
	const char *path = served->type == HOLDER_EXPORT ? served->export.path : served->nvme.backing;

	for (size_t i = 0; i < MODEL_SERVED; i++)
		if (strcmp(model->state->served[i].path, path) == 0)
			return &model->state->served[i];
	return NULL;
}

static int model_withdraw(struct effects *effects, const struct holder *served, dev_t on, struct deadline deadline,
			  struct err *err)
{
	struct model_served *found = served_of(model_of(effects), served);
	int begun = model_begin(effects, "withdraw", found ? found->path : "", true, err);

	(void)on;
	(void)deadline;
	return turn_off(begun, found ? &found->on : NULL, err);
}

static int offer(const struct model *model, struct model_served *found)
{
	if (!found || !model->state->devices[found->device].enabled)
		return -ENOENT;
	if (found->filesystem >= 0 && !model_is_alive(model->state, found->filesystem))
		return -ENOENT;
	if (found->on)
		return 1;
	found->on = true;
	return 0;
}

static int model_offer(struct effects *effects, const struct holder *served, struct deadline deadline,
		       struct err *err)
{
	struct model_served *found = served_of(model_of(effects), served);
	int begun = model_begin(effects, "offer", found ? found->path : "", true, err);

	(void)deadline;
	return begun < 0 ? begun : model_finish(begun, offer(model_of(effects), found), err);
}

static int stack_named(const struct model *model, const char *name)
{
	for (int i = 0; i < MODEL_STACKS; i++)
		if (strcmp(model->state->stacks[i].name, name) == 0)
			return i;
	return -1;
}

static int take_down(struct model *model, int stack)
{
	model_sweep(model);
	if (stack < 0 || !model->state->stacks[stack].there)
		return 1;
	if (model_stack_is_used(model->state, stack))
		return -EBUSY;
	model->state->stacks[stack].there = false;
	return 0;
}

static int model_take_down(struct effects *effects, const struct holder *stack, struct deadline deadline,
			   struct err *err)
{
	struct model *model = model_of(effects);
	int begun = model_begin(effects, "take-down", stack->name, true, err);

	(void)deadline;
	return begun < 0 ? begun : model_finish(begun, take_down(model, stack_named(model, stack->name)), err);
}

static int put_up(struct model *model, int index, int *fd)
{
	struct model_stack *stack = index < 0 ? NULL : &model->state->stacks[index];
	char directory[32];

	if (!stack)
		return -EINVAL;
	snprintf(directory, sizeof(directory), "%.*s", (int)(strrchr(stack->path, '/') - stack->path),
		 stack->path);
	if (!model->state->devices[stack->device].enabled)
		return -ENXIO;
	if (stack->type != HOLDER_LOOP && model_holds(model, HANDED_CLAIM, stack->device))
		return -EBUSY;
	if (stack->filesystem >= 0 && model_mount_at(model->state, MODEL_INITIAL, directory) < 0)
		return -ENOENT;
	if (stack->autoclear && fd)
		*fd = model_hand(model, HANDED_STACK, index);
	if (stack->there)
		return 1;
	stack->there = true;
	return 0;
}

/* What stands below is named by its number. */
static bool names_lower(const struct model_stack *stack, const struct holder *holder)
{
	dev_t on = model_disk(stack->device, stack->partition);
	char params[32];

	if (stack->type == HOLDER_MD)
		return holder->md.lower.count == 1 && holder->md.lower.items[0].dev == on;
	snprintf(params, sizeof(params), "%u:%u 2048", major(on), minor(on));
	return stack->type == HOLDER_LOOP ||
	       (holder->dm.targets.count == 1 && strcmp(holder->dm.targets.items[0].params, params) == 0);
}

static int model_put_up(struct effects *effects, const struct holder *stack, int *fd, struct deadline deadline,
			struct err *err)
{
	struct model *model = model_of(effects);
	int begun = model_begin(effects, "put-up", stack->name, true, err), index;

	(void)deadline;
	*fd = -1;
	/* who was given up hands nothing over */
	if (begun < 0)
		return begun;
	index = stack_named(model, stack->name);
	if (index >= 0 && !names_lower(&model->state->stacks[index], stack))
		return model_finish(begun, -EINVAL, err);
	return model_finish(begun, put_up(model, index, begun ? NULL : fd), err);
}

static int model_claim(struct effects *effects, const struct device *device, int *fd, struct err *err)
{
	struct model *model = model_of(effects);
	int number = model_number(device), begun = model_begin(effects, "claim", device->name, false, err);

	*fd = -1;
	if (begun)
		return begun < 0 ? begun : model_finish(1, 0, err);
	model_sweep(model);
	if (!model->state->devices[number].enabled)
		return model_finish(0, -ENXIO, err);
	if (model_uses_device(model->state, number) || model_holds(model, HANDED_CLAIM, number))
		return model_finish(0, -EBUSY, err);
	*fd = model_hand(model, HANDED_CLAIM, number);
	return 0;
}

/* The kernel asks nobody. What it tells, where it may: the file system ends, and those who use it. */
static void unbind(struct model *model, int number)
{
	struct model_state *state = model->state;

	if (model_uses_device(state, number) && !state->may_unbind_mounted)
		strcpy(state->broken, "unbound while it was in use");
	for (int i = 0; i < MODEL_FILESYSTEMS; i++)
		if (state->filesystems[i].device == number)
			state->filesystems[i].shut_down = model_is_alive(state, i);
	for (int i = 0; i < MODEL_PROCESSES; i++) {
		struct model_process *process = &state->processes[i];
		int filesystem =
			process->mount < 0 ? process->filesystem : state->mounts[process->mount].filesystem;

		if (process->alive && filesystem >= 0 && state->filesystems[filesystem].device == number)
			model_end_process(model, i);
	}
	state->devices[number].enabled = false;
}

static int model_disable(struct effects *effects, const struct device *device, struct deadline deadline,
			 struct err *err)
{
	struct model *model = model_of(effects);
	int number = model_number(device), begun = model_begin(effects, "disable", device->name, true, err);

	(void)deadline;
	if (begun < 0)
		return begun;
	if (number < 0)
		return model_finish(begun, model_cxl_disable(model->state, device), err);
	if (!model->state->devices[number].enabled)
		return model_finish(begun, 1, err);
	/* as targets/ reads it once more */
	if (model_has_online_memory(model->state, number))
		return model_finish(begun, -EBUSY, err);
	unbind(model, number);
	model_remove_memory(model->state, number);
	return model_finish(begun, 0, err);
}

static int model_enable(struct effects *effects, const struct device *device, struct deadline deadline,
			struct err *err)
{
	struct model *model = model_of(effects);
	int number = model_number(device), begun = model_begin(effects, "enable", device->name, true, err);

	(void)deadline;
	if (begun < 0)
		return begun;
	if (number < 0)
		return model_finish(begun, model_cxl_enable(model->state, device), err);
	if (number == 0 && model->state->cxl.there && !model->state->cxl.bound)
		return model_finish(begun, -ENXIO, err);
	if (model->state->devices[number].enabled)
		return model_finish(begun, 1, err);
	model->state->devices[number].enabled = true;
	model_add_memory(model->state, number);
	for (int i = 0; i < MODEL_FILESYSTEMS; i++)
		if (model->state->filesystems[i].device == number && !model_is_alive(model->state, i))
			model->state->filesystems[i].shut_down = false;
	return model_finish(begun, 0, err);
}

void model_effects_init(struct model *model)
{
	model->effects = (struct effects){
		.open_filesystem = model_open,
		.guard = model_guard,
		.freeze = model_freeze,
		.thaw = model_thaw,
		.release = model_release,
		.thaw_left = model_thaw_left,
		.flush = model_flush,
		.signal = model_signal,
		.unmount = model_unmount,
		.mount = model_mount,
		.find_kept = model_find_kept,
		.forget_kept = model_forget_kept,
		.swap_off = model_swap_off,
		.swap_on = model_swap_on,
		.withdraw = model_withdraw,
		.offer = model_offer,
		.take_down = model_take_down,
		.put_up = model_put_up,
		.claim = model_claim,
		.disable = model_disable,
		.enable = model_enable,
		.interrupt = -1,
		.hanging = CHILD_NONE,
	};
	model_memory_effects_init(&model->effects);
	model_cxl_effects_init(&model->effects);
}
