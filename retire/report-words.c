// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/report-words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

#define TEXT_MAX 8192

char *valid_utf8(const char *text)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t taken = strnlen(text, TEXT_MAX);
	const unsigned char *at = (const unsigned char *)text, *end = at + taken;
	char *copy = malloc(taken * 3 + 1), *out = copy;

	while (copy && at < end) {
		size_t length = utf8_length((const char *)at);

		/* the bound may cut through a character */
		if (length > (size_t)(end - at))
			break;
		memcpy(out, length ? (const char *)at : replacement, length ? length : 3);
		out += length ? length : 3;
		at += length ? length : 1;
	}
	if (copy)
		*out = '\0';
	return copy;
}

static uint64_t hundredths(uint64_t bytes, uint64_t unit)
{
	return bytes / unit * 100 + (bytes % unit * 100 + unit / 2) / unit;
}

bool family_size(uint64_t bytes, char *text, size_t size)
{
	static const struct {
		uint64_t below, binary, decimal;
		char letter;
	} units[] = {
		{ 2ULL << 30, 1ULL << 20, 1000000ULL, 'M' },
		{ 2ULL << 40, 1ULL << 30, 1000000000ULL, 'G' },
		{ UINT64_MAX, 1ULL << 40, 1000000000000ULL, 'T' },
	};
	uint64_t binary, decimal;
	size_t i = 0;

	if (bytes < 5000 * 1024)
		return false;
	while (i + 1 < COUNT_OF(units) && bytes >= units[i].below)
		i++;
	binary = hundredths(bytes, units[i].binary);
	decimal = hundredths(bytes, units[i].decimal);
	snprintf(text, size, "%ju.%02ju %ciB (%ju.%02ju %cB)", (uintmax_t)binary / 100, (uintmax_t)binary % 100,
		 units[i].letter, (uintmax_t)decimal / 100, (uintmax_t)decimal % 100, units[i].letter);
	return true;
}

const char *holder_word(const struct holder *holder)
{
	static const char *const words[HOLDER_TYPES] = {
		[HOLDER_PARTITION] = "partition",
		[HOLDER_DM] = "dm",
		[HOLDER_MD] = "md",
		[HOLDER_LOOP] = "loop",
		[HOLDER_MOUNT] = "mount",
		[HOLDER_SWAP] = "swap",
		[HOLDER_EXPORT] = "export",
		[HOLDER_NVME_TARGET] = "nvme-target",
		[HOLDER_SCSI_TARGET] = "scsi-target",
		[HOLDER_BCACHE] = "bcache",
		[HOLDER_MEMORY] = "memory",
		[HOLDER_FILESYSTEM] = "superblock",
		[HOLDER_OVERLAY] = "overlay",
		[HOLDER_PROCESS] = "process",
	};

	if (holder->kind && holder->kind->name && holder->type != HOLDER_FILESYSTEM)
		return holder->kind->name;
	return words[holder->type];
}

bool holder_is_shown(const struct holder *holder)
{
	return holder->type != HOLDER_FILESYSTEM || holder->filesystem.detached;
}

/* How much of `path` the mount point covers; 0 when `path` is not below it. */
static size_t covers(const char *point, const char *path)
{
	size_t length = strlen(point);

	if (!path || strncmp(path, point, length) != 0)
		return 0;
	return path[length] == '/' || path[length] == '\0' || strcmp(point, "/") == 0 ? length : 0;
}

static const char *path_of(const struct holder *holder)
{
	switch (holder->type) {
	case HOLDER_PROCESS:
		return holder->process.path;
	case HOLDER_SWAP:
		return holder->swap.path;
	default:
		return NULL;
	}
}

/* The mount of file system `id` that `path` leads through, else the first one. */
static const struct holder *mount_of(const struct look *look, int id, const char *path)
{
	const struct holder *best = NULL;
	size_t most = 0;

	array_each(holder, &look->holders) {
		size_t covered;

		if (holder->type != HOLDER_MOUNT || holder->on != id || holder->mount.foreign)
			continue;
		covered = holder->mount.point ? covers(holder->mount.point, path) : 0;
		if (best && covered <= most)
			continue;
		best = holder;
		most = covered;
	}
	return best;
}

const struct holder *holder_below(const struct look *look, const struct holder *holder)
{
	bool foreign = holder->type == HOLDER_MOUNT && holder->mount.foreign;
	const struct holder *below = look_holder(look, foreign ? holder->inside : holder->on);

	for (size_t hops = 0; below && !holder_is_shown(below) && hops <= look->holders.count; hops++) {
		const struct holder *mount = NULL;

		if (holder->type != HOLDER_MOUNT)
			mount = mount_of(look, below->id, path_of(holder));
		below = mount ? mount : look_holder(look, below->on);
	}
	return below && below != holder && holder_is_shown(below) ? below : NULL;
}

const struct holder *shown_holder(const struct look *look, int id)
{
	const struct holder *holder = look_holder(look, id);

	return !holder || holder_is_shown(holder) ? holder : mount_of(look, id, NULL);
}

const char *use_name(size_t bit)
{
	static const char *const names[] = { "open", "map",    "cwd",	    "root",	"exe",	"namespace",
					     "pin",  "socket", "in-flight", "io_uring", "pages" };

	return bit < COUNT_OF(names) ? names[bit] : NULL;
}

bool veto_lifted_by(const struct veto *veto, char *text, size_t size)
{
	if (veto->severity == SEVERITY_RISK)
		snprintf(text, size, "--allow=%s", veto->code);
	else if (veto->severity == SEVERITY_HOLDER && veto->level > EVICT_NONE && veto->level < EVICT_NEVER)
		snprintf(text, size, "--evict=%s", evict_level_name(veto->level));
	else
		return false;
	return true;
}

const char *step_record_name(const struct step_record *record)
{
	return record->restores ? step_restore_name(record->type) : step_name(record->type);
}
