// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/crash/shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "retire/plan.h"
#include "util/cleanup.h"

/* How the file system of a device is mounted. */
enum layout {
	NO_FILESYSTEM,
	ONE_MOUNT,
	AND_BIND,
	AND_BIND_INSIDE,
	AND_SECOND_NAMESPACE,
	AND_LOCKED,
	AND_TMPFS_INSIDE,
	AND_EXT4_INSIDE,
	AND_OURS_IN_FOREIGN,
	AND_ALL_THREE,
	AND_OVER_ITSELF,
	DETACHED,
	LAYOUTS
};

static const char *const layout_names[] = {
	"bare",	       "mount",	     "mount+bind",	   "mount+inside",	   "mount+ns",	 "mount+locked",
	"mount+tmpfs", "mount+ext4", "mount+foreign+ours", "mount+bind+inside+ns", "mount+over", "detached",
};

enum swaps { NO_SWAP, SWAP_AREA, SWAP_AREA_BY_KERNEL, SWAP_FILE, SWAPS };
static const char *const swap_names[] = { "", " area", " area(-2)", " file" };

/* Who uses it: on the first mount (or of a detached one), on the bare device, or on what is mounted last. */
enum users { NOBODY, ON_FIRST, ON_FIRST_STUBBORN, ON_BARE, ON_BARE_STUBBORN, ON_LAST_STUBBORN, ON_ALL, USERS };
static const char *const user_names[] = { "", " proc", " proc!", " raw", " raw!", " inner!", " proc+raw!" };

/* What the kernel serves to others: the mount point by NFS, a file or the disk as an NVMe target. */
enum served { NOT_SERVED, EXPORTED, FILE_SERVED, DISK_SERVED };
static const char *const served_names[] = { "", " exported", " file served", " disk served" };

/* What stands on the file system (or, without one, on the bare device): a file system on that, or who has it open.
 */
enum stacks {
	NO_STACK,
	LOOP_FS,
	LOOP_FS_INSIDE,
	LOOP_AUTOCLEAR,
	LOOP_OPEN,
	LOOP_ON_LOOP,
	DM_FS,
	DM_OPEN,
	LOOP_ON_DM,
	MD_FS,
	MD_OPEN,
};
static const char *const stack_names[] = {
	"",	    " loop+ext4", " loop+ext4-inside", " loop~+ext4", " loop+open!", " loop+loop+ext4",
	" dm+ext4", " dm+open!",  " dm+loop+ext4",     " md+ext4",    " md+open!",
};

/* Memory of the system: all in zone Movable; one block not; some offline before; one that stays. */
enum memory {
	NO_MEMORY,
	ALL_MOVABLE,
	ONE_NORMAL,
	SOME_OFFLINE,
	LOWEST_STAYS,
	HIGHEST_STAYS,
	UNPLUGGED,
	KEPT,
	KEPT_STUBBORN
};
static const char *const memory_names[] = {
	"",
	" memory",
	" memory+normal",
	" memory+offline",
	" memory/lowest!",
	" memory/highest!",
	" memory/unplug",
	" memory/kept",
	" memory/kept!",
};

/* What one device is made of. */
struct content {
	enum device_mode mode;
	bool partitioned;
	enum layout layout;
	enum swaps swaps;
	enum users users;
	enum served served;
	enum stacks stacks;
	enum memory memory;
};

struct building {
	struct model_state *state;
	int device, filesystem;
	int first, last; /* mounts; -1 */
	char letter;
};

static int add_filesystem(struct model_state *state, int device, int partition, const char *fstype)
{
	for (int i = 0; i < MODEL_FILESYSTEMS; i++) {
		struct model_filesystem *filesystem = &state->filesystems[i];

		if (filesystem->there)
			continue;
		*filesystem = (struct model_filesystem){ .there = true, .device = device, .partition = partition };
		filesystem->dev = device < 0 ? makedev(0, 40000U + (unsigned)i) : model_disk(device, partition);
		snprintf(filesystem->fstype, sizeof(filesystem->fstype), "%s", fstype);
		return i;
	}
	abort();
}

/* An @ in the pattern of its point is the device's letter. */
static void add_mount(struct building *building, int filesystem, int ns, const char *root, const char *pattern,
		      const char *propagation)
{
	const struct model_filesystem *on = &building->state->filesystems[filesystem];
	struct model_mount mount = { .filesystem = filesystem, .ns = ns };
	char name[32];

	for (size_t i = 0; pattern[i] && i + 1 < sizeof(mount.point); i++)
		mount.point[i] = pattern[i] == '@' ? building->letter : pattern[i];
	snprintf(mount.root, sizeof(mount.root), "%s", root);
	snprintf(mount.options, sizeof(mount.options), "%s", strcmp(root, "/") ? "ro,nosuid" : "rw,relatime");
	snprintf(mount.propagation, sizeof(mount.propagation), "%s", propagation);
	snprintf(mount.super_options, sizeof(mount.super_options), "rw,dax=always");
	model_block_name(on->device < 0 ? 0 : on->device, on->partition, name);
	if (on->stack)
		snprintf(name, sizeof(name), "%s", building->state->stacks[on->stack - 1].name);
	snprintf(mount.source, sizeof(mount.source), "%s%s", on->device < 0 ? "" : "/dev/",
		 on->device < 0 ? on->fstype : name);
	building->last = model_add_mount(building->state, &mount);
	if (building->first < 0)
		building->first = building->last;
}

static int add_stack(struct building *building, int filesystem, int partition, bool autoclear)
{
	int index = building->state->stacks[0].there;
	struct model_stack *stack = &building->state->stacks[index];
	char name[32];

	*stack = (struct model_stack){ .there = true,
				       .type = HOLDER_LOOP,
				       .autoclear = autoclear,
				       .device = building->device,
				       .partition = partition,
				       .filesystem = filesystem };
	snprintf(stack->name, sizeof(stack->name), "loop%d", index);
	model_block_name(building->device, partition, name);
	if (filesystem < 0)
		snprintf(stack->path, sizeof(stack->path), "/dev/%.20s", name);
	else
		snprintf(stack->path, sizeof(stack->path), "%.20s/image",
			 building->state->mounts[building->last].point);
	return index;
}

/* An ext4 on it, mounted beside or inside the one below. */
static int add_upper(struct building *building, int stack, const char *point)
{
	int filesystem = add_filesystem(building->state, building->device, 0, "ext4");
	struct model_filesystem *upper = &building->state->filesystems[filesystem];

	upper->stack = stack + 1;
	upper->dev = model_stack_dev(building->state, stack);
	add_mount(building, filesystem, MODEL_INITIAL, "/", point, "");
	return filesystem;
}

static int free_process(const struct model_state *state)
{
	for (int i = 0; i < MODEL_PROCESSES; i++)
		if (!state->processes[i].pid)
			return i;
	abort();
}

static struct model_process *add_process(struct building *building, const char *comm, bool stubborn)
{
	int index = free_process(building->state);
	struct model_process *process = &building->state->processes[index];

	*process = (struct model_process){ .alive = true,
					   .ignores_term = stubborn,
					   .pid = 800 + index,
					   .mount = -1,
					   .filesystem = -1,
					   .device = -1 };
	snprintf(process->comm, sizeof(process->comm), "%s", comm);
	return process;
}

/* A container of a less privileged user, whose copy of the mount ends with it. */
static void add_locked(struct building *building)
{
	struct model_process *keeper;

	building->state->namespaces[MODEL_LOCKED] = true;
	add_mount(building, building->filesystem, MODEL_LOCKED, "/", "/locked-@", "");
	keeper = add_process(building, "keeper", false);
	keeper->mount = building->last;
	keeper->keeps = MODEL_LOCKED;
}

static void add_foreign(struct building *building, const char *fstype, const char *pattern)
{
	add_mount(building, add_filesystem(building->state, -1, 0, fstype), MODEL_INITIAL, "/", pattern,
		  "shared:21");
}

static void add_second(struct building *building, enum layout layout)
{
	int ours = building->filesystem;

	if (layout == AND_BIND || layout == AND_ALL_THREE)
		add_mount(building, ours, MODEL_INITIAL, "/part", "/bind-@", "");
	if (layout == AND_BIND_INSIDE || layout == AND_ALL_THREE)
		add_mount(building, ours, MODEL_INITIAL, "/part", "/@/in", "shared:14");
	if (layout == AND_SECOND_NAMESPACE || layout == AND_ALL_THREE) {
		building->state->namespaces[MODEL_SECOND] = true;
		add_mount(building, ours, MODEL_SECOND, "/", "/@", "");
	}
	if (layout == AND_LOCKED)
		add_locked(building);
	if (layout == AND_TMPFS_INSIDE)
		add_foreign(building, "tmpfs", "/@/tmp");
	if (layout == AND_EXT4_INSIDE || layout == AND_OURS_IN_FOREIGN)
		add_foreign(building, "ext4", "/@/other");
	if (layout == AND_OURS_IN_FOREIGN)
		add_mount(building, ours, MODEL_INITIAL, "/part", "/@/other/ours", "");
	if (layout == AND_OVER_ITSELF)
		add_mount(building, ours, MODEL_INITIAL, "/part", "/@", "");
}

static void add_layout(struct building *building, const struct content *content)
{
	if (content->layout == NO_FILESYSTEM)
		return;
	building->filesystem = add_filesystem(building->state, building->device, content->partitioned, "xfs");
	if (content->layout == DETACHED)
		return;
	add_mount(building, building->filesystem, MODEL_INITIAL, "/", "/@", "shared:13");
	add_second(building, content->layout);
}

static void add_stacks(struct building *building, const struct content *content)
{
	int stack, upper;

	if (content->stacks == NO_STACK)
		return;
	stack = add_stack(building, building->filesystem, content->partitioned, content->stacks == LOOP_AUTOCLEAR);
	if (content->stacks >= DM_FS) {
		bool md = content->stacks >= MD_FS;

		building->state->stacks[stack].type = md ? HOLDER_MD : HOLDER_DM;
		strcpy(building->state->stacks[stack].name, md ? "md0" : "dm-0");
	}
	if (content->stacks == LOOP_OPEN || content->stacks == DM_OPEN || content->stacks == MD_OPEN) {
		add_process(building, "losetup", true)->stack = stack + 1;
		return;
	}
	upper = add_upper(building, stack, content->stacks == LOOP_FS_INSIDE ? "/@/up" : "/@-up");
	if (content->stacks == LOOP_ON_LOOP || content->stacks == LOOP_ON_DM)
		add_upper(building, add_stack(building, upper, 0, false), "/@-top");
}

static void add_swap(struct building *building, enum swaps swaps)
{
	struct model_swap *swap = &building->state->swaps[building->device];
	char name[32];

	if (swaps == NO_SWAP)
		return;
	*swap = (struct model_swap){ .on = true,
				     .file = swaps == SWAP_FILE,
				     .priority = swaps == SWAP_AREA_BY_KERNEL ? -2 : 5,
				     .device = building->device,
				     .filesystem = -1 };
	if (swaps == SWAP_FILE) {
		swap->filesystem = building->filesystem;
		snprintf(swap->path, sizeof(swap->path), "/%c/swapfile", building->letter);
		return;
	}
	swap->partition = building->state->devices[building->device].partitioned ? 2 : 0;
	model_block_name(building->device, swap->partition, name);
	snprintf(swap->path, sizeof(swap->path), "/dev/%.20s", name);
}

static void add_served(struct building *building, enum served how)
{
	struct model_served *served = &building->state->served[building->device];
	char name[32];

	if (how == NOT_SERVED)
		return;
	*served = (struct model_served){ .on = true,
					 .nvme = how != EXPORTED,
					 .device = building->device,
					 .filesystem = how == DISK_SERVED ? -1 : building->filesystem };
	served->partition = building->state->devices[building->device].partitioned ? 2 : 0;
	model_block_name(building->device, served->partition, name);
	if (how == DISK_SERVED)
		snprintf(served->path, sizeof(served->path), "/dev/%.20s", name);
	else
		snprintf(served->path, sizeof(served->path), "/%c%s", building->letter,
			 served->nvme ? "/image" : "");
}

static void add_memory(struct building *building, enum memory memory)
{
	struct model_block *blocks = building->state->blocks[building->device];

	if (memory == NO_MEMORY)
		return;
	building->state->devices[building->device].system_ram = true;
	for (int i = 0; i < MODEL_BLOCKS; i++)
		blocks[i] = (struct model_block){ .there = true, .online = true, .zone = ZONE_MOVABLE };
	building->state->devices[building->device].can_unplug = memory == UNPLUGGED;
	if (memory == ONE_NORMAL || memory == UNPLUGGED)
		blocks[0].zone = ZONE_NORMAL;
	if (memory == SOME_OFFLINE)
		blocks[1].online = false;
	blocks[0].stays = memory == LOWEST_STAYS;
	blocks[MODEL_BLOCKS - 1].stays = memory == HIGHEST_STAYS;
	if (memory == KEPT || memory == KEPT_STUBBORN)
		blocks[0].keeper = add_process(building, "late", memory == KEPT_STUBBORN)->pid;
}

static void add_users(struct building *building, const struct content *content)
{
	enum users users = content->users;
	struct model_process *process;

	if (users == ON_FIRST || users == ON_FIRST_STUBBORN || users == ON_ALL) {
		process = add_process(building, "fio", users == ON_FIRST_STUBBORN);
		process->mount = building->first;
		if (building->first < 0)
			process->filesystem = building->filesystem;
	}
	if (users == ON_BARE || users == ON_BARE_STUBBORN || users == ON_ALL) {
		process = add_process(building, "dd", users != ON_BARE);
		process->device = building->device;
		process->partition = content->partitioned;
	}
	if (users == ON_LAST_STUBBORN) {
		process = add_process(building, "tail", true);
		process->mount = building->last;
		process->keeps = building->state->mounts[building->last].ns == MODEL_LOCKED ? MODEL_LOCKED : 0;
	}
}

static bool is_possible(const struct content *content)
{
	bool bare = content->layout == NO_FILESYSTEM, detached = content->layout == DETACHED;
	bool area = content->swaps == SWAP_AREA || content->swaps == SWAP_AREA_BY_KERNEL;

	if (content->mode == MODE_DEVDAX && (!bare || content->swaps || content->partitioned))
		return false;
	if (content->swaps == SWAP_FILE && (bare || detached || content->layout == AND_OVER_ITSELF))
		return false;
	if (area && !bare && !content->partitioned)
		return false;
	if (bare &&
	    (content->users == ON_FIRST || content->users == ON_FIRST_STUBBORN || content->users == ON_ALL))
		return false;
	if (content->users == ON_LAST_STUBBORN && (bare || detached || content->layout == ONE_MOUNT))
		return false;
	return !detached || content->users == ON_FIRST || content->users == ON_FIRST_STUBBORN;
}

static void build(struct model_state *state, int device, const struct content *content)
{
	struct building building = { state, device, -1, -1, -1, (char)('a' + device) };

	state->namespaces[MODEL_INITIAL] = true;
	state->devices[device] = (struct model_device){
		.there = true, .enabled = true, .partitioned = content->partitioned, .mode = content->mode
	};
	add_layout(&building, content);
	add_stacks(&building, content);
	add_swap(&building, content->swaps);
	add_served(&building, content->served);
	add_memory(&building, content->memory);
	add_users(&building, content);
}

struct request shape_request(const struct shape *shape)
{
	static const char *const names[] = { "namespace0.0", "namespace1.0" };
	static const char *const card[] = { "mem0" };
	const struct model_cxl *cxl = &shape->state.cxl;

	return (struct request){ .command = "retire-namespace",
				 .names = cxl->there ? card : names,
				 .delete_region = cxl->delete_region,
				 .power_off = cxl->power_off,
				 .name_count = (size_t)shape->devices,
				 .evict = shape->evict,
				 .allow = shape->allow,
				 .allow_count = shape->allow_count,
				 .grace_ms = 1000,
				 .timeout_ms = 60000 };
}

static void tell_holder(FILE *stream, const struct look *look, const struct step *step)
{
	const struct holder *holder = look_holder(look, step->holder);

	fprintf(stream, "%s %d %s%s%s, ", step_name(step->type), step->device, holder ? holder->name : "",
		holder && holder->type == HOLDER_MOUNT && look->namespaces.items[holder->mount.ns].initial ? ""
													   : "'",
		step->while_mounted ? " while mounted" : "");
}

/* The plan, and who of those that it asks does not go. */
static char *tell_plan(const struct shape *shape, const struct look *look, const struct plan *plan)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		abort();
	array_each(step, &plan->steps)
		tell_holder(stream, look, step);
	fputs("| ", stream);
	for (size_t i = 0; i < MODEL_PROCESSES; i++)
		if (shape->state.processes[i].ignores_term)
			fprintf(stream, "%s stays, ", shape->state.processes[i].comm);
	for (size_t i = 0; i < MODEL_SWAPS; i++)
		if (shape->state.swaps[i].on)
			fprintf(stream, "%d ", shape->state.swaps[i].priority);
	for (size_t i = 0; i < MODEL_FILESYSTEMS; i++)
		if (shape->state.filesystems[i].there && shape->state.filesystems[i].device < 0)
			fprintf(stream, "%s ", shape->state.filesystems[i].fstype);
	for (size_t i = 0; i < MODEL_DEVICES; i++)
		if (shape->state.devices[i].mode == MODE_DEVDAX)
			fprintf(stream, "%zu is a device-dax ", i);
	for (size_t i = 0; i < MODEL_STACKS; i++)
		if (shape->state.stacks[i].autoclear)
			fprintf(stream, "%s goes by itself ", shape->state.stacks[i].name);
	for (int i = 0; i < MODEL_DEVICES * MODEL_BLOCKS; i++) {
		const struct model_block *block = &shape->state.blocks[i / MODEL_BLOCKS][i % MODEL_BLOCKS];

		if (block->there)
			fprintf(stream, "%s%s ", block->online ? memory_zone_name(block->zone) : "offline",
				block->stays ? " stays" : "");
		/* the plan does not know of one that comes later */
		if (block->keeper)
			fprintf(stream, "is kept, evicts %s ", evict_level_name(shape->evict));
	}
	fclose(stream);
	return text;
}

/* What it takes to be retired, NULL when it is refused. */
static char *plan_of(struct model *model, const struct shape *shape)
{
	_cleanup_(look_free) struct look look = { 0 };
	struct request request = shape_request(shape);
	struct kernel kernel;
	struct plan plan;
	char *steps = NULL;

	model_reset(model, &shape->state);
	if (model_find(&model->root, &request, &look, NULL) < 0 ||
	    model->machine.find_holders(&model->root, &look, NULL) < 0)
		abort();
	model->machine.probe(&model->root, &kernel);
	if (plan_make(&look, &request, &kernel, PLAN_WHOLE, &plan) < 0)
		abort();
	if (!plan.refused)
		steps = tell_plan(shape, &look, &plan);
	plan_free(&plan);
	return steps;
}

static bool has_foreign(const struct model_state *state)
{
	for (size_t i = 0; i < MODEL_FILESYSTEMS; i++)
		if (state->filesystems[i].there && state->filesystems[i].device < 0)
			return true;
	return false;
}

static enum shape_kind kind_of(const struct shape *shape)
{
	const struct model_state *state = &shape->state;

	if (shape->devices == 2)
		return SHAPE_TWO_DEVICES;
	if (state->cxl.there)
		return SHAPE_CXL;
	if (strstr(shape->steps, "while mounted"))
		return SHAPE_MOUNTED_UNBIND;
	if (state->namespaces[MODEL_LOCKED])
		return SHAPE_LOCKED;
	if (state->stacks[0].there)
		return SHAPE_STACKED;
	if (has_foreign(state))
		return SHAPE_FOREIGN;
	if (strstr(shape->steps, "offline-memory"))
		return SHAPE_MEMORY;
	if (strstr(shape->steps, "withdraw"))
		return SHAPE_SERVED;
	if (strstr(shape->steps, "swap-off"))
		return SHAPE_SWAP;
	if (state->processes[0].pid)
		return SHAPE_PROCESSES;
	return strstr(shape->steps, "unmount") ? SHAPE_MOUNTS : SHAPE_IDLE;
}

const char *shape_kind_name(enum shape_kind kind)
{
	static const char *const names[] = {
		"two devices",
		"unbound while mounted",
		"locked namespace",
		"stacked",
		"something mounted inside",
		"on a CXL region",
		"memory of the system",
		"served to others",
		"swap area or file",
		"processes",
		"mounts",
		"idle",
	};

	return names[kind];
}

/* The types of the steps, each once where it comes several times on end. */
static void tell_types(const char *steps, char *types, size_t size)
{
	size_t length = 0, last = 0;

	*types = '\0';
	for (const char *step = steps; step && length + 16 < size; step = strstr(step, ", ")) {
		size_t word;

		step += strspn(step, ", ");
		if (*step == '|')
			break;
		word = strcspn(step, " ");
		if (length && strncmp(types + last, step, word + 1) == 0)
			continue;
		last = length;
		length += (size_t)snprintf(types + length, size - length, "%.*s ", (int)word, step);
	}
}

/* The steps end where the processes that stay, and the rest, are told. */
static bool is_first(const struct shapes *shapes, const struct shape *shape)
{
	char types[512], others[512];

	tell_types(shape->steps, types, sizeof(types));
	array_each(other, &shapes->list) {
		if (other == shape)
			break;
		tell_types(other->steps, others, sizeof(others));
		if (strcmp(types, others) == 0)
			return false;
	}
	return true;
}

static bool is_known(const struct shapes *shapes, const char *steps)
{
	array_each(shape, &shapes->list)
		if (strcmp(shape->steps, steps) == 0)
			return true;
	return false;
}

static void add_shape(struct shapes *shapes, struct model *model, struct shape *shape)
{
	struct shape *added;
	char *steps = plan_of(model, shape);

	if (!steps || is_known(shapes, steps)) {
		free(steps);
		return;
	}
	added = array_add(&shapes->list);
	if (!added)
		abort();
	*added = *shape;
	added->steps = steps;
	added->first = is_first(shapes, added);
	added->kind = kind_of(added);
	added->state.may_unbind_mounted = strstr(steps, "while mounted") != NULL;
}

static void name_content(char *name, size_t size, const struct content *content)
{
	size_t length = strlen(name);

	snprintf(name + length, size - length, "%s%s%s%s%s%s%s%s%s", length ? " & " : "",
		 device_mode_name(content->mode), content->partitioned ? "/p1 " : " ",
		 layout_names[content->layout], stack_names[content->stacks], swap_names[content->swaps],
		 user_names[content->users], served_names[content->served], memory_names[content->memory]);
}

/* Who has nothing in another zone does not say that it may stay there. */
static bool is_elsewhere(const struct model_state *state)
{
	for (int i = 0; i < MODEL_DEVICES * MODEL_BLOCKS; i++) {
		const struct model_block *block = &state->blocks[i / MODEL_BLOCKS][i % MODEL_BLOCKS];

		if (block->online && block->zone != ZONE_MOVABLE)
			return true;
	}
	return false;
}

static void add_requests(struct shapes *shapes, struct model *model, struct shape *shape)
{
	char contents[sizeof(shape->name)];
	enum evict_level level;

	strcpy(contents, shape->name);
	for (level = EVICT_NONE; level <= EVICT_KILL; level++)
		for (size_t allow = 0; allow < 2; allow++) {
			shape->evict = level;
			shape->allow_count = 0;
			shape->allow[shape->allow_count++] = "volatile-mount";
			if (is_elsewhere(&shape->state))
				shape->allow[shape->allow_count++] = "unmovable-zone";
			if (allow)
				shape->allow[shape->allow_count++] = "mounted-unbind";
			snprintf(shape->name, sizeof(shape->name), "%.64s -e %s%s", contents,
				 evict_level_name(level), allow ? " -a mounted-unbind" : "");
			add_shape(shapes, model, shape);
		}
}

/* The number of a combination, with each part taken out of it in turn. */
static unsigned part(unsigned *number, unsigned count)
{
	unsigned value = *number % count;

	*number /= count;
	return value;
}

static void add_singles(struct shapes *shapes, struct model *model)
{
	static const enum device_mode modes[] = { MODE_FSDAX, MODE_RAW, MODE_SECTOR, MODE_DEVDAX };
	unsigned count = (unsigned)(COUNT_OF(modes) * 2 * LAYOUTS * SWAPS * USERS);

	for (unsigned i = 0; i < count; i++) {
		unsigned rest = i;
		struct content content = {
			.users = part(&rest, USERS),
			.swaps = part(&rest, SWAPS),
			.layout = part(&rest, LAYOUTS),
			.partitioned = part(&rest, 2),
		};
		struct shape shape = { .devices = 1 };

		content.mode = modes[rest];
		if (!is_possible(&content))
			continue;
		build(&shape.state, 0, &content);
		name_content(shape.name, sizeof(shape.name), &content);
		add_requests(shapes, model, &shape);
	}
}

/* One of each way to serve, with and without what else is taken away before and after. */
static const struct content served[] = {
	{ MODE_FSDAX, false, ONE_MOUNT, NO_SWAP, NOBODY, EXPORTED },
	{ MODE_FSDAX, false, ONE_MOUNT, NO_SWAP, NOBODY, FILE_SERVED },
	{ MODE_FSDAX, false, NO_FILESYSTEM, NO_SWAP, NOBODY, DISK_SERVED },
	{ MODE_FSDAX, true, AND_BIND, NO_SWAP, ON_FIRST_STUBBORN, DISK_SERVED },
	{ MODE_SECTOR, false, AND_BIND, SWAP_FILE, ON_FIRST, EXPORTED },
	{ MODE_FSDAX, false, AND_EXT4_INSIDE, NO_SWAP, ON_LAST_STUBBORN, FILE_SERVED },
};

static void add_served_singles(struct shapes *shapes, struct model *model)
{
	for (size_t i = 0; i < COUNT_OF(served); i++) {
		struct shape shape = { .devices = 1 };

		build(&shape.state, 0, &served[i]);
		name_content(shape.name, sizeof(shape.name), &served[i]);
		add_requests(shapes, model, &shape);
	}
}

static const struct content memories[] = {
	{ MODE_DEVDAX, .memory = ALL_MOVABLE },	  { MODE_DEVDAX, .memory = ONE_NORMAL },
	{ MODE_DEVDAX, .memory = SOME_OFFLINE },  { MODE_DEVDAX, .memory = LOWEST_STAYS },
	{ MODE_DEVDAX, .memory = HIGHEST_STAYS }, { MODE_DEVDAX, .memory = UNPLUGGED },
	{ MODE_DEVDAX, .memory = KEPT },	  { MODE_DEVDAX, .memory = KEPT_STUBBORN },
};

static void add_memories(struct shapes *shapes, struct model *model)
{
	for (size_t i = 0; i < COUNT_OF(memories); i++) {
		struct shape shape = { .devices = 1 };

		build(&shape.state, 0, &memories[i]);
		name_content(shape.name, sizeof(shape.name), &memories[i]);
		add_requests(shapes, model, &shape);
	}
}

/* Those of which two are combined: one of each thing that needs a way back. */
static const struct content pairs[] = {
	{ MODE_FSDAX, false, NO_FILESYSTEM, NO_SWAP, NOBODY },
	{ MODE_DEVDAX, false, NO_FILESYSTEM, NO_SWAP, NOBODY },
	{ MODE_DEVDAX, false, NO_FILESYSTEM, NO_SWAP, ON_BARE_STUBBORN },
	{ MODE_FSDAX, false, ONE_MOUNT, NO_SWAP, NOBODY },
	{ MODE_FSDAX, false, ONE_MOUNT, SWAP_FILE, ON_FIRST },
	{ MODE_FSDAX, true, AND_BIND_INSIDE, SWAP_AREA, NOBODY },
	{ MODE_SECTOR, false, AND_SECOND_NAMESPACE, NO_SWAP, ON_FIRST_STUBBORN },
	{ MODE_FSDAX, false, AND_EXT4_INSIDE, NO_SWAP, ON_LAST_STUBBORN },
	{ MODE_RAW, false, NO_FILESYSTEM, SWAP_AREA, ON_BARE_STUBBORN },
	{ MODE_FSDAX, false, ONE_MOUNT, NO_SWAP, NOBODY, EXPORTED },
	{ MODE_DEVDAX, .memory = ONE_NORMAL },
};

static const struct content stacked[] = {
	{ MODE_FSDAX, false, ONE_MOUNT, NO_SWAP, NOBODY, .stacks = LOOP_FS },
	{ MODE_FSDAX, false, ONE_MOUNT, NO_SWAP, ON_LAST_STUBBORN, .stacks = LOOP_FS },
	{ MODE_FSDAX, false, ONE_MOUNT, SWAP_FILE, ON_FIRST, .stacks = LOOP_FS },
	{ MODE_FSDAX, false, ONE_MOUNT, NO_SWAP, NOBODY, .stacks = LOOP_FS_INSIDE },
	{ MODE_FSDAX, false, ONE_MOUNT, NO_SWAP, ON_LAST_STUBBORN, .stacks = LOOP_AUTOCLEAR },
	{ MODE_FSDAX, true, ONE_MOUNT, SWAP_AREA, NOBODY, .stacks = LOOP_OPEN },
	{ MODE_FSDAX, false, AND_SECOND_NAMESPACE, NO_SWAP, NOBODY, .stacks = LOOP_FS },
	{ MODE_FSDAX, false, ONE_MOUNT, NO_SWAP, NOBODY, .stacks = LOOP_ON_LOOP },
	{ MODE_RAW, false, NO_FILESYSTEM, NO_SWAP, ON_LAST_STUBBORN, .stacks = LOOP_FS },
	{ MODE_RAW, true, NO_FILESYSTEM, NO_SWAP, ON_BARE_STUBBORN, .stacks = LOOP_AUTOCLEAR },
	{ MODE_SECTOR, false, NO_FILESYSTEM, NO_SWAP, NOBODY, .stacks = LOOP_ON_LOOP },
	{ MODE_FSDAX, false, NO_FILESYSTEM, NO_SWAP, NOBODY, .stacks = DM_FS },
	{ MODE_RAW, false, NO_FILESYSTEM, NO_SWAP, ON_LAST_STUBBORN, .stacks = DM_FS },
	{ MODE_FSDAX, true, NO_FILESYSTEM, SWAP_AREA, NOBODY, .stacks = DM_OPEN },
	{ MODE_SECTOR, true, NO_FILESYSTEM, NO_SWAP, NOBODY, .stacks = LOOP_ON_DM },
	{ MODE_FSDAX, false, NO_FILESYSTEM, NO_SWAP, ON_LAST_STUBBORN, .stacks = MD_FS },
	{ MODE_RAW, true, NO_FILESYSTEM, SWAP_AREA, NOBODY, .stacks = MD_OPEN },
};

/* Of each thing that is stacked, one with each that has an order of its own with it. */
static void add_stacked(struct shapes *shapes, struct model *model)
{
	for (size_t i = 0; i < COUNT_OF(stacked); i++) {
		struct shape shape = { .devices = 1 };

		build(&shape.state, 0, &stacked[i]);
		name_content(shape.name, sizeof(shape.name), &stacked[i]);
		add_requests(shapes, model, &shape);
	}
}

/* The second's file system is mounted in the first's. */
static void nest(struct model_state *state)
{
	struct building building = { state, 1, -1, -1, -1, 'a' };

	for (int i = 0; i < MODEL_FILESYSTEMS; i++)
		if (state->filesystems[i].there && state->filesystems[i].device == 1)
			add_mount(&building, i, MODEL_INITIAL, "/", "/@/deep", "");
}

static void add_pairs(struct shapes *shapes, struct model *model)
{
	for (size_t i = 0; i < COUNT_OF(pairs) * COUNT_OF(pairs) * 2; i++) {
		const struct content *first = &pairs[i / 2 / COUNT_OF(pairs)];
		const struct content *second = &pairs[i / 2 % COUNT_OF(pairs)];
		struct shape shape = { .devices = 2 };

		build(&shape.state, 0, first);
		build(&shape.state, 1, second);
		if (i % 2 && (first->layout == NO_FILESYSTEM || second->layout == NO_FILESYSTEM))
			continue;
		if (i % 2)
			nest(&shape.state);
		name_content(shape.name, sizeof(shape.name), first);
		name_content(shape.name, sizeof(shape.name), second);
		add_requests(shapes, model, &shape);
	}
}

/* What stands on a region goes as ever: one of each way back, with each thing that can be asked of the region. */
static const struct content on_cxl[] = {
	{ MODE_FSDAX, false, NO_FILESYSTEM, NO_SWAP, NOBODY },
	{ MODE_FSDAX, false, ONE_MOUNT, SWAP_FILE, ON_FIRST },
	{ MODE_DEVDAX, false, NO_FILESYSTEM, NO_SWAP, ON_BARE_STUBBORN },
	{ MODE_DEVDAX, .memory = ALL_MOVABLE },
	{ MODE_DEVDAX, .memory = LOWEST_STAYS },
};

static void add_on_cxl(struct shapes *shapes, struct model *model)
{
	for (size_t i = 0; i < COUNT_OF(on_cxl) * 4; i++) {
		struct shape shape = { .devices = 1 };

		build(&shape.state, 0, &on_cxl[i / 4]);
		shape.state.cxl = model_cxl_make(i & 1, i & 2);
		snprintf(shape.name, sizeof(shape.name), "cxl%s%s", i & 1 ? " delete" : "",
			 i & 2 ? " power-off" : "");
		name_content(shape.name, sizeof(shape.name), &on_cxl[i / 4]);
		add_requests(shapes, model, &shape);
	}
}

void shapes_make(struct shapes *shapes, struct model *model)
{
	memset(shapes, 0, sizeof(*shapes));
	add_singles(shapes, model);
	add_served_singles(shapes, model);
	add_stacked(shapes, model);
	add_memories(shapes, model);
	add_on_cxl(shapes, model);
	add_pairs(shapes, model);
}

void shapes_free(struct shapes *shapes)
{
	array_each(shape, &shapes->list)
		free(shape->steps);
	free(shapes->list.items);
}
