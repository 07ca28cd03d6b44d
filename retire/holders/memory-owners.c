// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whose memory lies on a device: the cgroup that each page is charged to, by
 * /proc/kpagecgroup, and the unit that the cgroup is of. It says so of pages
 * that no process maps any more, too, such as those in a pipe.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "retire/holders/holders.h"
#include "retire/holders/memory-use.h"
#include "retire/holders/procfs.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

enum { AT_ONCE = 1 << 15 /* pages */, CGROUPS_MAX = 4096, DEEPEST = 32, PATH_ROOM = 1024 };

/* By inode number of the cgroup's directory. */
struct charge {
	uint64_t cgroup, bytes;
	char *name; /* owned */
};

struct charges {
	ARRAY_OF(struct charge) list;
	size_t last; /* pages of one cgroup come in rows */
};

static void charges_free(struct charges *charges)
{
	array_each(charge, &charges->list)
		free(charge->name);
	free(charges->list.items);
}

static int add(struct charges *charges, uint64_t cgroup, uint64_t bytes)
{
	struct charge *found = NULL;

	if (charges->last < charges->list.count && charges->list.items[charges->last].cgroup == cgroup)
		found = &charges->list.items[charges->last];
	for (size_t i = 0; !found && i < charges->list.count; i++)
		if (charges->list.items[i].cgroup == cgroup)
			found = &charges->list.items[i];
	if (!found && charges->list.count >= CGROUPS_MAX)
		return -E2BIG;
	if (!found) {
		found = array_add(&charges->list);
		if (!found)
			return -ENOMEM;
		*found = (struct charge){ .cgroup = cgroup };
	}
	charges->last = (size_t)(found - charges->list.items);
	found->bytes += bytes;
	return 0;
}

/* 0: charged to nobody, and that is no cgroup's number (fs/proc/page.c:kpagecgroup_read()). */
static int add_block(int file, uint64_t pfn, uint64_t count, uint64_t page_size, struct charges *charges)
{
	static _Thread_local uint64_t words[AT_ONCE];

	while (count) {
		size_t size = (count < AT_ONCE ? count : AT_ONCE) * sizeof(words[0]);
		ssize_t got = pread(file, words, size, (off_t)(pfn * sizeof(words[0])));
		size_t pages = got > 0 ? (size_t)got / sizeof(words[0]) : 0;
		int rc = 0;

		if (!pages)
			return got < 0 ? -errno : -ENODATA;
		for (size_t i = 0; rc == 0 && i < pages; i++)
			rc = words[i] ? add(charges, words[i], page_size) : 0;
		if (rc < 0)
			return rc;
		pfn += pages;
		count -= pages;
	}
	return 0;
}

/* Of the root there is nobody to name: the kernel, and whatever runs outside of units. */
static char *name_of(const char *path)
{
	char *unit = procfs_unit_of_path(path);

	return unit ? unit : strdup(*path ? path : "/");
}

struct walk {
	struct charges *charges;
	char path[PATH_ROOM]; /* from the root of the hierarchy */
};

static void name_charge(const struct walk *walk, uint64_t inode)
{
	array_each(charge, &walk->charges->list)
		if (charge->cgroup == inode && !charge->name)
			charge->name = name_of(walk->path);
}

/* Directories only, which it closes. */
static void name_below(struct walk *walk, int directory, int depth)
{
	_cleanup_closedir_ DIR *dir = fdopendir(directory);
	size_t length = strlen(walk->path);
	struct dirent *entry;

	if (!dir)
		close(directory);
	while (dir && (entry = readdir(dir))) {
		int fd;

		if (entry->d_type != DT_DIR || *entry->d_name == '.' || depth == DEEPEST ||
		    length + strlen(entry->d_name) + 2 > sizeof(walk->path))
			continue;
		snprintf(walk->path + length, sizeof(walk->path) - length, "/%s", entry->d_name);
		name_charge(walk, entry->d_ino);
		fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			name_below(walk, fd, depth + 1);
		walk->path[length] = '\0';
	}
}

/* The second is where version 1 has its own for memory. */
static void name_all(const struct root *root, struct charges *charges)
{
	static const char *const hierarchies[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/memory" };

	for (size_t i = 0; i < COUNT_OF(hierarchies); i++) {
		struct walk walk = { .charges = charges };
		int fd = root_openf(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC, "%s", hierarchies[i]);
		struct stat found;

		if (fd < 0)
			continue;
		if (fstat(fd, &found) == 0)
			name_charge(&walk, found.st_ino);
		name_below(&walk, fd, 0);
	}
}

static int compare_owners(const void *a, const void *b)
{
	const struct memory_owner *one = a, *other = b;

	return one->bytes == other->bytes ? strcmp(one->name, other->name) : one->bytes < other->bytes ? 1 : -1;
}

/* Cgroups of one unit are one owner; whose directory is gone can still be charged. */
static int add_owner(struct system_ram *memory, const struct charge *charge)
{
	const char *name = charge->name ? charge->name : "(cgroups that have ended)";
	struct memory_owner *added;

	array_each(owner, &memory->owners)
		if (strcmp(owner->name, name) == 0) {
			owner->bytes += charge->bytes;
			return 0;
		}
	added = array_add(&memory->owners);
	if (!added)
		return -ENOMEM;
	*added = (struct memory_owner){ .name = strdup(name), .bytes = charge->bytes };
	if (added->name)
		return 0;
	memory->owners.count--;
	return -ENOMEM;
}

int memory_find_owners(const struct root *root, struct system_ram *memory)
{
	_cleanup_close_ int file = root_openf(root, O_RDONLY | O_CLOEXEC, "/proc/kpagecgroup");
	_cleanup_(charges_free) struct charges charges = { 0 };
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE), pages = memory->block_size / page_size;
	int rc = file < 0 ? file : 0;

	array_each(block, &memory->blocks)
		if (rc == 0 && block->state != MEMORY_OFFLINE)
			rc = add_block(file, block->number * pages, pages, page_size, &charges);
	if (rc < 0)
		return rc;
	name_all(root, &charges);
	array_each(charge, &charges.list)
		if (rc == 0)
			rc = add_owner(memory, charge);
	if (memory->owners.count)
		qsort(memory->owners.items, memory->owners.count, sizeof(memory->owners.items[0]), compare_owners);
	return rc;
}

static void tell_use(FILE *out, const struct system_ram *one)
{
	const char *before = "";

	for (enum memory_use use = MEMORY_FREE + 1; use < MEMORY_USES; use++) {
		char size[32];

		if (!one->used[use])
			continue;
		fprintf(out, "%s%s %s", before, human_size(one->used[use], size, sizeof(size)),
			memory_use_name(use));
		before = ", ";
	}
}

enum { OWNERS_TOLD = 3 };

static void tell_owners(FILE *out, const struct system_ram *one)
{
	for (size_t i = 0; i < one->owners.count && i < OWNERS_TOLD; i++) {
		char size[32], name[256];

		fprintf(out, "%s%s %s", i ? ", " : "; charged to ",
			printable(one->owners.items[i].name, name, sizeof(name)),
			human_size(one->owners.items[i].bytes, size, sizeof(size)));
	}
}

char *holders_tell_block(const struct root *root, const struct system_ram *block, uint64_t number)
{
	struct memory_block *online = calloc(1, sizeof(*online));
	struct system_ram one = { .block_size = block->block_size, .blocks = { online, 1, 1 } };
	char *text = NULL;
	size_t size;
	FILE *out = online ? open_memstream(&text, &size) : NULL;

	if (out) {
		*online = (struct memory_block){ number, MEMORY_ONLINE, ZONE_UNKNOWN };
		memory_find_owners(root, &one);
		tell_use(out, block);
		tell_owners(out, &one);
		fclose(out);
	}
	memory_free(&one);
	return text;
}
