/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this kernel can and must not do: one table, one probe for each fact.
 * A fact is probed (BTF, kallsyms, a feature call); a version is compared only
 * where nothing can be probed. Everybody else asks here.
 */
#ifndef RETIRE_KERNEL_H
#define RETIRE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "retire/model.h"

struct root;

enum kernel_fact {
	KERNEL_PRE_REMOVE,	   /* unbind tells the dax holder first: MF_MEM_PRE_REMOVE */
	KERNEL_XFS_RANGED_FAILURE, /* XFS passes a whole-device failure on in one bounded walk */
	KERNEL_MARK_DEAD,	   /* the block layer tells file systems of a dead disk */
	KERNEL_UMOUNT_WAITS_PINS,  /* the last umount waits, uninterruptibly, for page references */
	KERNEL_LISTMOUNT,
	KERNEL_PROCMAP_QUERY,
	KERNEL_PIDFD,
	KERNEL_NS_MNT_NEXT, /* mount namespaces can be walked: NS_MNT_GET_NEXT */
	KERNEL_FACTS
};

/* A fact that could not be found out is UNKNOWN; whoever needs a yes treats that as no. */
enum answer { ANSWER_NO, ANSWER_YES, ANSWER_UNKNOWN };

struct kernel {
	char release[65];
	enum answer facts[KERNEL_FACTS];
};

void kernel_probe(const struct root *root, struct kernel *kernel);

const char *kernel_fact_name(enum kernel_fact fact);

/* What an unbind does while `filesystem` is mounted on the device. */
enum mounted_unbind {
	UNBIND_TELLS,	 /* the kernel notifies it, kills, unmaps and shuts it down; ends */
	UNBIND_HANGS,	 /* never returns */
	UNBIND_CORRUPTS, /* shut down as corrupt, unwritten data lost, later oops */
	UNBIND_SILENT,	 /* nobody is told: its mappings stay in the page tables */
	UNBIND_UNKNOWN,
};

/*
 * Pure: decided from the facts alone. *why, when not NULL, gets one constant
 * phrase for people ("this kernel never comes back from …").
 */
enum mounted_unbind kernel_mounted_unbind(const struct kernel *kernel, const struct filesystem *filesystem,
					  const char **why);

/*
 * What the end of `filesystem` does (its last umount, or the exit of who maps
 * a file of it) when the device below it has vanished. Entries of the page
 * cache and of page tables lead to a memory map that is gone with the device:
 * fs/dax.c:dax_disassociate_entry() and the like write there.
 */
enum dead_filesystem {
	DEAD_ENDS,    /* like any other */
	DEAD_CRASHES, /* the kernel oopses, or is likely to */
};

/* Pure, as above. What cannot be known crashes. */
enum dead_filesystem kernel_dead_filesystem(const struct kernel *kernel, const struct filesystem *filesystem,
					    const char **why);

#endif
