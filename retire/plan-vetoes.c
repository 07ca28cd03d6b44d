// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All vetoes are collected before anything is said, so that a user never
 * fixes one to meet the next. A veto is data: it says what would lift it, and
 * whether this request does.
 */
#include "retire/plan-vetoes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_lifted(const struct planning *planning, const struct veto *veto)
{
	switch (veto->severity) {
	case SEVERITY_HOLDER:
		return planning->request->evict >= veto->level;
	case SEVERITY_RISK:
		return request_allows(planning->request, veto->code);
	case SEVERITY_CRITICAL:
		break;
	}
	return false;
}

static int add_veto(struct planning *planning, struct veto veto, const char *subject, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int add_veto(struct planning *planning, struct veto veto, const char *subject, const char *fmt, ...)
{
	char message[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	return plan_add_veto(planning, veto, subject, message);
}

int plan_add_veto(struct planning *planning, struct veto veto, const char *subject, const char *message)
{
	struct veto *added = array_add(&planning->plan->vetoes);

	if (!added)
		return -ENOMEM;
	*added = veto;
	added->subject = strdup(subject);
	added->message = strdup(message);
	added->stands = !is_lifted(planning, added);
	return added->subject && added->message ? 0 : -ENOMEM;
}

static const struct {
	enum use use;
	const char *verb;
} use_verbs[] = {
	{ USE_MAP, "maps" },
	{ USE_OPEN, "has open" },
	{ USE_CWD, "has its working directory at" },
	{ USE_ROOT, "has its root directory at" },
	{ USE_EXE, "runs" },
	{ USE_NAMESPACE, "keeps the mount namespace of" },
	{ USE_SOCKET, "has a socket bound to" },
	{ USE_FLIGHT, "has, in flight over a socket, a file of" },
	{ USE_RING, "has, registered with io_uring, a file of" },
	{ USE_PAGES, "keeps pages of" },
};

static const char *use_verb(unsigned uses)
{
	for (size_t i = 0; i < COUNT_OF(use_verbs); i++)
		if (uses & use_verbs[i].use)
			return use_verbs[i].verb;
	return "uses";
}

static const char *process_object(const struct look *look, const struct holder *holder, char *text, size_t size)
{
	const struct process *process = &holder->process;
	char pages[96] = "", count[32] = "";

	if (process->pinned)
		snprintf(count, sizeof(count), ", %" PRIu64 " page%s", process->pinned,
			 process->pinned > 1 ? "s" : "");
	if (process->uses == USE_PAGES)
		snprintf(pages, sizeof(pages), " by descriptor %d%s", process->pages_fd, count);
	else if (process->uses & USE_PAGES)
		snprintf(pages, sizeof(pages), " (and keeps its pages by descriptor %d%s)", process->pages_fd,
			 count);
	else if (process->uses & USE_PIN)
		snprintf(pages, sizeof(pages), " (and can pin its pages)");
	snprintf(text, size, "%s%s", process->path ? process->path : look_on_name(look, holder), pages);
	return text;
}

/* "fio[812] (bench.service)", "qemu-system-x86[812] (vm web1)": where it belongs, by the name people know best */
static const char *process_title(const struct holder *holder, char *title, size_t size)
{
	char owner[256];

	process_owner(&holder->process, owner, sizeof(owner));
	snprintf(title, size, "%s%s%s%s", holder->name, *owner ? " (" : "", owner, *owner ? ")" : "");
	return title;
}

static int veto_process(struct planning *planning, const struct holder *holder)
{
	const struct process *process = &holder->process;
	struct veto veto = { .code = "process", .holder = holder->id, .level = EVICT_TERM };
	const char *verb = use_verb(process->uses);
	char title[384], object[512];

	process_object(planning->look, holder, object, sizeof(object));
	process_title(holder, title, sizeof(title));
	veto.severity = SEVERITY_CRITICAL;
	if (process->own) {
		veto.code = "self";
		return add_veto(planning, veto, holder->name,
				"%s, which runs this command, %s %s: run it from elsewhere", title, verb, object);
	}
	if (process->pid == 1) {
		veto.code = "init";
		return add_veto(
			planning, veto, holder->name,
			"%s %s %s: process 1 cannot be ended; stop the unit that it does this for, or reboot",
			title, verb, object);
	}
	veto.severity = SEVERITY_HOLDER;
	if (planning->stage == PLAN_ASKED) {
		veto.level = EVICT_KILL;
		return add_veto(planning, veto, holder->name, "%s still %s %s after SIGTERM and the grace", title,
				verb, object);
	}
	return add_veto(planning, veto, holder->name, "%s %s %s", title, verb, object);
}

/* Where the running system itself lives; nothing is worth taking that away. */
static bool is_system_mount(const struct look *look, const struct mount *mount)
{
	static const char *const points[] = { "/", "/usr", "/boot", "/boot/efi", "/efi" };

	if (!look->namespaces.items[mount->ns].initial)
		return false;
	for (size_t i = 0; i < COUNT_OF(points); i++)
		if (strcmp(mount->point, points[i]) == 0)
			return true;
	return false;
}

/* File systems whose contents end with their last mount. */
static bool is_volatile(const struct mount *mount)
{
	return mount->foreign && (strcmp(mount->fstype, "tmpfs") == 0 || strcmp(mount->fstype, "ramfs") == 0);
}

static bool has_process(const struct look *look, int id)
{
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_PROCESS && look_rests_on(look, holder, id))
			return true;
	return false;
}

static int veto_mount(struct planning *planning, const struct holder *holder)
{
	const struct mount *mount = &holder->mount;
	const char *on = look_on_name(planning->look, holder);
	const char *keeper = planning->look->namespaces.items[mount->ns].keeper;
	const struct holder *filesystem;
	const char *kept = keeper ? " in a mount namespace that is kept by " : "";
	const char *once = mount_why_once(mount);
	struct veto veto = {
		.code = "mount", .severity = SEVERITY_HOLDER, .holder = holder->id, .level = EVICT_STOP
	};
	int rc;

	if (is_system_mount(planning->look, mount)) {
		veto.code = "system";
		veto.severity = SEVERITY_CRITICAL;
		return add_veto(planning, veto, holder->name,
				"%s is on %s: the running system lives there; boot from elsewhere to retire it",
				mount->point, on);
	}
	if (look_is_pinned_mount(planning->look, holder)) {
		if (!has_process(planning->look, holder->id)) {
			veto.code = "locked-mount";
			veto.severity = SEVERITY_CRITICAL;
			return add_veto(
				planning, veto, holder->name,
				"%s is locked in the mount namespace of a less privileged user, which %s keeps "
				"alive: end first who has it open (lsns -t mnt, lsfd)",
				mount->point, keeper ? keeper : "no process that is seen");
		}
		veto.level = EVICT_TERM;
	}
	filesystem = mount->foreign ? NULL : look_filesystem(planning->look, mount->dev);
	if (filesystem && filesystem->filesystem.part)
		return add_veto(planning, veto, holder->name, "%s (%s on %s) has its %s on %s%s%s", mount->point,
				mount->fstype, mount->source, filesystem->filesystem.part, on, kept,
				keeper ? keeper : "");
	rc = mount->foreign ? add_veto(planning, veto, holder->name, "%s is mounted below %s%s%s", mount->point,
				       on, kept, keeper ? keeper : "")
			    : add_veto(planning, veto, holder->name, "%s is mounted from %s (%s)%s%s",
				       mount->point, on, mount->fstype, kept, keeper ? keeper : "");
	veto.code = "volatile-mount";
	veto.severity = SEVERITY_RISK;
	if (rc == 0 && once)
		return add_veto(planning, veto, holder->name,
				"a rollback could not mount %s (%s) again: %s; unmount it by hand first",
				mount->point, mount->fstype, once);
	if (rc < 0 || !is_volatile(mount))
		return rc;
	return add_veto(planning, veto, holder->name, "%s (%s) would lose its contents", mount->point,
			mount->fstype);
}

static int veto_swap(struct planning *planning, const struct holder *holder)
{
	struct veto veto = {
		.code = "swap", .severity = SEVERITY_HOLDER, .holder = holder->id, .level = EVICT_STOP
	};

	return add_veto(planning, veto, holder->name, "%s is in use as swap on %s", holder->name,
			look_on_name(planning->look, holder));
}

/* Unmounting it, or the exit of a process that maps it, would take the machine down. */
static int veto_dead(struct planning *planning, const struct holder *holder, const char *why)
{
	struct veto veto = { .code = "kernel-crash", .severity = SEVERITY_CRITICAL, .holder = holder->id };

	return add_veto(
		planning, veto, holder->name,
		"the device below %s (%s on %s) is gone: %s; only a reboot clears it, do not unmount it and "
		"do not end its processes before",
		holder->name, holder->filesystem.fstype, look_on_name(planning->look, holder), why);
}

static int veto_filesystem(struct planning *planning, const struct holder *holder)
{
	struct veto veto = { .code = "superblock", .holder = holder->id, .level = EVICT_TERM };
	const char *on = look_on_name(planning->look, holder), *why;

	if (planning->look->devices.items[holder->device].gone &&
	    kernel_dead_filesystem(planning->kernel, &holder->filesystem, &why) != DEAD_ENDS)
		return veto_dead(planning, holder, why);
	if (!holder->filesystem.detached)
		return 0;
	if (has_process(planning->look, holder->id)) {
		veto.severity = SEVERITY_HOLDER;
		return add_veto(planning, veto, holder->name,
				"a lazily unmounted %s file system on %s lives on in its processes",
				holder->filesystem.fstype, on);
	}
	veto.code = "unknown-holder";
	veto.severity = SEVERITY_CRITICAL;
	return add_veto(
		planning, veto, holder->name,
		"the %s file system on %s is alive although no mount and no process shows it: a mount namespace "
		"kept by a descriptor, a descriptor in flight, or the kernel (nfsd, loop, a storage target) may "
		"hold it: look at exportfs -v, losetup, targetcli ls and lsfd, and end it there first%s%s",
		holder->filesystem.fstype, on, planning->look->likely ? "; likely: " : "",
		planning->look->likely ? planning->look->likely : "");
}

/* What stands on other devices, too: those could not be found again by their numbers. */
static const char *refusal_elsewhere(const struct holder *holder)
{
	if (holder->type == HOLDER_MD && holder->md.level > 0)
		return "its other members are elsewhere; take the one that is here out of it by hand (mdadm "
		       "--fail, "
		       "then mdadm --remove), or stop the array (mdadm --stop)";
	if (holder->type == HOLDER_MD)
		return "its other members are elsewhere; stop the array by hand: mdadm --stop";
	array_each(target, &holder->dm.targets)
		if (strcmp(target->type, "writecache") == 0)
			return "it is a cache between this device and another one; take it away by hand: "
			       "lvconvert "
			       "--splitcache, or dmsetup message with flush, then dmsetup remove";
	return "it stands on other devices, too, of which this program knows nothing; take it down by hand: "
	       "lvchange -an or dmsetup remove";
}

/* Why it is not taken down, whatever is asked; NULL: it can be. */
static const char *refusal_of(const struct look *look, const struct holder *holder)
{
	const struct holder_kind *kind = holder->kind;
	int device;

	if (kind->lifted_by == EVICT_NEVER)
		return kind->refusal;
	if (holder->refusal)
		return holder->refusal;
	array_each(lower, holder_lowers(holder))
		if (!look_place(look, lower->dev, &device) && device < 0)
			return refusal_elsewhere(holder);
	return NULL;
}

/* What has nothing of its own to say: its kind says what it does there, and what ends it or why nothing does. */
static int veto_kind(struct planning *planning, const struct holder *holder)
{
	const struct holder_kind *kind = holder->kind;
	const char *on = look_on_name(planning->look, holder), *phrase = kind->phrase ? kind->phrase : "stands on";
	const char *refusal = refusal_of(planning->look, holder);
	struct veto veto = { .code = kind->name, .holder = holder->id, .level = kind->lifted_by };

	if (!refusal)
		return add_veto(planning, veto, holder->name, "%s %s %s", holder->name, phrase, on);
	veto.severity = SEVERITY_CRITICAL;
	return add_veto(planning, veto, holder->name, "%s %s %s: %s", holder->name, phrase, on, refusal);
}

/* A client that has files open is a user as a process is, whom nothing asks. */
static int veto_export(struct planning *planning, const struct holder *holder)
{
	struct veto veto = {
		.code = "export", .severity = SEVERITY_HOLDER, .holder = holder->id, .level = EVICT_STOP
	};
	const char *users = holder->export.users;

	if (users)
		veto.level = EVICT_KILL;
	return add_veto(planning, veto, holder->name, "%s is an NFS export of %s%s%s%s", holder->name,
			look_on_name(planning->look, holder), users ? ", and " : "", users ? users : "",
			users ? " has files open there" : "");
}

static int veto_holder(struct planning *planning, const struct holder *holder)
{
	switch (holder->type) {
	case HOLDER_PROCESS:
		return veto_process(planning, holder);
	case HOLDER_MOUNT:
		return veto_mount(planning, holder);
	case HOLDER_SWAP:
		return veto_swap(planning, holder);
	case HOLDER_EXPORT:
		return veto_export(planning, holder);
	case HOLDER_FILESYSTEM:
		return veto_filesystem(planning, holder);
	case HOLDER_MEMORY:
		return plan_veto_memory(planning, holder);
	default:
		return holder->kind->lifted_by == EVICT_NONE ? 0 : veto_kind(planning, holder);
	}
}

/* It may never end (kernel-verdict.c: UNBIND_HANGS), and whatever touches the device then waits for it. */
static int veto_half_removed(struct planning *planning, const struct device *device)
{
	struct veto veto = { .severity = SEVERITY_CRITICAL, .code = "half-removed" };

	return add_veto(
		planning, veto, device->name,
		"the kernel is still removing %s (%s%s) and may never come back from it; if it does not, only "
		"a reboot clears it: do not unmount, bind or disable anything there",
		device->name, device->remover ? "by " : "by whom is not known",
		device->remover ? device->remover : "");
}

/* Somebody whom --evict ends, and who may be the one that references its pages. */
static bool has_process_of(const struct planning *planning, int device)
{
	array_each(holder, &planning->look->holders)
		if (holder->type == HOLDER_PROCESS && holder->device == device)
			return true;
	return false;
}

/*
 * Who is found to be able to reference them is a process among the holders, also when it is found by the pages
 * themselves (USE_PIN).
 */
static int veto_pinned(struct planning *planning, const struct references *references)
{
	const struct device *device = &planning->look->devices.items[references->device];
	const char *name = device->blockdev ? device->blockdev : device->name;
	struct veto veto = { .code = "page-reference", .severity = SEVERITY_HOLDER, .level = EVICT_TERM };
	char where[512], pages[64];

	references_where(planning->look, references, where, sizeof(where));
	snprintf(pages, sizeof(pages), "%" PRIu64 " page%s", references->referenced,
		 references->referenced == 1 ? "" : "s");
	if (has_process_of(planning, references->device))
		return add_veto(planning, veto, device->name,
				"something besides mappings references %s of %s%s: it may go with the processes",
				pages, name, where);
	veto.code = "pinned";
	veto.severity = SEVERITY_CRITICAL;
	return add_veto(
		planning, veto, device->name,
		"something that no list shows references %s of %s%s: a pipe, a buffer registered for I/O, a "
		"transfer in flight; an unbind would leave it memory that is gone: end first who has that",
		pages, name, where);
}

static int veto_references(struct planning *planning, const struct references *references)
{
	const struct device *device = &planning->look->devices.items[references->device];
	struct veto veto = { .code = "references-unknown", .severity = SEVERITY_RISK };

	if (!references->known)
		return add_veto(planning, veto, device->name,
				"whether a page of %s is still referenced cannot be told: %s", device->name,
				references->reason);
	return references->referenced ? veto_pinned(planning, references) : 0;
}

static int veto_device(struct planning *planning, int index)
{
	const struct device *device = &planning->look->devices.items[index];

	if (device->half_removed)
		return veto_half_removed(planning, device);
	if (device->type == DEVICE_CXL_REGION)
		return plan_veto_cxl_region(planning, index);
	if (device->type == DEVICE_CXL_MEMDEV)
		return plan_veto_cxl_memdev(planning, index);
	if (device->system_ram)
		return plan_veto_unseen_memory(planning, index);
	return planning->request->no_unbind ? plan_veto_no_unbind(planning, index) : 0;
}

static int veto_unknowns(struct planning *planning)
{
	struct veto veto = { .code = "incomplete", .severity = SEVERITY_RISK };
	int rc = 0;

	array_each(unknown, &planning->look->unknowns) {
		rc = add_veto(planning, veto, unknown->subject, "%s could not be looked at: %s", unknown->subject,
			      unknown->reason);
		if (rc < 0)
			return rc;
	}
	return rc;
}

/* The file system that a mount, or a process on it, is of; NULL when it is on none. */
static const struct holder *filesystem_of(const struct look *look, const struct holder *holder)
{
	while (holder && holder->type != HOLDER_FILESYSTEM)
		holder = look_holder(look, holder->on);
	return holder;
}

/* Then the outer one could not be unmounted. */
static bool is_mounted_inside_another(const struct look *look, const struct holder *filesystem)
{
	array_each(holder, &look->holders) {
		const struct holder *outer = look_holder(look, holder->inside);

		if (holder->type == HOLDER_MOUNT && !holder->mount.foreign &&
		    holder->mount.dev == filesystem->dev && outer && outer->mount.dev != filesystem->dev)
			return true;
	}
	return false;
}

/* Why the kernel cannot be left to tell the file system of the unbind; NULL when it can. */
static const char *why_not_told(const struct planning *planning, const struct holder *filesystem)
{
	const char *why;

	/* a notification gives up half-way on what is shut down: fs/xfs/xfs_notify_failure.c, "already frozen" */
	if (request_allows(planning->request, "shutdown"))
		return "--allow=shutdown would end it, and --allow=mounted-unbind leaves it to the kernel: one of "
		       "both";
	if (filesystem->filesystem.shut_down)
		return "it has been shut down, and is told nothing any more";
	if (filesystem->filesystem.part)
		return "only a part of it is there";
	if (!look_is_on_disk(planning->look, filesystem))
		return "it is not directly on the disk";
	if (planning->look->devices.items[filesystem->device].mode != MODE_FSDAX)
		return "the kernel tells only file systems on an fsdax namespace";
	if (is_mounted_inside_another(planning->look, filesystem))
		return "it is mounted inside another one, which could not be unmounted then";
	return kernel_mounted_unbind(planning->kernel, &filesystem->filesystem, &why) == UNBIND_TELLS ? NULL : why;
}

static bool is_told(const struct planning *planning, const struct holder *filesystem)
{
	return filesystem && !why_not_told(planning, filesystem);
}

/* What else is mounted inside or stacked on it, and who uses that: the kernel tells none of them. */
static bool is_foreign(const struct look *look, const struct holder *holder)
{
	for (; holder && holder->type != HOLDER_FILESYSTEM; holder = look_holder(look, holder->on))
		if (holder->type == HOLDER_MOUNT ? holder->mount.foreign : holder->kind->stacks)
			return true;
	return false;
}

/* Mounts of the file system itself and its processes; what is mounted inside it would be left dangling. */
static bool can_be_left(const struct planning *planning, const struct holder *holder)
{
	if (is_foreign(planning->look, holder))
		return false;
	if (holder->type == HOLDER_PROCESS && (holder->process.own || holder->process.pid == 1))
		return false;
	return (holder->type == HOLDER_MOUNT || holder->type == HOLDER_PROCESS) &&
	       is_told(planning, filesystem_of(planning->look, holder));
}

static bool blocks_eviction(const struct planning *planning, const struct holder *filesystem)
{
	array_each(veto, &planning->plan->vetoes) {
		const struct holder *holder = look_holder(planning->look, veto->holder);

		if (holder && veto->severity == SEVERITY_HOLDER && planning->request->evict < veto->level &&
		    filesystem_of(planning->look, holder) == filesystem)
			return true;
	}
	return false;
}

bool plan_leaves_mounted(const struct planning *planning, const struct holder *holder)
{
	const struct holder *filesystem = filesystem_of(planning->look, holder);

	return filesystem && request_allows(planning->request, "mounted-unbind") &&
	       !is_foreign(planning->look, holder) && is_told(planning, filesystem) &&
	       blocks_eviction(planning, filesystem);
}

/*
 * --allow=mounted-unbind is used only where the eviction that was asked for
 * does not do: there it lifts the mounts and processes of a file system that
 * the kernel tells, and is itself a veto where this kernel does not end well.
 */
static int allow_mounted_unbind(struct planning *planning)
{
	struct veto critical = { .code = "mounted-unbind", .severity = SEVERITY_CRITICAL };
	int rc = 0;

	array_each(holder, &planning->look->holders) {
		const char *why;

		if (holder->type != HOLDER_FILESYSTEM || !blocks_eviction(planning, holder))
			continue;
		why = why_not_told(planning, holder);
		if (!why)
			continue;
		critical.holder = holder->id;
		rc = add_veto(planning, critical, holder->name,
			      "%s cannot be unbound while mounted: %s; take it down with --evict instead",
			      holder->name, why);
		if (rc < 0)
			return rc;
	}
	array_each(veto, &planning->plan->vetoes) {
		const struct holder *holder = look_holder(planning->look, veto->holder);

		if (holder && veto->severity == SEVERITY_HOLDER && can_be_left(planning, holder))
			veto->stands = false;
	}
	return rc;
}

/* What is frozen or gone cannot be written to, and without a journal nobody could put things back. */
static int veto_journal(struct planning *planning)
{
	const struct look *look = planning->look;
	struct veto veto = { .code = "journal", .severity = SEVERITY_CRITICAL };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < COUNT_OF(look->journal_devs); i++) {
		const struct holder *on =
			look->journal_devs[i] ? look_filesystem(look, look->journal_devs[i]) : NULL;

		veto.holder = on ? on->id : 0;
		if (on)
			rc = add_veto(planning, veto, on->name,
				      "the journal of this program lies on %s (%s): mount another file system "
				      "there first",
				      on->name, i ? "/var/lib/dax-retire" : "/run/dax-retire");
	}
	return rc;
}

int plan_vetoes(struct planning *planning)
{
	struct veto outside = { .code = "namespaces", .severity = SEVERITY_CRITICAL };
	int rc = 0;

	if (!planning->look->initial_namespaces)
		rc = add_veto(planning, outside, planning->request->command,
			      "this program is not in the initial pid and user namespaces and cannot see every "
			      "holder: run it on the host");
	for (size_t i = 0; i < planning->look->devices.count; i++)
		rc = rc < 0 ? rc : veto_device(planning, (int)i);
	array_each(holder, &planning->look->holders)
		rc = rc < 0 ? rc : veto_holder(planning, holder);
	array_each(references, &planning->look->references)
		rc = rc < 0 ? rc : veto_references(planning, references);
	rc = rc < 0 ? rc : veto_unknowns(planning);
	rc = rc < 0 ? rc : veto_journal(planning);
	if (rc == 0 && request_allows(planning->request, "mounted-unbind"))
		rc = allow_mounted_unbind(planning);
	array_each(veto, &planning->plan->vetoes)
		planning->plan->refused |= veto->stands;
	return rc;
}
