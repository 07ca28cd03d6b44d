/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rings of io_uring among all files: code of the programs. Private to this room. */
#ifndef RETIRE_BPF_RING_BPF_H
#define RETIRE_BPF_RING_BPF_H

#include "retire/bpf/kernel-types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

enum { ANON_INODE_FS_MAGIC = 0x09041934 };

/* Of a file of that magic. The name of the only dentry that a ring ever has: io_uring_get_file(). */
static __always_inline bool is_ring(struct file *file, unsigned long magic)
{
	static const char ring[] = "[io_uring]";
	char name[sizeof(ring)] = {};

	if (magic != ANON_INODE_FS_MAGIC)
		return false;
	bpf_probe_read_kernel(name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	for (int i = 0; i < (int)sizeof(ring); i++)
		if (name[i] != ring[i])
			return false;
	return true;
}

#endif
