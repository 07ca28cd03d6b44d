// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/bpf/watched.h"

#include <bpf/skel_internal.h>
#include <errno.h>
#include <sys/sysmacros.h>

bool watched_has(const struct bpf_watch *watches, size_t count, enum bpf_watch_kind kind)
{
	for (size_t i = 0; i < count; i++)
		if (watches[i].kind == kind)
			return true;
	return false;
}

/* overlayfs and FUSE, which have files of their own for those below, have no block device. */
bool watched_has_stacked(const struct bpf_watch *watches, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (watches[i].kind == BPF_WATCH_MOUNT ||
		    (watches[i].kind == BPF_WATCH_DEV && major(watches[i].number) == 0))
			return true;
	return false;
}

/* All that is watched has a number of 32 bits in the kernel: dev_t, mnt_id, inode of a namespace. */
static int key_of(const struct bpf_watch *watch, uint64_t *key)
{
	uint64_t number = watch->number;

	if (watch->kind == BPF_WATCH_DEV)
		number = BPF_WATCH_NUMBER(major(number), minor(number));
	*key = BPF_WATCH_KEY(watch->kind, number);
	return number > UINT32_MAX ? -ERANGE : 0;
}

int watched_fill(int map, const struct bpf_watch *watches, size_t count)
{
	uint8_t yes = 1;
	uint64_t key;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = key_of(&watches[i], &key);
		if (rc == 0)
			rc = skel_map_update_elem(map, &key, &yes, BPF_ANY) < 0 ? -errno : 0;
	}
	return rc;
}
