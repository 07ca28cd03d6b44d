// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/effects-system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "retire/effects-kept.h"
#include "retire/effects-memory.h"
#include "retire/effects-mount.h"
#include "retire/effects-serve.h"
#include "retire/effects-stack.h"
#include "retire/effects-udev.h"
#include "retire/guardian-scope.h"
#include "util/cleanup.h"

static struct effects_system *system_of(struct effects *effects)
{
	return (struct effects_system *)((char *)effects - offsetof(struct effects_system, effects));
}

static void keep_hanging(struct effects *effects, struct child *left)
{
	if (left->pid < 0)
		return;
	/* with more than one, none ever counts as gone: the first is kept, and what comes after makes it final */
	effects->hanging_more |= !child_reap(&effects->hanging);
	if (effects->hanging_more)
		child_forget(left);
	else
		effects->hanging = *left;
}

int effects_in_child(struct effects *effects, child_work *work, void *argument, struct deadline deadline, int *fd)
{
	struct child left;
	int rc = child_run(work, argument, -1, deadline, fd, &left);

	keep_hanging(effects, &left);
	return rc;
}

int effects_watched(struct effects *effects, child_work *work, void *argument, const struct effects_watch *watch,
		    struct deadline deadline)
{
	struct child child;
	int rc;

	if (!watch)
		return effects_in_child(effects, work, argument, deadline, NULL);
	rc = child_start(&child, work, argument);
	while (child.pid >= 0) {
		rc = child_wait(&child, watch->interrupt, deadline_sooner(deadline, deadline_in(watch->every_ms)),
				NULL);
		if (child.pid < 0 || rc != -ETIMEDOUT || deadline_passed(deadline))
			break;
		watch->look(watch->argument, child.pidfd);
	}
	child_stop(&child);
	keep_hanging(effects, &child);
	return rc;
}

/* The first file of `dev` that the process has, opened anew through its magic link. */
struct process_files {
	pid_t pid;
	dev_t dev;
};

static int open_magic(int directory, const char *name, dev_t dev)
{
	struct stat found;
	int fd;

	if (fstatat(directory, name, &found, 0) < 0 || found.st_dev != dev ||
	    (!S_ISDIR(found.st_mode) && !S_ISREG(found.st_mode)))
		return -ENOENT;
	fd = openat(directory, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int open_any(const char *path, dev_t dev)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *entry;
	int fd;

	while (dir && (entry = readdir(dir))) {
		fd = open_magic(dirfd(dir), entry->d_name, dev);
		if (fd >= 0)
			return fd;
	}
	return -ENOENT;
}

static int open_through_process(void *argument, int *fd)
{
	static const char *const links[] = { "cwd", "root", "exe" };
	const struct process_files *files = argument;
	_cleanup_close_ int directory = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d", files->pid);
	directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < COUNT_OF(links); i++) {
		*fd = open_magic(directory, links[i], files->dev);
		if (*fd >= 0)
			return 0;
	}
	snprintf(path, sizeof(path), "/proc/%d/fd", files->pid);
	*fd = open_any(path, files->dev);
	if (*fd >= 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/map_files", files->pid);
	*fd = open_any(path, files->dev);
	return *fd >= 0 ? 0 : -ENOENT;
}

static int open_by(struct effects *effects, const struct look *look, const struct holder *by,
		   const struct holder *filesystem, int *fd)
{
	struct process_files files = { .dev = filesystem->dev };
	struct mount_work work = { .kept = -1 };

	if (by->type == HOLDER_PROCESS) {
		files.pid = by->process.pid;
		return effects_in_child(effects, open_through_process, &files, deadline_in(5000), fd);
	}
	work.mount = &by->mount;
	work.ns = look->namespaces.items[by->mount.ns].fd;
	return effects_in_child(effects, mount_open, &work, deadline_in(5000), fd);
}

static bool leads_to(const struct look *look, const struct holder *by, const struct holder *filesystem,
		     enum holder_type type)
{
	/* what is mounted inside rests on it, too, and an overlay on it */
	if (type == HOLDER_MOUNT)
		return by->type == type && !by->mount.foreign && by->mount.dev == filesystem->dev;
	return by->type == type && look_rests_on(look, by, filesystem->id);
}

static int system_open_filesystem(struct effects *effects, const struct look *look,
				  const struct holder *filesystem, int *fd, struct err *err)
{
	static const enum holder_type ways[] = { HOLDER_MOUNT, HOLDER_PROCESS };
	int rc = -ENOENT;

	*fd = -1;
	for (size_t i = 0; i < COUNT_OF(ways); i++)
		array_each(by, &look->holders) {
			if (!leads_to(look, by, filesystem, ways[i]))
				continue;
			rc = open_by(effects, look, by, filesystem, fd);
			if (rc == 0)
				return 0;
			cleanup_close(fd);
			*fd = -1;
		}
	return err_errno(err, rc, "cannot open the file system of %s", filesystem->name);
}

static int do_scope(void *argument, int *fd)
{
	(void)fd;
	return guardian_scope(*(pid_t *)argument);
}

/* A scope of its own is good to have, no more: without one the guardian still outlives this program. */
static int start_guardian(struct effects_system *system)
{
	int rc = guardian_start(&system->guardian);

	if (rc == 0)
		effects_in_child(&system->effects, do_scope, &system->guardian.pid, deadline_in(4000), NULL);
	return rc;
}

static int system_guard(struct effects *effects, struct err *err)
{
	struct effects_system *system = system_of(effects);
	int rc = system->guardian.pid < 0 ? start_guardian(system) : 0;

	if (rc < 0)
		return err_errno(err, rc, "cannot start the guardian");
	mlockall(MCL_CURRENT | MCL_FUTURE);
	return 0;
}

static int do_thaw(void *argument, int *fd)
{
	(void)fd;
	return ioctl(*(int *)argument, FITHAW, 0) < 0 ? -errno : 0;
}

/* Did the guardian say so, or is it gone? */
static bool is_answer(struct effects_system *system, int rc)
{
	return rc != -ESRCH && rc != -EPIPE && rc != -ECONNRESET &&
	       waitpid(system->guardian.pid, NULL, WNOHANG) == 0;
}

/*
 * The freeze is still on its way, or its guardian was killed. A guardian that
 * lives thaws when it completes; otherwise that is tried here, once.
 */
static int give_up_freeze(struct effects_system *system, int fd, struct err *err)
{
	bool lives = waitpid(system->guardian.pid, NULL, WNOHANG) == 0;
	int guardian = system->guardian.pid;

	cleanup_close(&system->guardian.socket);
	system->guardian = GUARDIAN_NONE;
	if (lives)
		return err_set(err, -ETIMEDOUT,
			       "the freeze does not complete, process %d thaws it as soon as it does; "
			       "end the writer that it waits for",
			       guardian);
	if (effects_in_child(&system->effects, do_thaw, &fd, deadline_in(2000), NULL) == 0)
		return err_set(err, -EPIPE, "its guardian was killed");
	return err_set(err, -ETIMEDOUT,
		       "its guardian was killed in the middle: if writes to it hang, run fsfreeze -u on it");
}

static int system_freeze(struct effects *effects, int fd, struct deadline deadline, struct err *err)
{
	struct effects_system *system = system_of(effects);
	int rc;

	rc = guardian_freeze(&system->guardian, fd, deadline);
	if (rc == 0) {
		system->frozen = fd;
		return 0;
	}
	munlockall();
	if (rc == -ETIMEDOUT || !is_answer(system, rc))
		return give_up_freeze(system, fd, err);
	return err_set(err, rc, "%s", rc == -EBUSY ? "somebody else has frozen it" : strerror(-rc));
}

static int system_thaw(struct effects *effects, struct deadline deadline, struct err *err)
{
	struct effects_system *system = system_of(effects);
	int rc = guardian_thaw(&system->guardian, deadline);

	/* a guardian that was killed cannot thaw any more */
	if (rc < 0 && effects_in_child(effects, do_thaw, &system->frozen, deadline, NULL) == 0)
		rc = 0;
	if (rc < 0)
		return err_set(err, rc, "%s", strerror(-rc));
	system->frozen = -1;
	munlockall();
	return rc;
}

static int system_release(struct effects *effects, struct deadline deadline, struct err *err)
{
	int rc = guardian_stop(&system_of(effects)->guardian, deadline);

	return rc < 0 ? err_set(err, rc, "the guardian does not end") : 0;
}

static int system_thaw_left(struct effects *effects, int fd, struct deadline deadline, struct err *err)
{
	int rc = effects_in_child(effects, do_thaw, &fd, deadline, NULL);

	/* EINVAL: not frozen, fs/super.c:thaw_super_locked() */
	if (rc == -EINVAL)
		return 1;
	return rc < 0 ? err_set(err, rc, "%s", strerror(-rc)) : 0;
}

static int do_flush(void *argument, int *fd)
{
	int file = *(int *)argument;
	struct stat found;

	(void)fd;
	if (fstat(file, &found) < 0)
		return -errno;
	return (S_ISBLK(found.st_mode) ? fsync(file) : syncfs(file)) < 0 ? -errno : 0;
}

static int system_flush(struct effects *effects, int fd, struct deadline deadline, struct err *err)
{
	/* the child shares the open file, and with it which write errors were seen: syncfs(2) */
	int rc = effects_in_child(effects, do_flush, &fd, deadline, NULL);

	return rc < 0 ? err_set(err, rc, "%s", strerror(-rc)) : 0;
}

/* XFS_IOC_GOINGDOWN, EXT4_IOC_SHUTDOWN and F2FS_IOC_SHUTDOWN are one number, and so is their flag for "at once".
 */
#define IOC_SHUTDOWN	    _IOR('X', 125, uint32_t)
#define SHUTDOWN_NOLOGFLUSH 2

static int do_shut_down(void *argument, int *fd)
{
	uint32_t flags = SHUTDOWN_NOLOGFLUSH;

	(void)fd;
	return ioctl(*(int *)argument, IOC_SHUTDOWN, &flags) < 0 ? -errno : 0;
}

static int system_shut_down(struct effects *effects, int fd, struct deadline deadline, struct err *err)
{
	int rc = effects_in_child(effects, do_shut_down, &fd, deadline, NULL);

	return rc < 0 ? err_errno(err, rc, "cannot shut the file system down") : 0;
}

static int system_signal(struct effects *effects, const struct process *process, int number, struct err *err)
{
	(void)effects;
	if (process->pidfd < 0 || process->own || process->pid <= 1)
		return err_set(err, -EPERM, "%s[%d] is not to be signalled", process->comm, process->pid);
	if (syscall(SYS_pidfd_send_signal, process->pidfd, number, NULL, 0) == 0)
		return 0;
	return errno == ESRCH ? 1 : err_errno(err, -errno, "cannot signal %s[%d]", process->comm, process->pid);
}

static int system_unmount(struct effects *effects, const struct mount *mount, int ns, int *kept,
			  struct deadline deadline, struct err *err)
{
	struct mount_work work = { mount, ns, -1 };
	int clone = -1, rc = effects_in_child(effects, mount_detach, &work, deadline, &clone);

	if (rc == 0 && kept)
		*kept = take_fd(&clone);
	cleanup_close(&clone);
	return rc < 0 ? err_set(err, rc, "%s", strerror(-rc)) : rc;
}

static int system_mount(struct effects *effects, const struct mount *mount, int ns, int kept,
			struct deadline deadline, struct err *err)
{
	struct mount_work work = { mount, ns, kept };
	int rc = effects_in_child(effects, mount_attach, &work, deadline, NULL);

	return rc < 0 ? err_set(err, rc, "%s", strerror(-rc)) : rc;
}

static int system_find_kept(struct effects *effects, const struct mount *mount)
{
	(void)effects;
	return kept_find(mount->id);
}

static int do_forget_kept(void *argument, int *fd)
{
	(void)argument;
	(void)fd;
	return kept_forget();
}

static int system_forget_kept(struct effects *effects, struct err *err)
{
	int rc = effects_in_child(effects, do_forget_kept, NULL, deadline_in(10000), NULL);

	return rc < 0 ? err_set(err, rc, "%s", strerror(-rc)) : rc;
}

static int do_swap_off(void *argument, int *fd)
{
	const struct swap *swap = argument;

	(void)fd;
	return swapoff(swap->path) < 0 ? -errno : 0;
}

static int do_swap_on(void *argument, int *fd)
{
	const struct swap *swap = argument;
	int flags = swap->priority >= 0 ? SWAP_FLAG_PREFER | (swap->priority & SWAP_FLAG_PRIO_MASK) : 0;

	(void)fd;
	return swapon(swap->path, flags) < 0 ? -errno : 0;
}

static int system_swap(struct effects *effects, child_work *work, const struct swap *swap, int done_already,
		       struct deadline deadline, struct err *err)
{
	struct swap copy = *swap;
	int rc = effects_in_child(effects, work, &copy, deadline, NULL);

	if (rc == done_already)
		return 1;
	return rc < 0 ? err_set(err, rc, "%s", strerror(-rc)) : 0;
}

static int system_swap_off(struct effects *effects, const struct swap *swap, struct deadline deadline,
			   struct err *err)
{
	return system_swap(effects, do_swap_off, swap, -EINVAL, deadline, err);
}

static int system_swap_on(struct effects *effects, const struct swap *swap, struct deadline deadline,
			  struct err *err)
{
	return system_swap(effects, do_swap_on, swap, -EBUSY, deadline, err);
}

/* In words what an errno would only hint at. */
static int tell_served(int rc, struct err *err)
{
	switch (rc) {
	case -ENOPKG:
		return err_set(err, rc, "there is no /usr/sbin/exportfs (Debian: nfs-kernel-server)");
	case -EREMOTEIO:
		return err_set(err, rc, "exportfs failed: run it by hand to see why");
	case -EBUSY:
		return err_set(
			err, rc,
			"an NFS client has files open there and elsewhere, and this kernel lets go of all or "
			"none: write \"expire\" to its /proc/fs/nfsd/clients/*/ctl");
	default:
		return rc < 0 ? err_set(err, rc, "%s", strerror(-rc)) : rc;
	}
}

static int system_withdraw(struct effects *effects, const struct holder *served, dev_t on,
			   struct deadline deadline, struct err *err)
{
	struct serve_work work = { served, on };

	return tell_served(effects_in_child(effects, serve_end, &work, deadline, NULL), err);
}

static int system_offer(struct effects *effects, const struct holder *served, struct deadline deadline,
			struct err *err)
{
	struct serve_work work = { served, 0 };

	return tell_served(effects_in_child(effects, serve_begin, &work, deadline, NULL), err);
}

/* udevd answers within this, or is not there. */
enum { UDEV_MS = 8000 };

static int do_keep_offline(void *argument, int *fd)
{
	(void)fd;
	return udev_keep_offline(argument);
}

static int system_keep_offline(struct effects *effects, const struct system_ram *memory, struct err *err)
{
	struct system_ram copy = *memory;
	int rc = effects_in_child(effects, do_keep_offline, &copy, deadline_in(UDEV_MS), NULL);

	return rc < 0 ? err_errno(err, rc, "cannot keep the rules of udev off") : rc;
}

static int do_let_online(void *argument, int *fd)
{
	(void)argument;
	(void)fd;
	return udev_let_online();
}

static int system_let_online(struct effects *effects, struct err *err)
{
	int rc = effects_in_child(effects, do_let_online, NULL, deadline_in(UDEV_MS), NULL);

	return rc < 0 ? err_set(err, rc, "%s", strerror(-rc)) : rc;
}

/* A node of our own for a disk that has none in /dev; gone again before anybody sees it. */
static int open_own_node(dev_t dev, int flags)
{
	char path[64];
	int fd, rc;

	snprintf(path, sizeof(path), "/dev/.dax-retire-%d", getpid());
	if (mknod(path, S_IFBLK | 0600, dev) < 0)
		return -errno;
	fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC);
	rc = fd < 0 ? -errno : fd;
	unlink(path);
	return rc;
}

int effects_open_block(const char *name, dev_t dev, int flags)
{
	_cleanup_close_ int node = -1;
	struct stat found = { 0 };
	char path[280];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	node = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	/* a node of that name may be anything */
	if (node < 0 || fstat(node, &found) < 0 || !S_ISBLK(found.st_mode) || found.st_rdev != dev)
		return open_own_node(dev, flags);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", node);
	fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int system_claim(struct effects *effects, const struct device *device, int *fd, struct err *err)
{
	(void)effects;
	*fd = effects_open_block(device->blockdev, device->dev, O_RDONLY | O_EXCL);
	return *fd < 0 ? err_errno(err, *fd, "cannot claim block device %u:%u (%s)", major(device->dev),
				   minor(device->dev), device->name)
		       : 0;
}

struct device_work {
	device_work *work;
	const struct device *device;
};

static int do_device(void *argument, int *fd)
{
	const struct device_work *work = argument;

	(void)fd;
	return work->work(work->device);
}

static int on_device(struct effects *effects, device_work *what, const struct device *device,
		     struct deadline deadline, struct err *err)
{
	struct device_work work = { what, device };
	int rc = effects_in_child(effects, do_device, &work, deadline, NULL);

	return rc < 0 ? err_set(err, rc, "%s", strerror(-rc)) : rc;
}

static int system_disable(struct effects *effects, const struct device *device, struct deadline deadline,
			  struct err *err)
{
	return on_device(effects, system_of(effects)->disable, device, deadline, err);
}

static int system_enable(struct effects *effects, const struct device *device, struct deadline deadline,
			 struct err *err)
{
	return on_device(effects, system_of(effects)->enable, device, deadline, err);
}

struct change_work {
	device_change *work;
	const struct device *device;
	enum cxl_change change;
};

static int do_change(void *argument, int *fd)
{
	const struct change_work *work = argument;

	(void)fd;
	return work->work(work->device, work->change);
}

static int system_change(struct effects *effects, const struct device *device, enum cxl_change change,
			 struct deadline deadline, struct err *err)
{
	struct change_work work = { system_of(effects)->change, device, change };
	int rc = effects_in_child(effects, do_change, &work, deadline, NULL);

	return rc < 0 ? err_set(err, rc, "%s", strerror(-rc)) : rc;
}

void effects_system_init(struct effects_system *system, device_work *disable, device_work *enable,
			 device_change *change, int interrupt)
{
	*system = (struct effects_system){
		.effects = {
			.open_filesystem = system_open_filesystem,
			.guard = system_guard,
			.freeze = system_freeze,
			.thaw = system_thaw,
			.release = system_release,
			.thaw_left = system_thaw_left,
			.flush = system_flush,
			.shut_down = system_shut_down,
			.signal = system_signal,
			.unmount = system_unmount,
			.mount = system_mount,
			.find_kept = system_find_kept,
			.forget_kept = system_forget_kept,
			.swap_off = system_swap_off,
			.swap_on = system_swap_on,
			.withdraw = system_withdraw,
			.offer = system_offer,
			.take_down = stack_take_down,
			.put_up = stack_put_up,
			.offline_block = memory_offline_block,
			.online_block = memory_online_block,
			.unplug = memory_unplug,
			.plug = memory_plug,
			.keep_offline = system_keep_offline,
			.let_online = system_let_online,
			.claim = system_claim,
			.disable = system_disable,
			.enable = system_enable,
			.change = system_change,
			.interrupt = interrupt,
			.hanging = CHILD_NONE,
		},
		.guardian = GUARDIAN_NONE,
		.frozen = -1,
		.disable = disable,
		.enable = enable,
		.change = change,
	};
}

void effects_system_end(struct effects_system *system)
{
	guardian_stop(&system->guardian, deadline_in(1000));
	child_forget(&system->effects.hanging);
}
