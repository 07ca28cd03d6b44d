// SPDX-License-Identifier: GPL-2.0-or-later
/* What the pages of memory that is to go are used for, and whether there is room elsewhere. */
#include "retire/holders/memory-use.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "retire/holders/holders.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/root.h"
#include "util/text.h"

enum { AT_ONCE = 1 << 15 }; /* pages */

static int add_pages(int flags, uint64_t pfn, uint64_t count, uint64_t page_size, struct system_ram *memory)
{
	static _Thread_local uint64_t words[AT_ONCE];
	size_t size = (count < AT_ONCE ? count : AT_ONCE) * sizeof(words[0]);
	ssize_t got = pread(flags, words, size, (off_t)(pfn * sizeof(words[0])));

	if (got <= 0)
		return got < 0 ? -errno : -ENODATA;
	for (size_t i = 0; i < (size_t)got / sizeof(words[0]); i++) {
		enum memory_use use = memory_use_of(words[i]);

		if (use < MEMORY_USES)
			memory->used[use] += page_size;
	}
	return (int)((size_t)got / sizeof(words[0]));
}

/* Those of who may have to stop, at a time. */
enum { PIECE = 2048 };

static int add_block(int flags, uint64_t number, uint64_t page_size, int ended, struct system_ram *memory)
{
	uint64_t pfn = number * (memory->block_size / page_size), end = pfn + memory->block_size / page_size;

	while (pfn < end) {
		uint64_t count = ended >= 0 && end - pfn > PIECE ? PIECE : end - pfn;
		int rc;

		if (ended >= 0 && wait_readable(ended, -1, deadline_in(0)) == 1)
			return -EINTR;
		rc = add_pages(flags, pfn, count, page_size, memory);

		if (rc <= 0)
			return rc < 0 ? rc : -ENODATA;
		pfn += (uint64_t)rc;
	}
	return 0;
}

/* "MemFree:        1048576 kB"; false when the line is another one */
static bool take_line(const char *line, const char *name, uint64_t *bytes)
{
	size_t length = strlen(name);
	char number[24] = "";
	uint64_t kib;

	if (strncmp(line, name, length) != 0 || line[length] != ':')
		return false;
	line += length + 1;
	line += strspn(line, " ");
	snprintf(number, sizeof(number), "%.*s", (int)strspn(line, "0123456789"), line);
	if (parse_number(number, &kib) < 0 || kib > UINT64_MAX / 1024)
		return false;
	*bytes += kib * 1024;
	return true;
}

/* What the whole machine has, less what of it lies on the device itself. */
static bool find_room(const struct root *root, struct system_ram *memory)
{
	static const char *const reclaimable[] = { "Active(file)", "Inactive(file)", "SReclaimable" };
	struct memory_room *room = &memory->elsewhere;
	_cleanup_free_ char *text = NULL;
	char *cursor, *line;

	if (root_readf(root, 1 << 16, &text, "/proc/meminfo") < 0)
		return false;
	for (cursor = text; (line = next_field(&cursor, "\n"));) {
		take_line(line, "MemFree", &room->free);
		take_line(line, "SwapFree", &room->swap);
		for (size_t i = 0; i < COUNT_OF(reclaimable); i++)
			take_line(line, reclaimable[i], &room->reclaimable);
	}
	memory_room_without(room, memory);
	return true;
}

void memory_find_use(const struct root *root, struct system_ram *memory)
{
	_cleanup_close_ int flags = root_openf(root, O_RDONLY | O_CLOEXEC, "/proc/kpageflags");
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	int rc = flags < 0 ? flags : 0;

	array_each(block, &memory->blocks)
		if (rc == 0 && block->state != MEMORY_OFFLINE)
			rc = add_block(flags, block->number, page_size, -1, memory);
	memory->page_size = page_size;
	memory->use_known = rc == 0 && find_room(root, memory);
}

int holders_block_use(const struct root *root, struct system_ram *block, uint64_t number, int ended)
{
	_cleanup_close_ int flags = root_openf(root, O_RDONLY | O_CLOEXEC, "/proc/kpageflags");

	memset(block->used, 0, sizeof(block->used));
	return flags < 0 ? flags : add_block(flags, number, (uint64_t)sysconf(_SC_PAGESIZE), ended, block);
}
