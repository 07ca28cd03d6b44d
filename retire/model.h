/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plain data that every room shares: the devices of a retirement and one
 * graph of what holds them. Nothing in here points into a library's object.
 *
 * The graph: every holder has an `on`, the id of the holder that it rests on
 * (0: directly on the device's own block or character device). A partition, a
 * dm device or a file system is a holder of what is below it and a place that
 * others hold. A mount also has an `inside`, the mount whose tree its mount
 * point is in. Both edges together give the order in which things are taken
 * down.
 *
 * Ownership: a `struct look` owns every string and descriptor below it and
 * look_free() lets all go. Strings from outside (paths, comm, unit names) are
 * kept as the bytes that the kernel gave; whoever prints them quotes them.
 * Sizes are bytes, times milliseconds, unless a name says otherwise.
 */
#ifndef RETIRE_MODEL_H
#define RETIRE_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "retire/cxl.h"
#include "retire/memory.h"
#include "util/array.h"
#include "util/err.h"

/* How far the user lets us go against holders; the order is the meaning. */
enum evict_level { EVICT_NONE, EVICT_STOP, EVICT_TERM, EVICT_KILL, EVICT_NEVER };

const char *evict_level_name(enum evict_level level);

/* The order is that in which their drivers are taken away: what stands on another before that. */
enum device_type {
	DEVICE_PMEM_NAMESPACE,
	DEVICE_DAX,
	DEVICE_PMEM_REGION,
	DEVICE_CXL_REGION,
	DEVICE_CXL_MEMDEV,
	DEVICE_TYPES
};
enum device_mode {
	MODE_FSDAX,
	MODE_DEVDAX,
	MODE_SYSTEM_RAM,
	MODE_SECTOR,
	MODE_RAW,
	MODE_RAM,  /* a CXL region of volatile memory … */
	MODE_PMEM, /* … or of persistent memory */
	MODE_NONE
};

const char *device_type_name(enum device_type type);
const char *device_bus(enum device_type type);	     /* "nd", "dax", "cxl": tells nd's region0 from cxl's */
const char *device_tool(enum device_type type);	     /* whose command it is for: "ndctl" */
bool device_has_users(enum device_type type);	     /* they open, map or mount it; else others stand on it */
const char *device_mode_name(enum device_mode mode); /* NULL for MODE_NONE */

/*
 * A device that the user named, or that stands on a region that the user
 * named. `dev` is of the whole disk, or of the character device in devdax mode;
 * a region has no node of its own, and comes after its namespaces; a memdev
 * comes after its regions.
 */
struct device {
	char *name; /* "namespace0.0", "region0" */
	char *path; /* in sysfs, with links resolved: "/sys/devices/…/namespace0.0" */
	enum device_type type;
	enum device_mode mode;
	bool enabled;	     /* a driver gives it to users */
	bool system_ram;     /* devdax handed on to the kmem driver */
	char *driver_device; /* whose driver does so: "pfn0.0", "btt0.0" or its own name; NULL when disabled */
	char *driver;	     /* "nd_pmem", "nd_region"; NULL when disabled */
	char *blockdev;	     /* "pmem0", or the character device "dax0.0"; NULL when there is none */
	dev_t dev;	     /* 0 when there is none */
	uint64_t size;
	char *uuid; /* of the namespace; NULL when it has none */
	char *disk; /* what its block device is called whenever there is one, "pmem0" (an "s" more with btt); or
		       NULL */
	bool gone;  /* disabled, but something still lives on a disk that it had: blockdev and dev are of that one
		     */
	bool half_removed; /* the kernel has begun to take its driver away and has not ended; counts as enabled */
	char *remover;	   /* the process in the kernel that does so: "bash[812]"; NULL when unknown */

	/* What else tells it from another one of its name; 0 or NULL when it has none, or it cannot be read. */
	char *instance_uuid; /* of the pfn, btt or dax instance; NULL in raw mode and when disabled */
	uint64_t capacity;   /* of the namespace or region itself; `size` is what an instance offers of it */
	uint64_t resource;   /* the first physical address */
	uint64_t set_cookie; /* of a region: of the DIMMs and the places on them that it is made of */

	/* What can be mapped of it, page by page: without what the kernel keeps for itself at its start. */
	struct memory_ranges memory;
	uint64_t align; /* of a device-dax: its pages are that large, in bytes; 0: unknown */

	struct cxl cxl; /* of a CXL region or memdev, and empty else */
	size_t below;	/* the device of the look that it stands on, as its index + 1; 0: none is there */
};

/* Does the kernel have a struct page for what it gives to users, so that somebody can reference one? */
bool device_has_pages(const struct device *device);

/* A CXL region whose memory the system goes on using, though its driver or its cards were taken from under it. */
bool device_is_burned(const struct device *device);

/* In the order of probing: places before those who are on them, a file system before the loop devices on its
 * files. */
enum holder_type {
	HOLDER_PARTITION,
	HOLDER_DM,
	HOLDER_MD,
	HOLDER_FILESYSTEM,
	HOLDER_OVERLAY, /* a file system on directories of others */
	HOLDER_LOOP,
	HOLDER_MOUNT,
	HOLDER_SWAP,
	HOLDER_EXPORT,
	HOLDER_NVME_TARGET,
	HOLDER_SCSI_TARGET,
	HOLDER_BCACHE,
	HOLDER_MEMORY,
	HOLDER_PROCESS,
	HOLDER_TYPES
};

struct holder_kind; /* plan.h: how a kind is found, and which steps end it */

/* Features of a file system that decide what a kernel does to it. */
enum filesystem_feature { FS_XFS_RMAPBT = 1 << 0, FS_FEATURES_UNKNOWN = 1 << 1 };

struct filesystem {
	dev_t dev; /* st_dev of its files, also major:minor in mountinfo */
	char *fstype;
	unsigned features; /* enum filesystem_feature */
	bool detached;	   /* alive although no mount shows it */
	bool shut_down;	   /* its kernel side has given up: EIO */
	bool read_only;
	bool no_dax;	  /* none of its files can be mapped directly; false: some may be */
	const char *part; /* what of it the device has: "log", "journal", "real-time section"; NULL: it itself */
	bool told;	  /* of a dead device: the kernel took all direct mappings away before the memory went */
};

/* One line of a mount table, in one mount namespace. */
struct mount {
	uint64_t id, parent; /* mnt_id as mountinfo and statx() give it */
	dev_t dev;
	char *root;	   /* which directory of the file system is mounted: "/" or a bind */
	char *point;	   /* as seen from the root of its mount namespace */
	char *options;	   /* of the mount: "rw,relatime" */
	char *propagation; /* optional fields: "shared:13 master:2", "" when private */
	char *fstype;
	char *source;
	char *super_options; /* of the file system */
	int ns;		     /* index into look.namespaces */
	bool foreign;	     /* not of the device: something else mounted below one of its mounts */
};

enum use {
	USE_OPEN = 1 << 0,
	USE_MAP = 1 << 1,
	USE_CWD = 1 << 2,
	USE_ROOT = 1 << 3,
	USE_EXE = 1 << 4,
	USE_NAMESPACE = 1 << 5,
	USE_PIN = 1 << 6,    /* it can pin pages, which outlives every open and map */
	USE_SOCKET = 1 << 7, /* a unix socket that is bound to a file */
	USE_FLIGHT = 1 << 8, /* a descriptor on its way over a unix socket, to one of its */
	USE_RING = 1 << 9,   /* registered with a ring of io_uring */
	USE_PAGES = 1 << 10  /* a pipe of its or a buffer in a ring keeps pages referenced */
};

struct process {
	pid_t pid;
	uint64_t starttime; /* field 22 of /proc/PID/stat: clock ticks since boot */
	char comm[64];
	uid_t uid;	 /* real uid */
	char *unit;	 /* systemd unit from its cgroup; NULL when none */
	char *vm;	 /* name of the virtual machine that it runs, "" when it has none; NULL: it runs none */
	char *container; /* id or name of the container that it is in; NULL when in none */
	unsigned uses;	 /* enum use */
	char *path;	 /* one of the files it uses, for the message; NULL when unknown */
	int pages_fd;	 /* with USE_PAGES: its descriptor that keeps them, or one of several … */
	uint64_t pinned; /* … and how many pages all of them keep; 0: not known */
	int pidfd;	 /* taken when it was found, proven to be this process; -1 when not taken */
	bool own;	 /* this program or one of its ancestors */
};

struct swap {
	char *path; /* as in /proc/swaps */
	int priority;
	uint64_t size, used;
	bool file; /* a file on a file system, not a block device */
};

/* A directory or file that nfsd serves to a client. */
struct export
{
	char *path, *client; /* as exportfs(8) has them: "/mnt/data", "10.0.0.0/24" */
	char *options;	     /* as in its table; NULL: served on behalf of another export */
	char *users;	     /* clients that have files of its file system open; NULL: none */
};

/* What a target of the kernel serves. */
struct nvme_target {
	char *directory; /* of its attributes, in configfs */
	char *backing;	 /* the path that it was told */
	char *uuid;	 /* NULL when it has none */
};

/* What a loop device stands on, and how: enough to make it again. */
struct loop {
	char *path; /* of the file or block device below */
	bool file;
	uint64_t inode;		     /* of the file */
	uint64_t offset, size_limit; /* bytes; limit 0: up to the end */
	unsigned block_size;	     /* bytes */
	bool read_only, partitions, direct_io;
	bool autoclear; /* it goes with its last user */
};

struct dm_target {
	uint64_t start, length; /* sectors of 512 bytes */
	char *type;		/* "linear" */
	char *params;
};

/* What a dm table names (dm-table.h: where it does), or a member of an md array. */
struct lower {
	dev_t dev;
	char *name; /* of the holder that it is, "" for the device itself; NULL until it is captured */
	int device; /* index into look.devices, of the captured */
};

struct lowers {
	ARRAY_OF(struct lower);
};

/* A device-mapper device: enough to make it again. */
struct dm {
	char *name, *uuid; /* uuid: "" when it has none */
	bool read_only;
	ARRAY_OF(struct dm_target) targets;
	struct lowers lower;
};

/* An md array: enough to assemble it again, and to know it again. */
struct md {
	int level;			   /* -1: linear */
	unsigned raid_disks, major, minor; /* the latter: version of its metadata, 1 and 2 for "1.2" */
	uint64_t created;		   /* by its metadata, seconds since 1970 */
	bool read_only;
	struct lowers lower;
};

struct holder {
	int id; /* 1, 2, … in the order found; the index is id - 1 */
	enum holder_type type;
	const struct holder_kind *kind;
	int device;	/* index into look.devices */
	int on, inside; /* ids; see above */
	char *name;	/* "/mnt/data", "fio[812]", "dm-0", "pmem0p1" */
	dev_t dev;	/* of the place that this is (partition, dm, file system); 0 for mounts, processes, swap */
	const char *refusal; /* constant: why it cannot be taken down although its kind can; NULL: it can */
	union {
		struct filesystem filesystem;
		struct mount mount;
		struct process process;
		struct swap swap;
		struct export export;
		struct nvme_target nvme;
		struct loop loop;
		struct dm dm;
		struct md md;
		struct system_ram memory;
	};
};

/* A mount namespace, held by descriptor so that its mounts can be reached. */
struct mount_namespace {
	uint64_t ino;
	int fd;		      /* of /proc/PID/ns/mnt; -1 in a recorded tree */
	bool initial;	      /* the one this program and pid 1 live in */
	bool less_privileged; /* owned by another user namespace: its private copies of our mounts are locked */
	uint64_t unique;      /* never given twice in a boot, as the inode number is; 0: this kernel has none */
	pid_t pid;	      /* one of its processes, with its start time; 0: none is known */
	uint64_t starttime;
	char *keeper; /* without a process: the mount of its file, or who has that open; NULL: not known */
};

/* Something that could not be looked at. Unknown is never "none". */
struct unknown {
	char *subject; /* "process 812", "mount namespace 4026532210" */
	char *reason;
};

/* Pages in a row that something references, which is no mapping. Of which file is told of the first, as a hint. */
struct referenced_run {
	uint64_t pfn, pages; /* the number of the first, and how many; a larger page counts as one */
	dev_t dev;	     /* st_dev of the file; 0: of no file, or not known */
	uint64_t inode, index;
	char *path; /* from the root of its file system; NULL when not known */
};

/* The references to the pages of one device, counted at one time. */
struct references {
	int device;	      /* index into look.devices */
	bool known;	      /* false: could not be told, see `reason` */
	char *reason;	      /* NULL when known */
	uint64_t counted;     /* pages */
	uint64_t referenced;  /* by something that is no mapping */
	uint64_t mapped;      /* pages; only when … */
	bool counts_mappings; /* … this kernel counts those of a device's memory */
	ARRAY_OF(struct referenced_run) runs;
	bool more_runs; /* than are kept in `runs` */
};

/* The kernel's array of all pages: by that it is asked who has one of them. The same for as long as it runs. */
struct page_array {
	uint64_t base;	/* address of the struct page of page frame 0; 0: not found out */
	uint32_t entry; /* bytes of each */
};

/* What one look at the machine found. */
struct look {
	ARRAY_OF(struct device) devices;
	ARRAY_OF(struct holder) holders;
	ARRAY_OF(struct mount_namespace) namespaces;
	ARRAY_OF(struct unknown) unknowns;
	ARRAY_OF(struct references) references; /* of devices with pages, when they were counted */
	struct page_array page_array;
	char *likely; /* who may hold what is held by nobody that is seen; NULL: nobody, or all is seen */
	bool again;   /* not the first at these devices: look_copy_devices() */
	bool initial_namespaces; /* this program lives in the initial pid and user namespaces */
	bool keepers_searched;	 /* descriptors have been searched for mount namespaces */
	dev_t journal_devs[2];	 /* file systems that this program writes its journal on; 0: not known */
};

/* New holder of `type`, named by printf rules; NULL when memory is out. Pointers to other holders become stale. */
struct holder *look_add_holder(struct look *look, enum holder_type type, int device, int on, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Record that `subject` could not be looked at. 0 or -ENOMEM. */
int look_add_unknown(struct look *look, const char *subject, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* True when all was looked at that can hold the devices. */
bool look_is_complete(const struct look *look);

/* By id; NULL for 0. */
struct holder *look_holder(const struct look *look, int id);

/* The block device `dev` (st_rdev of its nodes) that is a holder (partition, dm, md, loop), or NULL;
 * *device gets the index of the device whose own number it is, -1 when it is none. */
struct holder *look_place(const struct look *look, dev_t dev, int *device);

/* A file system, on a device or on others: `filesystem` is filled in. */
bool holder_is_filesystem(const struct holder *holder);

/* The file system whose files have st_dev `dev`, or NULL. */
struct holder *look_filesystem(const struct look *look, dev_t dev);

/* On the disk, or on a partition of it: nothing else is stacked in between. */
bool look_is_on_disk(const struct look *look, const struct holder *holder);

/* True when `holder` rests, over any number of steps of `on` and `inside`, on holder `id`. */
bool look_rests_on(const struct look *look, const struct holder *holder, int id);

/*
 * A mount that no umount ends: the private copy of ours in the mount namespace
 * of a less privileged user (it is locked, fs/namespace.c:lock_mnt_tree()). It
 * goes with the last user of that namespace.
 */
bool look_is_pinned_mount(const struct look *look, const struct holder *holder);

/*
 * Why its line of the mount table does not tell how to mount it a second time;
 * NULL: it does, or it is foreign and kept as it is.
 */
const char *mount_why_once(const struct mount *mount);

/*
 * Our descriptors keep mount namespaces alive, with all their mounts, when
 * everybody else has left them. These let go: of all, or of those that have a
 * pinned mount of device `device`.
 */
void look_release_namespaces(struct look *look);
void look_release_pinned(struct look *look, int device);

/* Index of the mount namespace `was`, which an earlier look has found, or -1. */
int look_namespace(const struct look *look, const struct mount_namespace *was);

/*
 * Where a process belongs, by the name that people know best: "vm web1",
 * "container 3f2a", "bench.service", or "". Of a container's id the first
 * twelve digits, as its runtime shows it. At most `size` bytes; returns `text`.
 */
char *process_owner(const struct process *process, char *text, size_t size);

/* True when both belong to the same one, or to none. */
bool process_has_owner_of(const struct process *process, const struct process *other);

/* What `holder` rests on, for people: name of the block device below it. Never NULL. */
const char *look_on_name(const struct look *look, const struct holder *holder);

/* A second look is at the same devices: copies them, and what is known of this program and kernel, into the empty
 * `copy`. 0 or -ENOMEM. */
int look_copy_devices(const struct look *look, struct look *copy);

/* Of the device of that index, or NULL: it has no pages, or nobody counted. */
const struct references *look_references(const struct look *look, int device);

/*
 * Where the pages are that are referenced, for people: " (/mnt/data/f, inode
 * 131, and others)", or "" when nothing is known. Returns `text`.
 */
char *references_where(const struct look *look, const struct references *references, char *text, size_t size);

/* Drops what was counted. */
void references_forget(struct references *references);
void look_forget_references(struct look *look);

/* As look_copy_devices(), of one device only. */
int look_copy_device(const struct look *look, int device, struct look *copy);

/* Drops the holders, unknowns, references and namespaces and keeps the devices, for a second look. */
void look_forget_holders(struct look *look);

void look_free(struct look *look);
void holder_free(struct holder *holder); /* what it owns */

/* What a dm or md device stands on, each by its number; of others an empty list. */
const struct lowers *holder_lowers(const struct holder *holder);
void mount_free(struct mount *mount);
void export_free(struct export *export);
void nvme_target_free(struct nvme_target *target);
void device_free(struct device *device);

#endif
