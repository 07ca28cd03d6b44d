/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be watched. Known to the programs and to those who load them: without any other header. */
#ifndef RETIRE_BPF_WATCH_H
#define RETIRE_BPF_WATCH_H

enum bpf_watch_kind {
	BPF_WATCH_DEV,	     /* a dev_t: of a superblock, or of a block or character device */
	BPF_WATCH_MOUNT,     /* a mount by its mnt_id */
	BPF_WATCH_NAMESPACE, /* a mount namespace by its inode number */
};

/* A key of the programs' map of all that is watched. */
#define BPF_WATCH_KEY(kind, number) ((unsigned long long)(kind) << 32 | (unsigned int)(number))

/* The kernel's own dev_t: include/linux/kdev_t.h. */
#define BPF_WATCH_NUMBER(major, minor) ((unsigned int)(major) << 20 | (unsigned int)(minor))
#define BPF_WATCH_MAJOR(number)	       ((number) >> 20)
#define BPF_WATCH_MINOR(number)	       ((number)&0xfffffU)

/* How a process keeps a file that neither its descriptors nor its mappings show. */
enum bpf_hiding {
	BPF_NOT_HIDDEN,
	BPF_IN_FLIGHT, /* over a unix socket, to one of its */
	BPF_IN_RING,   /* registered with a ring of io_uring */
};

/* A process that matters; and one of the files hidden behind one descriptor: the rest is 0 when it is not. */
struct bpf_suspect {
	int pid; /* in the initial pid namespace */
	enum bpf_hiding hiding;
	unsigned int dev, rdev; /* the kernel's own dev_t: BPF_WATCH_MAJOR(), BPF_WATCH_MINOR() */
	unsigned int mount;	/* mnt_id */
	unsigned int mode;	/* st_mode */
	unsigned long long inode;
};

#endif
