/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The closed list of things that change the machine. Nothing else in the
 * program does: steps call these, and a recording one can stand in for them.
 *
 * Each takes a deadline after which it gives up. Calls that the kernel may
 * never finish run in a child; one that is still in the kernel when it is
 * given up is kept in `hanging`, and the call returns -ETIMEDOUT. Functions
 * return 0, or 1 where it was so already ("not needed"), or a negative errno
 * with a message.
 */
#ifndef RETIRE_EFFECTS_H
#define RETIRE_EFFECTS_H

#include "retire/model.h"
#include "util/child.h"

/* Looks at what goes on, while a call is in the kernel: a look that takes long stops when `ended` is readable,
 * since the call is over. `interrupt` (-1: none) ends the call when it is readable. */
struct effects_watch {
	void (*look)(void *argument, int ended);
	void *argument;
	unsigned every_ms;
	int interrupt;
};

struct effects {
	/*
	 * A descriptor (O_RDONLY) on the file system, through one of its
	 * mounts or, for a detached one, through one of its processes.
	 * Changes nothing by itself. The caller closes it.
	 */
	int (*open_filesystem)(struct effects *effects, const struct look *look, const struct holder *filesystem,
			       int *fd, struct err *err);

	/* Gets the guardian ready, and this program for a time in which a page fault could wait for what is
	 * frozen. */
	int (*guard)(struct effects *effects, struct err *err);
	/* FIFREEZE, by the guardian, which thaws when this program dies or 5 s have passed. One at a time. */
	int (*freeze)(struct effects *effects, int fd, struct deadline deadline, struct err *err);
	/* FITHAW of what freeze() froze; 1: the guardian had to do it before. */
	int (*thaw)(struct effects *effects, struct deadline deadline, struct err *err);
	/* The guardian closes its descriptors, so that they keep no mount busy. */
	int (*release)(struct effects *effects, struct deadline deadline, struct err *err);
	/* FITHAW of what somebody who is gone has left frozen; 1: it was not frozen. */
	int (*thaw_left)(struct effects *effects, int fd, struct deadline deadline, struct err *err);

	/* syncfs(2) of a file system, fsync(2) of a block device: reports data that could not be written, once. */
	int (*flush)(struct effects *effects, int fd, struct deadline deadline, struct err *err);

	/*
	 * Shuts the file system down (FS_IOC_SHUTDOWN, no log flush): nothing
	 * more is written, and what was not is lost. For good.
	 */
	int (*shut_down)(struct effects *effects, int fd, struct deadline deadline, struct err *err);

	/* Through the pidfd that proves who it is. 1: gone already. */
	int (*signal)(struct effects *effects, const struct process *process, int signal, struct err *err);

	/*
	 * In its mount namespace (`ns`, a descriptor), only if that very mount
	 * is on top there. A foreign mount is first cloned detached: *kept (may be NULL) gets
	 * the clone, from which mount() puts it back whole.
	 */
	int (*unmount)(struct effects *effects, const struct mount *mount, int ns, int *kept,
		       struct deadline deadline, struct err *err);
	/* Puts back what unmount() took away, from `kept` or, -1, from its device with its options. */
	int (*mount)(struct effects *effects, const struct mount *mount, int ns, int kept,
		     struct deadline deadline, struct err *err);

	/* The clone that unmount() kept, also when another process did it: a descriptor, or -ENOENT. */
	int (*find_kept)(struct effects *effects, const struct mount *mount);
	/* Lets all that unmount() kept go. */
	int (*forget_kept)(struct effects *effects, struct err *err);

	int (*swap_off)(struct effects *effects, const struct swap *swap, struct deadline deadline,
			struct err *err);
	int (*swap_on)(struct effects *effects, const struct swap *swap, struct deadline deadline,
		       struct err *err);

	/*
	 * Ends what the kernel serves to others: an NFS export, and what its
	 * clients have open on file system `on`, or a namespace of an NVMe
	 * target. 1: it was not served any more.
	 */
	int (*withdraw)(struct effects *effects, const struct holder *served, dev_t on, struct deadline deadline,
			struct err *err);
	/* Serves it again as it was; 1: it is. -ENOENT: what it was served as is not there any more. */
	int (*offer)(struct effects *effects, const struct holder *served, struct deadline deadline,
		     struct err *err);

	/*
	 * Takes a block device away that the kernel makes of others (a loop or
	 * device-mapper device), after a last flush that reports what could not be written;
	 * 1: it has gone by itself. -EBUSY: somebody has it open.
	 */
	int (*take_down)(struct effects *effects, const struct holder *stack, struct deadline deadline,
			 struct err *err);
	/* Makes it again as it was; 1: it is there. *fd keeps one that would go with its last user; -1: none. */
	int (*put_up)(struct effects *effects, const struct holder *stack, int *fd, struct deadline deadline,
		      struct err *err);

	/*
	 * A block of memory of this system. Going offline takes as long as the
	 * kernel needs to move what is there, and for ever where it cannot: at the deadline it is
	 * told to stop, and the block is online as before. 1: it is so already. `watch` may be NULL.
	 */
	int (*offline_block)(struct effects *effects, uint64_t number, const struct effects_watch *watch,
			     struct deadline deadline, struct err *err);
	int (*online_block)(struct effects *effects, uint64_t number, enum memory_zone zone,
			    struct deadline deadline, struct err *err);

	/*
	 * Takes the blocks of a dax device, which are offline, out of the system,
	 * so that nobody can bring one online (Linux 7.3: its attribute `state`). 1: this
	 * kernel cannot, or they are out. What came of it is seen by the blocks.
	 */
	int (*unplug)(struct effects *effects, const struct device *device, struct deadline deadline,
		      struct err *err);
	/* Puts them back, online in that zone; 1: they are not out. */
	int (*plug)(struct effects *effects, const struct device *device, enum memory_zone zone,
		    struct deadline deadline, struct err *err);

	/*
	 * Keeps the rules of udev from bringing those blocks online, until
	 * let_online(). What is set by hand goes on as ever. 1: there are no rules that could.
	 */
	int (*keep_offline)(struct effects *effects, const struct system_ram *memory, struct err *err);
	/* … of all blocks, also those that somebody who is gone has kept; 1: there are none. */
	int (*let_online)(struct effects *effects, struct err *err);

	/* O_RDONLY|O_EXCL of the whole disk: proof that no superblock, dm table or swap area is left. No waiting.
	 */
	int (*claim)(struct effects *effects, const struct device *device, int *fd, struct err *err);

	/* Takes the device from its driver. Cannot be undone by us. */
	int (*disable)(struct effects *effects, const struct device *device, struct deadline deadline,
		       struct err *err);

	/* Gives it to its driver again, as it was; 1: it was so already. */
	int (*enable)(struct effects *effects, const struct device *device, struct deadline deadline,
		      struct err *err);

	/* Takes a CXL device down further, or brings it back (enum cxl_change); 1: it was so already. */
	int (*change)(struct effects *effects, const struct device *device, enum cxl_change change,
		      struct deadline deadline, struct err *err);

	int interrupt;	      /* signalfd of SIGINT, SIGTERM, SIGHUP; -1: none */
	struct child hanging; /* the first child that was given up in the kernel; CHILD_NONE: none */
	bool hanging_more;    /* and there were others */
};

#endif
