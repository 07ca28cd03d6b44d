/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine that does not exist: devices, file systems, mounts in mount
 * namespaces, swap and processes, changed by the rules of the kernel that
 * matter for a retirement. Its state is plain data in shared memory, so that
 * it outlives a program that dies; the descriptors of the program do not.
 */
#ifndef TEST_CRASH_MODEL_MACHINE_H
#define TEST_CRASH_MODEL_MACHINE_H

#include <sys/stat.h>

#include "retire/machine.h"
#include "test/crash/model-cxl.h"
#include "test/crash/model-memory.h"
#include "util/root.h"

enum {
	MODEL_DEVICES = 2,
	MODEL_FILESYSTEMS = 6,
	MODEL_MOUNTS = 16,
	MODEL_SWAPS = 4,
	MODEL_SERVED = MODEL_DEVICES,
	MODEL_PROCESSES = 6,
	MODEL_NAMESPACES = 3,
	MODEL_STACKS = 2,
	MODEL_MINORS = 8, /* of a disk: itself and its partitions */
	MODEL_HANDED = 256 /* descriptors that are watched */,
};

enum { MODEL_INITIAL, MODEL_SECOND, MODEL_LOCKED }; /* the namespaces */

enum freezer { NOT_FROZEN, FROZEN_BY_GUARDIAN, FROZEN_LEFT };

struct model_device {
	bool there, enabled, partitioned, system_ram;
	bool can_unplug; /* its kernel has the attribute `state` */
	enum device_mode mode;
};

struct model_filesystem {
	bool there;	       /* on its disk; alive when somebody uses it */
	int device, partition; /* -1: foreign; 0: the whole disk */
	int stack;	       /* … or that on the device that it is on, counted from 1 */
	dev_t dev;
	char fstype[8];
	enum freezer freezer;
	bool shut_down;
};

struct model_mount {
	bool there;
	uint64_t id;
	int filesystem, ns;
	int inside; /* the mount that its point is in, -1: none of these */
	char point[32], root[16], options[32], propagation[32], super_options[32], source[48];
};

struct model_swap {
	bool on, file;
	char path[32];
	int priority, device, partition, filesystem;
};

/* An NFS export of a mount point, or an NVMe target on a file or a disk. */
struct model_served {
	bool on, nvme;
	char path[32];
	int device, partition, filesystem; /* -1: on the disk itself */
};

struct model_process {
	bool alive, doomed, ignores_term;
	pid_t pid;
	char comm[16];
	int mount, filesystem; /* by which it uses it; a file system without a mount; -1 */
	int device, partition; /* the bare device; -1 */
	int stack;	       /* which has it open, counted from 1; 0: none */
	int keeps;	       /* the mount namespace that ends with it; 0: none */
};

/* A loop or device-mapper device, or an md array. */
struct model_stack {
	bool there, autoclear;
	enum holder_type type;
	char name[16];
	int device, partition; /* below it */
	int filesystem;	       /* … or one that has the file; -1 */
	char path[32];
};

struct model_state {
	struct model_device devices[MODEL_DEVICES];
	struct model_filesystem filesystems[MODEL_FILESYSTEMS];
	struct model_mount mounts[MODEL_MOUNTS];
	struct model_mount kept[MODEL_MOUNTS]; /* what hangs in the directory of what is kept */
	struct model_swap swaps[MODEL_SWAPS];
	struct model_served served[MODEL_SERVED];
	struct model_stack stacks[MODEL_STACKS];
	struct model_process processes[MODEL_PROCESSES];
	struct model_block blocks[MODEL_DEVICES][MODEL_BLOCKS];
	struct model_cxl cxl;
	bool kept_offline; /* rules of udev do not apply to them */
	bool namespaces[MODEL_NAMESPACES];
	bool may_unbind_mounted;
	uint64_t next_id;
	char broken[96]; /* what no kernel would have forgiven; "" */
};

enum handed_kind {
	HANDED_FILESYSTEM = 1,
	HANDED_CLAIM,
	HANDED_CLONE,
	HANDED_NAMESPACE,
	HANDED_NODE,
	HANDED_STACK
};

/* A descriptor that the program was given, as long as it is open: points.c sees it being closed. */
struct handed {
	enum handed_kind kind; /* 0: none */
	int object, mount;
	struct model_mount *clone;
	struct stat found; /* of a node */
};

struct model {
	struct model_state *state;	    /* shared */
	struct model_state before;	    /* what it was made as: where the mount points are */
	int ends[MODEL_PROCESSES];	    /* eventfds, readable when the process has ended */
	struct handed handed[MODEL_HANDED]; /* by descriptor */
	pid_t hung;	     /* a child that the kernel does not let go: it stands for all of them */
	int null;	     /* what is handed out is a copy of this */
	bool foreign_may_go; /* `restore` leaves what was not of the device to people */
	struct root root;
	char path[64]; /* of the root */
	struct effects effects;
	int frozen; /* file system that the program froze, -1: none */
	struct machine machine;
};

/* With a root directory below `parent`. model_end() when done. */
void model_make(struct model *model, const char *parent);
void model_end(struct model *model);

/* Another machine, whole and at rest; no journal is left. */
void model_reset(struct model *model, const struct model_state *state);

/* A second program on the same machine; and which of them runs. */
void model_copy(const struct model *model, struct model *other);
void model_switch(struct model *model);

/* The program is gone, and with it the guardian or not. */
void model_program_died(struct model *model, bool with_guardian);

/* All that the kernel does by itself: ends namespaces that nobody keeps. */
void model_sweep(struct model *model);

/* A boot of its own: everything that /run had is gone, and so is what only the old kernel knew. */
void model_reboot(struct model *model, bool mounts_again);

void model_write_boot_id(struct model *model, const char *id);

/* The devices that a request of tests names. */
int model_find(const struct root *root, const struct request *request, struct look *look, struct err *err);

/* How it is looked at: model->machine. */
int model_find_again(const struct root *root, const struct look *was, struct look *look, struct err *err);
int model_find_holders(const struct root *root, struct look *look, struct err *err);
int model_find_memory_keepers(const struct root *root, struct look *look);
int model_count_references(const struct root *root, struct look *look, int interrupt, struct deadline patience);
void model_probe(const struct root *root, struct kernel *kernel);
int model_is_enabled(const struct root *root, const struct device *device);
int model_check_identity(const struct root *root, const struct device *device, struct err *err);

/* Parts that shapes and effects share. */
int model_number(const struct device *device); /* of namespaceN.0; -1: it is of CXL */
struct model *model_of_root(const struct root *root);
int model_add_mount(struct model_state *state, const struct model_mount *mount); /* index */
bool model_is_alive(const struct model_state *state, int filesystem);
bool model_uses_device(const struct model_state *state, int device);
int model_mount_at(const struct model_state *state, int ns, const char *point); /* the topmost; -1 */
void model_end_process(struct model *model, int process);
int model_hand(struct model *model, enum handed_kind kind, int object);
struct handed *model_handed(struct model *model, int fd, enum handed_kind kind);
struct handed *model_holds(struct model *model, enum handed_kind kind, int object);
void model_closed(int fd);

/* A node or a file that only the model has: a descriptor, -1 with errno; -2: none of the model's. */
int model_open_node(int directory, const char *name);
struct child model_hang(const struct model *model);
void model_effects_init(struct model *model);
dev_t model_disk(int device, int partition);
dev_t model_stack_dev(const struct model_state *state, int stack);
bool model_stack_is_used(const struct model_state *state, int stack);
void model_block_name(int device, int partition, char name[32]);

#endif
