// SPDX-License-Identifier: GPL-2.0-or-later
/* How the machine is looked at: struct look, as the probes of holders/ and targets/ would fill it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "retire/holders/holders.h"
#include "test/crash/model-machine.h"
#include "test/crash/points.h"

/* One look at the machine, and where things are in it. */
struct looking {
	struct model *model;
	struct look *look;
	int device[MODEL_DEVICES]; /* index in the look; -1 */
	int partition[MODEL_DEVICES][MODEL_MINORS], filesystem[MODEL_FILESYSTEMS], mount[MODEL_MOUNTS];
	int stack[MODEL_STACKS];
	int ns[MODEL_NAMESPACES];
};

static struct holder *add(struct looking *looking, enum holder_type type, int device, int on, const char *name)
{
	struct holder *holder = look_add_holder(looking->look, type, device, on, "%s", name);

	if (!holder)
		abort();
	holder->kind = holder_kinds[type];
	return holder;
}

static void look_at_partitions(struct looking *looking)
{
	for (int i = 0; i < MODEL_DEVICES; i++) {
		const struct model_device *device = &looking->model->state->devices[i];

		for (int part = 1; looking->device[i] >= 0 && device->partitioned && device->enabled && part <= 2;
		     part++) {
			struct holder *holder;
			char name[32];

			model_block_name(i, part, name);
			holder = add(looking, HOLDER_PARTITION, looking->device[i], 0, name);
			holder->dev = model_disk(i, part);
			looking->partition[i][part] = holder->id;
		}
	}
}

static const struct model_mount *first_mount(const struct model_state *state, int filesystem)
{
	for (size_t i = 0; i < MODEL_MOUNTS; i++)
		if (state->mounts[i].there && state->mounts[i].filesystem == filesystem)
			return &state->mounts[i];
	return NULL;
}

static void look_at_filesystem(struct looking *looking, int index)
{
	const struct model_state *state = looking->model->state;
	const struct model_filesystem *filesystem = &state->filesystems[index];
	const struct model_mount *mount = first_mount(state, index);
	struct holder *holder;
	char name[32];

	if (!filesystem->there || filesystem->device < 0 || looking->device[filesystem->device] < 0 ||
	    !model_is_alive(state, index) || (filesystem->stack && !looking->stack[filesystem->stack - 1]) ||
	    looking->filesystem[index])
		return;
	model_block_name(filesystem->device, filesystem->partition, name);
	holder = add(looking, HOLDER_FILESYSTEM, looking->device[filesystem->device],
		     filesystem->stack ? looking->stack[filesystem->stack - 1]
				       : looking->partition[filesystem->device][filesystem->partition],
		     mount ? mount->point : name);
	holder->dev = filesystem->dev;
	holder->filesystem = (struct filesystem){ .dev = filesystem->dev,
						  .features = FS_XFS_RMAPBT,
						  .detached = !mount,
						  .shut_down = filesystem->shut_down };
	holder->filesystem.fstype = strdup(filesystem->fstype);
	looking->filesystem[index] = holder->id;
}

static char *own(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		abort();
	return copy;
}

static void fill_array(struct holder *holder, dev_t on)
{
	struct lower *lower = array_add(&holder->md.lower);

	if (!lower)
		abort();
	holder->md.level = -1;
	holder->md.raid_disks = 1;
	holder->md.major = 1;
	lower->dev = on;
}

static void fill_table(struct holder *holder, dev_t on)
{
	struct dm_target *target = array_add(&holder->dm.targets);
	struct lower *lower = array_add(&holder->dm.lower);
	char params[32];

	if (!target || !lower)
		abort();
	snprintf(params, sizeof(params), "%u:%u 2048", major(on), minor(on));
	holder->dm.name = own(holder->name);
	holder->dm.uuid = own("LVM-x");
	*target = (struct dm_target){ .length = 2048, .type = own("linear"), .params = own(params) };
	lower->dev = on;
}

static void look_at_stack(struct looking *looking, int index)
{
	const struct model_stack *stack = &looking->model->state->stacks[index];
	int on = stack->filesystem >= 0 ? looking->filesystem[stack->filesystem] : 0;
	struct holder *holder;

	if (!stack->there || looking->device[stack->device] < 0 || looking->stack[index] ||
	    (stack->filesystem >= 0 && !on))
		return;
	if (stack->filesystem < 0)
		on = looking->partition[stack->device][stack->partition];
	holder = add(looking, stack->type, looking->device[stack->device], on, stack->name);
	holder->dev = model_stack_dev(looking->model->state, index);
	if (stack->type == HOLDER_DM)
		fill_table(holder, model_disk(stack->device, stack->partition));
	else if (stack->type == HOLDER_MD)
		fill_array(holder, model_disk(stack->device, stack->partition));
	else
		holder->loop = (struct loop){ .path = own(stack->path),
					      .file = stack->filesystem >= 0,
					      .autoclear = stack->autoclear };
	looking->stack[index] = holder->id;
}

/* A file system, what stands on it, a file system on that. */
static void look_at_stacks(struct looking *looking)
{
	for (int round = 0; round <= MODEL_STACKS; round++) {
		for (int i = 0; i < MODEL_FILESYSTEMS; i++)
			look_at_filesystem(looking, i);
		for (int i = 0; i < MODEL_STACKS; i++)
			look_at_stack(looking, i);
	}
}

static void fill_mount(struct looking *looking, struct holder *holder, const struct model_mount *mount)
{
	const struct model_filesystem *filesystem = &looking->model->state->filesystems[mount->filesystem];
	const struct model_mount *inside =
		mount->inside < 0 ? NULL : &looking->model->state->mounts[mount->inside];

	holder->mount = (struct mount){ .id = mount->id,
					.parent = inside ? inside->id : 1,
					.dev = filesystem->dev,
					.root = own(mount->root),
					.point = own(mount->point),
					.options = own(mount->options),
					.propagation = own(mount->propagation),
					.fstype = own(filesystem->fstype),
					.source = own(mount->source),
					.super_options = own(mount->super_options),
					.ns = looking->ns[mount->ns],
					.foreign = filesystem->device < 0 };
}

/* As holders/filesystem.c and mount.c: ours first; what else is mounted in them after. False: its turn is later.
 */
static bool look_at_mount(struct looking *looking, int index, bool foreign)
{
	const struct model_state *state = looking->model->state;
	const struct model_mount *mount = &state->mounts[index];
	bool is_foreign = state->filesystems[mount->filesystem].device < 0;
	int filesystem = looking->filesystem[mount->filesystem];
	int inside = mount->inside < 0 ? 0 : looking->mount[mount->inside];
	struct holder *holder, *parent = look_holder(looking->look, inside);
	const struct model_mount *around = mount->inside < 0 ? NULL : &state->mounts[mount->inside];

	if (!mount->there || looking->mount[index] || is_foreign != foreign)
		return false;
	if (foreign ? !parent : !filesystem)
		return false;
	/* one of ours comes after the one of ours that it is in */
	if (!foreign && around && !parent && state->filesystems[around->filesystem].device >= 0 &&
	    looking->filesystem[around->filesystem])
		return false;
	holder = add(looking, HOLDER_MOUNT,
		     foreign ? parent->device : look_holder(looking->look, filesystem)->device, 0, mount->point);
	parent = look_holder(looking->look, inside);
	holder->inside = inside;
	holder->on = foreign									? inside
		     : parent && parent->mount.dev == state->filesystems[mount->filesystem].dev ? inside
												: filesystem;
	fill_mount(looking, holder, mount);
	looking->mount[index] = holder->id;
	return true;
}

static void look_at_mounts(struct looking *looking)
{
	for (int foreign = 0; foreign < 2; foreign++)
		for (bool any = true; any;) {
			any = false;
			for (int i = 0; i < MODEL_MOUNTS; i++)
				any |= look_at_mount(looking, i, foreign);
		}
	/* one of ours in a foreign one that was not known yet */
	for (int i = 0; i < MODEL_MOUNTS; i++) {
		struct holder *holder = look_holder(looking->look, looking->mount[i]);
		int inside = looking->model->state->mounts[i].inside;

		if (holder && !holder->inside && inside >= 0)
			holder->inside = looking->mount[inside];
	}
}

static void look_at_swaps(struct looking *looking)
{
	const struct model_state *state = looking->model->state;

	for (size_t i = 0; i < MODEL_SWAPS; i++) {
		const struct model_swap *swap = &state->swaps[i];
		char directory[32];
		struct holder *holder;
		int on = 0, mount;

		if (!swap->on || looking->device[swap->device] < 0)
			continue;
		snprintf(directory, sizeof(directory), "%.*s", (int)(strrchr(swap->path, '/') - swap->path),
			 swap->path);
		mount = swap->file ? model_mount_at(state, MODEL_INITIAL, directory) : -1;
		if (!swap->file)
			on = looking->partition[swap->device][swap->partition];
		else if (mount >= 0)
			on = looking->mount[mount];
		holder = add(looking, HOLDER_SWAP, looking->device[swap->device], on, swap->path);
		holder->swap =
			(struct swap){ .path = own(swap->path), .priority = swap->priority, .file = swap->file };
	}
}

static void look_at_served(struct looking *looking)
{
	for (size_t i = 0; i < MODEL_SERVED; i++) {
		const struct model_served *served = &looking->model->state->served[i];
		struct holder *holder;
		int on;

		if (!served->on || looking->device[served->device] < 0)
			continue;
		on = served->filesystem >= 0 ? looking->filesystem[served->filesystem]
					     : looking->partition[served->device][served->partition];
		holder = add(looking, served->nvme ? HOLDER_NVME_TARGET : HOLDER_EXPORT,
			     looking->device[served->device], on, served->path);
		if (served->nvme)
			holder->nvme = (struct nvme_target){
				.directory = own("/sys/kernel/config/nvmet/subsystems/s/namespaces/1"),
				.backing = own(served->path),
			};
		else
			holder->export = (struct export){ .path = own(served->path),
							  .client = own("10.0.0.0/24"),
							  .options = own("rw,sync") };
	}
}

static void look_at_memory(struct looking *looking)
{
	for (int i = 0; i < MODEL_DEVICES; i++) {
		struct holder *holder;
		const struct model_state *state = looking->model->state;
		bool bound = state->devices[i].system_ram && state->devices[i].enabled;
		char name[32];

		/* its driver has it, also when its blocks are out of the system */
		if (looking->device[i] < 0 || (!bound && !state->blocks[i][0].there))
			continue;
		snprintf(name, sizeof(name), "system RAM of dax%d.0", i);
		holder = add(looking, HOLDER_MEMORY, looking->device[i], 0, name);
		model_read_memory(looking->model->state, i, &holder->memory);
	}
}

/* The place of a process: id of the holder, and the device; false: of no concern. */
static bool place_of(const struct looking *looking, const struct model_process *process, int *device, int *on)
{
	const struct look *look = looking->look;

	*on = 0;
	if (process->mount >= 0)
		*on = looking->mount[process->mount];
	else if (process->filesystem >= 0)
		*on = looking->filesystem[process->filesystem];
	else if (process->stack)
		*on = looking->stack[process->stack - 1];
	else if (process->device >= 0 && looking->model->state->devices[process->device].enabled)
		*on = looking->partition[process->device][process->partition];
	else
		return false;
	*device = *on			? look_holder(look, *on)->device
		  : process->device < 0 ? -1
					: looking->device[process->device];
	return *device >= 0;
}

static void add_process(struct looking *looking, int number, int device, int on, unsigned uses)
{
	const struct model_process *process = &looking->model->state->processes[number];
	struct holder *holder;
	char name[32];

	snprintf(name, sizeof(name), "%s[%d]", process->comm, process->pid);
	holder = add(looking, HOLDER_PROCESS, device, on, name);
	holder->process = (struct process){ .pid = process->pid,
					    .starttime = 5000 + (unsigned)process->pid,
					    .uses = uses,
					    .pidfd = dup(looking->model->ends[number]) };
	snprintf(holder->process.comm, sizeof(holder->process.comm), "%s", process->comm);
}

static void look_at_processes(struct looking *looking)
{
	for (int i = 0; i < MODEL_PROCESSES; i++) {
		const struct model_process *process = &looking->model->state->processes[i];
		int device, on;

		if (process->alive && place_of(looking, process, &device, &on))
			add_process(looking, i, device, on, process->keeps ? USE_NAMESPACE : USE_OPEN);
	}
}

int model_find_memory_keepers(const struct root *root, struct look *look)
{
	struct looking looking = { .model = model_of_root(root), .look = look };

	for (size_t i = 0; i < look->devices.count; i++)
		for (int block = 0; look->devices.items[i].system_ram && block < MODEL_BLOCKS; block++) {
			int keeper = model_block_keeper(looking.model->state,
							model_number(&look->devices.items[i]), block);

			if (keeper >= 0)
				add_process(&looking, keeper, (int)i, 0, USE_PAGES);
		}
	return 0;
}

static void look_at_namespaces(struct looking *looking)
{
	for (int i = 0; i < MODEL_NAMESPACES; i++) {
		struct mount_namespace *namespace;

		looking->ns[i] = (int)looking->look->namespaces.count;
		if (!looking->model->state->namespaces[i])
			continue;
		namespace = array_add(&looking->look->namespaces);
		if (!namespace)
			abort();
		*namespace = (struct mount_namespace){ .ino = 4026531841U + (unsigned)i,
						       .fd = model_hand(looking->model, HANDED_NAMESPACE, i),
						       .initial = i == MODEL_INITIAL,
						       .less_privileged = i == MODEL_LOCKED,
						       .unique = 1 + (unsigned)i };
	}
}

int model_find_holders(const struct root *root, struct look *look, struct err *err)
{
	struct looking looking = { .model = model_of_root(root), .look = look };

	(void)err;
	model_sweep(looking.model);
	for (int i = 0; i < MODEL_DEVICES; i++)
		looking.device[i] = -1;
	for (size_t i = 0; i < look->devices.count; i++)
		if (model_number(&look->devices.items[i]) >= 0)
			looking.device[model_number(&look->devices.items[i])] = (int)i;
	look->initial_namespaces = true;
	look_at_namespaces(&looking);
	look_at_partitions(&looking);
	look_at_stacks(&looking);
	look_at_mounts(&looking);
	look_at_swaps(&looking);
	look_at_served(&looking);
	look_at_memory(&looking);
	look_at_processes(&looking);
	return 0;
}

static char *numbered(const char *before, int number, const char *after)
{
	char *name;

	if (asprintf(&name, "%s%d%s", before, number, after) < 0)
		abort();
	return name;
}

static void add_device(struct look *look, int number, const struct model_device *from)
{
	struct device *device = array_add(&look->devices);
	bool devdax = from->mode == MODE_DEVDAX;

	if (!device)
		abort();
	*device = (struct device){ .mode = from->mode, .enabled = from->enabled, .size = 1UL << 30 };
	device->name = numbered("namespace", number, ".0");
	device->path = numbered("/sys/devices/ndbus0/region0/namespace", number, ".0");
	if (!from->enabled)
		return;
	device->driver = own(from->system_ram ? "kmem" : devdax ? "device_dax" : "nd_pmem");
	device->driver_device = numbered(devdax ? "dax" : "pfn", number, ".0");
	device->blockdev = devdax ? numbered("dax", number, ".0") : numbered("pmem", number, "");
	/* memory has no node */
	device->system_ram = from->system_ram;
	device->dev = from->system_ram ? 0 : model_disk(number, 0);
}

int model_find(const struct root *root, const struct request *request, struct look *look, struct err *err)
{
	const struct model *model = model_of_root(root);

	/* a card brings the first device along */
	for (size_t i = 0; i < request->name_count; i++) {
		int number = model->state->cxl.there ? 0 : request->names[i][9] - '0';

		if (!model->state->devices[number].there)
			return err_set(err, -ENODEV, "%s: no such device", request->names[i]);
		add_device(look, number, &model->state->devices[number]);
	}
	if (model->state->cxl.there)
		model_cxl_find(model->state, look);
	return 0;
}

int model_find_again(const struct root *root, const struct look *was, struct look *look, struct err *err)
{
	const struct model *model = model_of_root(root);

	array_each(device, &was->devices) {
		int number = model_number(device);

		if (number < 0)
			continue;
		if (!model->state->devices[number].there)
			return err_set(err, -ENODEV, "%s is gone", device->name);
		add_device(look, number, &model->state->devices[number]);
	}
	if (model->state->cxl.there)
		model_cxl_find(model->state, look);
	return 0;
}

/* A point of its own: one that is made to fail has found a page referenced. */
int model_count_references(const struct root *root, struct look *look, int interrupt, struct deadline patience)
{
	(void)root;
	(void)interrupt;
	(void)patience;
	for (size_t i = 0; i < look->devices.count; i++) {
		struct references *references;

		if (!device_has_pages(&look->devices.items[i]))
			continue;
		references = array_add(&look->references);
		if (!references)
			abort();
		*references = (struct references){ .device = (int)i, .known = true, .counted = 1 << 18 };
		references->referenced = point_pass(POINT_EFFECT, "count", look->devices.items[i].name) < 0;
	}
	return 0;
}

void model_probe(const struct root *root, struct kernel *kernel)
{
	(void)root;
	*kernel =
		(struct kernel){ "6.12",
				 { [KERNEL_PRE_REMOVE] = ANSWER_YES, [KERNEL_XFS_RANGED_FAILURE] = ANSWER_YES } };
}

int model_is_enabled(const struct root *root, const struct device *device)
{
	const struct model_state *state = model_of_root(root)->state;
	int number = model_number(device);

	return number < 0 ? model_cxl_is_enabled(state, device) : state->devices[number].enabled;
}

int model_check_identity(const struct root *root, const struct device *device, struct err *err)
{
	(void)root;
	(void)device;
	(void)err;
	return 0;
}
