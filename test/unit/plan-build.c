// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/unit/plan-build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "retire/holders/holders.h"

enum { PMEM_MAJOR = 259, BLOCK_MAJOR = 253 };

static char *own(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		abort();
	return copy;
}

static char *numbered(const char *before, size_t number, const char *after)
{
	char *name;

	if (asprintf(&name, "%s%zu%s", before, number, after) < 0)
		abort();
	return name;
}

/* The first device brings the initial mount namespace with it. */
static void add_initial_namespace(struct look *look)
{
	struct mount_namespace *namespace = array_add(&look->namespaces);

	if (!namespace)
		abort();
	*namespace = (struct mount_namespace){ .ino = 4026531841, .fd = -1, .initial = true };
	look->initial_namespaces = true;
}

struct device *add_device(struct look *look, enum device_mode mode)
{
	size_t number = look->devices.count;
	struct device *device = array_add(&look->devices);

	if (!device)
		abort();
	if (!look->namespaces.count)
		add_initial_namespace(look);
	*device = (struct device){ .mode = mode, .enabled = true, .size = 1UL << 30 };
	device->name = numbered("namespace", number, ".0");
	device->path = numbered("/sys/devices/ndbus0/region0/namespace", number, ".0");
	device->driver = own(mode == MODE_DEVDAX ? "device_dax" : "nd_pmem");
	device->driver_device =
		mode == MODE_DEVDAX ? numbered("dax", number, ".0") : numbered("pfn", number, ".0");
	device->blockdev = mode == MODE_DEVDAX ? numbered("dax", number, ".0") : numbered("pmem", number, "");
	device->dev = makedev(PMEM_MAJOR, (unsigned)number);
	return device;
}

void add_region(struct look *look, size_t number)
{
	struct device *device = array_add(&look->devices);

	if (!device)
		abort();
	*device = (struct device){ .type = DEVICE_PMEM_REGION, .mode = MODE_NONE, .enabled = true };
	device->name = numbered("region", number, "");
	device->path = numbered("/sys/devices/ndbus0/region", number, "");
	device->driver = own("nd_region");
	device->driver_device = own(device->name);
}

static struct holder *add_holder(struct look *look, enum holder_type type, int on, const char *name)
{
	const struct holder *below = look_holder(look, on);
	int device = below ? below->device : -1 - on;
	struct holder *holder = look_add_holder(look, type, device, below ? on : 0, "%s", name);

	if (!holder)
		abort();
	holder->kind = holder_kinds[type];
	return holder;
}

int add_stack(struct look *look, enum holder_type type, int on, const char *name)
{
	struct holder *holder = add_holder(look, type, on, name);

	holder->dev = makedev(BLOCK_MAJOR, (unsigned)holder->id);
	return holder->id;
}

static struct holder *add_superblock(struct look *look, int on, const char *fstype, unsigned features)
{
	const struct holder *below = look_holder(look, on);
	struct holder *holder = add_holder(look, HOLDER_FILESYSTEM, on,
					   below ? below->name : look->devices.items[-1 - on].blockdev);

	below = look_holder(look, on);
	holder->dev = below ? below->dev : look->devices.items[holder->device].dev;
	holder->filesystem =
		(struct filesystem){ .dev = holder->dev, .fstype = own(fstype), .features = features };
	return holder;
}

int add_fs(struct look *look, int on, const char *fstype, unsigned features)
{
	return add_superblock(look, on, fstype, features)->id;
}

int add_detached_fs(struct look *look, int on, const char *fstype)
{
	struct holder *holder = add_superblock(look, on, fstype, FS_FEATURES_UNKNOWN);

	holder->filesystem.detached = true;
	return holder->id;
}

static void fill_mount(const struct look *look, struct holder *holder, const char *fstype)
{
	holder->mount = (struct mount){ .id = 100 + (unsigned)holder->id,
					.root = own("/"),
					.point = own(holder->name),
					.options = own("rw"),
					.propagation = own(""),
					.fstype = own(fstype),
					.source = own("source"),
					.super_options = own("rw") };
	if (holder->inside)
		holder->mount.ns = look_holder(look, holder->inside)->mount.ns;
}

static void name_after_first_mount(struct look *look, struct holder *fs, const char *point)
{
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_MOUNT && !holder->mount.foreign && holder->mount.dev == fs->dev)
			return;
	free(fs->name);
	fs->name = own(point);
}

/* As holders/filesystem.c: a mount in one of the same file system rests on that one. */
int add_mount_inside(struct look *look, int fs, int inside, const char *point)
{
	const struct holder *parent = look_holder(look, inside);
	dev_t dev = look_holder(look, fs)->dev;
	bool same = parent && !parent->mount.foreign && parent->mount.dev == dev;
	struct holder *holder;

	name_after_first_mount(look, look_holder(look, fs), point);
	holder = add_holder(look, HOLDER_MOUNT, fs, point);
	holder->on = same ? inside : fs;
	holder->inside = inside;
	fill_mount(look, holder, look_holder(look, fs)->filesystem.fstype);
	holder->mount.dev = dev;
	return holder->id;
}

int add_mount(struct look *look, int fs, const char *point)
{
	return add_mount_inside(look, fs, 0, point);
}

int add_foreign(struct look *look, int inside, const char *fstype, const char *point)
{
	struct holder *holder = add_holder(look, HOLDER_MOUNT, inside, point);

	holder->inside = inside;
	fill_mount(look, holder, fstype);
	holder->mount.dev = makedev(0, 40 + (unsigned)holder->id);
	holder->mount.foreign = true;
	return holder->id;
}

int add_namespace(struct look *look)
{
	struct mount_namespace *namespace = array_add(&look->namespaces);

	if (!namespace)
		abort();
	*namespace = (struct mount_namespace){ .ino = 4026532000 + look->namespaces.count, .fd = -1 };
	return (int)look->namespaces.count - 1;
}

int add_mount_in(struct look *look, int fs, int inside, int ns, const char *point)
{
	int id = add_mount_inside(look, fs, inside, point);

	look_holder(look, id)->mount.ns = ns;
	return id;
}

int add_process(struct look *look, int on, const char *comm, pid_t pid, unsigned uses)
{
	struct holder *holder;
	char name[96];

	snprintf(name, sizeof(name), "%s[%d]", comm, pid);
	holder = add_holder(look, HOLDER_PROCESS, on, name);
	holder->process =
		(struct process){ .pid = pid, .starttime = 5000 + (unsigned)pid, .uses = uses, .pidfd = -1 };
	snprintf(holder->process.comm, sizeof(holder->process.comm), "%s", comm);
	return holder->id;
}

int add_swap(struct look *look, int on, const char *path, bool file)
{
	struct holder *holder = add_holder(look, HOLDER_SWAP, on, path);

	holder->swap = (struct swap){ .path = own(path), .priority = -2, .size = 1UL << 20, .file = file };
	return holder->id;
}

struct system_ram *add_memory(struct look *look, enum device_mode mode, enum memory_zone zone)
{
	int index = (int)look->devices.count;
	struct device *device = add_device(look, MODE_DEVDAX);
	struct holder *holder;

	device->mode = mode;
	device->type = mode == MODE_SYSTEM_RAM ? DEVICE_DAX : DEVICE_PMEM_NAMESPACE;
	device->system_ram = true;
	/* sysfs shows a number there, too, in a namespace: drivers/dax/bus.c */
	device->dev = mode == MODE_SYSTEM_RAM ? 0 : device->dev;
	holder = look_add_holder(look, HOLDER_MEMORY, index, 0, "system RAM of %s", device->blockdev);
	if (!holder)
		abort();
	holder->kind = holder_kinds[HOLDER_MEMORY];
	holder->memory = (struct system_ram){ .block_size = 1 << 27, .node = 1 };
	for (uint64_t number = 32; number < 34; number++) {
		struct memory_block *block = array_add(&holder->memory.blocks);

		if (!block)
			abort();
		*block = (struct memory_block){ number, MEMORY_ONLINE, (uint8_t)zone };
	}
	return &holder->memory;
}

/* "" for the grace, which is about all of them. */
static const char *subject_of(const struct look *look, const struct step *step)
{
	const struct holder *holder = look_holder(look, step->holder);
	const struct device *device = &look->devices.items[step->device];

	if (step->type == STEP_GRACE)
		return "";
	if (step->type == STEP_UNBIND)
		return device->driver_device;
	if (holder)
		return holder->name;
	return device->blockdev ? device->blockdev : device->name;
}

static FILE *start_text(char **text, size_t *size)
{
	FILE *stream = open_memstream(text, size);

	if (!stream)
		abort();
	return stream;
}

/* Where references are counted is a rule of every plan, broken_references(): no row has to say it. */
static bool is_a_count(const struct step *step)
{
	return step->type == STEP_FORESEE || step->type == STEP_REFERENCES;
}

char *tell_steps(const struct look *look, const struct plan *plan)
{
	const char *separator = "";
	char *text;
	size_t size;
	FILE *stream = start_text(&text, &size);

	array_each(step, &plan->steps) {
		const char *subject = subject_of(look, step);

		if (is_a_count(step))
			continue;
		fprintf(stream, "%s%s%s%s%s", separator, step_name(step->type), *subject ? " " : "", subject,
			step->while_mounted ? " while mounted" : "");
		separator = ", ";
	}
	fclose(stream);
	return text;
}

char *tell_vetoes(const struct plan *plan, bool stands)
{
	const char *separator = "";
	char *text;
	size_t size;
	FILE *stream = start_text(&text, &size);

	array_each(veto, &plan->vetoes) {
		if (veto->stands != stands)
			continue;
		fprintf(stream, "%s%s %s ", separator, veto->code, veto->subject);
		if (veto->severity == SEVERITY_HOLDER)
			fprintf(stream, "--evict=%s", evict_level_name(veto->level));
		else if (veto->severity == SEVERITY_RISK)
			fprintf(stream, "--allow=%s", veto->code);
		else
			fprintf(stream, "%s", severity_name(veto->severity));
		separator = ", ";
	}
	fclose(stream);
	return text;
}

/* The file system that a holder is on; 0: none. */
static int fs_of(const struct look *look, const struct holder *holder)
{
	while (holder && holder->type != HOLDER_FILESYSTEM)
		holder = look_holder(look, holder->on);
	return holder ? holder->id : 0;
}

static bool is_done(const struct plan *plan, size_t before, enum step_type type, int holder)
{
	for (size_t i = 0; i < before; i++)
		if (plan->steps.items[i].type == type && plan->steps.items[i].holder == holder)
			return true;
	return false;
}

static bool counts_device(const struct plan *plan, size_t before, int device)
{
	for (size_t i = 0; i < before; i++)
		if (plan->steps.items[i].type == STEP_REFERENCES && plan->steps.items[i].device == device)
			return true;
	return false;
}

static bool is_unbound_while_mounted(const struct plan *plan, int device)
{
	array_each(step, &plan->steps)
		if (step->type == STEP_UNBIND && step->device == device)
			return step->while_mounted;
	return false;
}

static bool fits_holder(const struct look *look, const struct step *step)
{
	const struct holder *holder = look_holder(look, step->holder);

	switch (step->type) {
	case STEP_TERMINATE:
		return holder && holder->type == HOLDER_PROCESS;
	case STEP_FREEZE:
	case STEP_FLUSH:
	case STEP_THAW:
	case STEP_FORESEE:
		return holder && holder->type == HOLDER_FILESYSTEM;
	case STEP_KILL:
	case STEP_AWAIT_EXIT:
		return !step->holder ||
		       (holder && (holder->type == HOLDER_FILESYSTEM || holder->type == HOLDER_LOOP ||
				   holder->type == HOLDER_DM || holder->type == HOLDER_MD));
	case STEP_MD_STOP:
		return holder && holder->type == HOLDER_MD;
	case STEP_LOOP_DETACH:
		return holder && holder->type == HOLDER_LOOP;
	case STEP_DM_REMOVE:
		return holder && holder->type == HOLDER_DM;
	case STEP_UNMOUNT:
		return holder && holder->type == HOLDER_MOUNT;
	case STEP_SWAP_OFF:
		return holder && holder->type == HOLDER_SWAP;
	case STEP_OFFLINE:
		return holder && holder->type == HOLDER_MEMORY;
	case STEP_WITHDRAW:
		return holder && (holder->type == HOLDER_EXPORT || holder->type == HOLDER_NVME_TARGET);
	default:
		return !step->holder;
	}
}

static const char *broken_subject(const struct look *look, const struct plan *plan)
{
	array_each(step, &plan->steps) {
		if (step->device < 0 || (size_t)step->device >= look->devices.count)
			return "a step names a device that is there";
		if (step->holder < 0 || (size_t)step->holder > look->holders.count || !fits_holder(look, step))
			return "a step names a holder of its kind";
		if (step->holder && look_holder(look, step->holder)->device != step->device)
			return "a step names the device of its holder";
	}
	return NULL;
}

static const char *broken_order(const struct look *look, const struct plan *plan)
{
	enum device_type unbound = 0;
	enum phase phase = PHASE_ASK;

	array_each(step, &plan->steps) {
		if (step_phase(step->type) < phase)
			return "phases go forward: no claim before all is settled, no unbind before all claims";
		phase = step_phase(step->type);
		if (step->type == STEP_UNBIND && look->devices.items[step->device].type < unbound)
			return "no namespace is unbound after a region";
		if (step->type == STEP_UNBIND)
			unbound = look->devices.items[step->device].type;
	}
	return NULL;
}

/* Between a freeze and its thaw there is room for little: who else is frozen or unmounted then may hang. */
static const char *broken_freeze(const struct plan *plan)
{
	int frozen = 0;

	array_each(step, &plan->steps) {
		bool inside = step->type == STEP_FLUSH || step->type == STEP_KILL;

		if (step->type == STEP_FREEZE && frozen)
			return "one file system is frozen at a time";
		if (step->type == STEP_THAW && step->holder != frozen)
			return "what is thawed was frozen";
		if (frozen && step->type != STEP_THAW && (!inside || step->holder != frozen))
			return "nothing but flush and kill comes between a freeze and its thaw";
		if (step->type == STEP_FREEZE || step->type == STEP_THAW)
			frozen = step->type == STEP_FREEZE ? step->holder : 0;
	}
	return frozen ? "every freeze has its thaw" : NULL;
}

/* Of whatever is mounted in it nothing is left. */
static bool is_free(const struct look *look, const struct plan *plan, size_t before, const struct holder *mount)
{
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_MOUNT && holder->inside == mount->id &&
		    !is_done(plan, before, STEP_UNMOUNT, holder->id))
			return false;
	return true;
}

static bool is_shut_down(const struct look *look, const struct holder *mount)
{
	return look_holder(look, fs_of(look, mount))->filesystem.shut_down;
}

static const char *broken_unmount(const struct look *look, const struct plan *plan)
{
	for (size_t i = 0; i < plan->steps.count; i++) {
		const struct step *step = &plan->steps.items[i];
		const struct holder *holder = look_holder(look, step->holder);

		if (step->type != STEP_UNMOUNT)
			continue;
		if (is_done(plan, i, STEP_UNMOUNT, step->holder))
			return "a mount is unmounted once";
		if (!is_free(look, plan, i, holder))
			return "inner mounts go first";
		if (!holder->mount.foreign && !is_shut_down(look, holder) &&
		    !is_done(plan, i, STEP_THAW, fs_of(look, holder)))
			return "a file system is frozen and thawed before it is unmounted";
	}
	return NULL;
}

/* No umount may wait for a page, and no unbind come with one that somebody references. */
static const char *broken_references(const struct look *look, const struct plan *plan)
{
	size_t counted = 0;

	for (size_t i = 0; i < plan->steps.count; i++) {
		const struct step *step = &plan->steps.items[i];
		const struct holder *holder = look_holder(look, step->holder);
		bool pages = device_has_pages(&look->devices.items[step->device]);

		if (step->type == STEP_CLAIM && counted)
			return "references are counted after the last claim";
		counted += step->type == STEP_REFERENCES;
		if (step->type == STEP_REFERENCES && !pages)
			return "only what has pages is counted";
		if (step->type == STEP_UNBIND && pages && !counts_device(plan, i, step->device))
			return "references are counted before an unbind";
		if (step->type == STEP_UNMOUNT && pages && !holder->mount.foreign && !is_shut_down(look, holder) &&
		    !is_done(plan, i, STEP_FORESEE, fs_of(look, holder)))
			return "references are counted before an umount";
	}
	return NULL;
}

/* A plan that goes on leaves nothing behind, but where the kernel tells a file system itself. */
static const char *broken_end(const struct look *look, const struct plan *plan)
{
	if (plan->refused || plan->already_retired)
		return NULL;
	array_each(holder, &look->holders) {
		enum step_type end = holder->type == HOLDER_SWAP ? STEP_SWAP_OFF : STEP_UNMOUNT;
		bool left = holder->type == HOLDER_MOUNT && !holder->mount.foreign &&
			    is_unbound_while_mounted(plan, holder->device);

		if ((holder->type == HOLDER_MOUNT || holder->type == HOLDER_SWAP) && !left &&
		    !is_done(plan, plan->steps.count, end, holder->id))
			return "every mount and every swap area is ended";
	}
	return NULL;
}

/* What is online when its driver goes is burned until the next reboot. */
static const char *broken_memory(const struct look *look, const struct plan *plan)
{
	for (size_t i = 0; i < plan->steps.count; i++) {
		const struct step *step = &plan->steps.items[i];

		array_each(holder, &look->holders)
			if (step->type == STEP_UNBIND && holder->type == HOLDER_MEMORY &&
			    holder->device == step->device && memory_online(&holder->memory) &&
			    !is_done(plan, i, STEP_OFFLINE, holder->id))
				return "memory is offline before its device is unbound";
	}
	return NULL;
}

static bool is_lifted(const struct look *look, const struct request *request, const struct plan *plan,
		      const struct veto *veto)
{
	const struct holder *holder = look_holder(look, veto->holder);

	if (veto->severity == SEVERITY_CRITICAL)
		return false;
	if (veto->severity == SEVERITY_RISK)
		return request_allows(request, veto->code);
	if (request->evict >= veto->level)
		return true;
	if (!holder || (holder->type != HOLDER_PROCESS && (holder->type != HOLDER_MOUNT || holder->mount.foreign)))
		return false;
	/* which of them the kernel tells, the rows say */
	return request_allows(request, "mounted-unbind") && fs_of(look, holder) &&
	       is_unbound_while_mounted(plan, holder->device) && !veto->stands;
}

/* What no option lifts is for people to do: they are told what. */
static bool says_what_to_do(const struct veto *veto)
{
	static const char *const ways[] = { "first", "run it", "reboot", "by hand", "boot from", "instead" };

	for (size_t i = 0; i < COUNT_OF(ways); i++)
		if (strstr(veto->message, ways[i]))
			return true;
	return veto->severity != SEVERITY_CRITICAL;
}

static const char *broken_veto(const struct look *look, const struct request *request, const struct plan *plan)
{
	bool refused = false;

	array_each(veto, &plan->vetoes) {
		if (!veto->code || !veto->subject || !veto->message || !*veto->message)
			return "every veto has a code, a subject and a message";
		if (strstr(veto->message, "(null)"))
			return "a message has all its words";
		if (!says_what_to_do(veto))
			return "what no option lifts says what to do about it";
		if (veto->holder < 0 || (size_t)veto->holder > look->holders.count)
			return "a veto names a holder that is there";
		if (veto->stands == is_lifted(look, request, plan, veto))
			return "a veto is lifted by its level, its name, or a mounted unbind, and by nothing else";
		refused |= veto->stands;
	}
	return refused == plan->refused ? NULL : "refused when a veto stands, and only then";
}

const char *broken_rule(const struct look *look, const struct request *request, const struct plan *plan)
{
	const char *const broken[] = {
		broken_subject(look, plan),	  broken_order(look, plan),	 broken_freeze(plan),
		broken_unmount(look, plan),	  broken_references(look, plan), broken_end(look, plan),
		broken_veto(look, request, plan), broken_memory(look, plan),
	};

	for (size_t i = 0; i < COUNT_OF(broken); i++)
		if (broken[i])
			return broken[i];
	return NULL;
}
