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

#endif
