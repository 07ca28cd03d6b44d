// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory of one NUMA node, in use. */
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mkholder.h"

/* Written to, so that every page of it is there. */
static void *use_memory(const char *node, size_t size, int policy)
{
	unsigned long nodes = 1ul << number_or(node, 0);
	void *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		fail("mmap");
	if (syscall(SYS_mbind, area, size, policy, &nodes, 8 * sizeof(nodes), 0) < 0)
		fail("mbind");
	memset(area, 0x5a, size);
	return area;
}

static void make_memory(const char *node, const char *size)
{
	use_memory(node, (size_t)number_or(size, 1 << 20), MPOL_PREFERRED);
}

static void make_memory_bound(const char *node, const char *size)
{
	use_memory(node, (size_t)number_or(size, 1 << 20), MPOL_BIND);
}

static void make_mlock(const char *node, const char *size)
{
	size_t bytes = (size_t)number_or(size, 1 << 20);

	if (mlock(use_memory(node, bytes, MPOL_PREFERRED), bytes) < 0)
		fail("mlock");
}

/* All that a pipe takes, which nobody reads. */
static void make_memory_pin(const char *node, const char *size)
{
	struct iovec part = { .iov_len = (size_t)number_or(size, 16 * 4096) };
	int ends[2];

	part.iov_base = use_memory(node, part.iov_len, MPOL_PREFERRED);
	if (pipe(ends) < 0 || vmsplice(ends[1], &part, 1, 0) < 0)
		fail("vmsplice");
}

const struct kind kinds_memory[] = {
	{ "memory", make_memory, true, "memory of the node PATH, ARG bytes" },
	{ "memory-bound", make_memory_bound, true, "the same, bound to the node" },
	{ "memory-lock", make_mlock, true, "the same, locked" },
	{ "memory-pin", make_memory_pin, true, "the same, spliced into a pipe" },
	{ 0 },
};
