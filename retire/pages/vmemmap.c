// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The base is a variable that is not exported, has another name on each
 * architecture and is moved at each boot. So it is measured: a page of our own
 * is put into a pipe, whose buffer then points to the page's struct page, and
 * /proc/self/pagemap tells the page's number. A page in a pipe is referenced,
 * and so does not move in between.
 */
#include "retire/pages/vmemmap.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"

/* Documentation/admin-guide/mm/pagemap.rst; without CAP_SYS_ADMIN the number reads 0 */
#define PAGEMAP_PRESENT (1ULL << 63)
#define PAGEMAP_NUMBER	((1ULL << 55) - 1)

static int page_number(const void *page, uint64_t *number)
{
	_cleanup_close_ int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry;
	off_t at = (off_t)((uintptr_t)page / (size_t)sysconf(_SC_PAGESIZE) * sizeof(entry));

	if (fd < 0)
		return -errno;
	if (pread(fd, &entry, sizeof(entry), at) != sizeof(entry))
		return -EIO;
	*number = entry & PAGEMAP_NUMBER;
	return entry & PAGEMAP_PRESENT && *number ? 0 : -EPERM;
}

/* The first buffer of a pipe that was never used: this process -> its files -> that file -> the pipe -> buffer 0.
 */
static int page_in_pipe(const struct reader *reader, const struct layout *layout, int fd, uint64_t *address)
{
	const uint32_t offsets[] = {
		layout->task_files,   layout->files_table,  layout->table_files, (uint32_t)fd * 8,
		layout->file_private, layout->pipe_buffers, layout->buffer_page,
	};
	uint64_t task;
	int rc = reader_self(reader, &task);

	return rc < 0 ? rc : reader_follow(reader, task, offsets, COUNT_OF(offsets), address);
}

static int measure(const struct reader *reader, const struct layout *layout, void *page, uint64_t *base)
{
	struct iovec part = { page, (size_t)sysconf(_SC_PAGESIZE) };
	uint64_t number = 0, address = 0;
	int ends[2], rc;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	rc = vmsplice(ends[1], &part, 1, SPLICE_F_NONBLOCK) == (ssize_t)part.iov_len ? 0 : -EIO;
	rc = rc < 0 ? rc : page_number(page, &number);
	rc = rc < 0 ? rc : page_in_pipe(reader, layout, ends[1], &address);
	close(ends[0]);
	close(ends[1]);
	if (rc == 0)
		*base = address - number * layout->page_size;
	return rc;
}

/* Two pages that lie wherever they lie have to agree; and the array begins where a page of memory does. */
int vmemmap_find(const struct reader *reader, const struct layout *layout, uint64_t *base, struct err *err)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t again;
	int rc;

	if (pages == MAP_FAILED)
		return err_errno(err, -errno, "cannot map memory");
	/* nothing else is of that content: what is merged (KSM) or shared (the zero page) is not ours */
	memset(pages, 0xda, size);
	memset(pages + size, 0x5a, size);
	rc = measure(reader, layout, pages, base);
	rc = rc < 0 ? rc : measure(reader, layout, pages + size, &again);
	munmap(pages, 2 * size);
	if (rc < 0)
		return err_errno(err, rc, "cannot find the kernel's array of pages");
	if (*base != again || *base % size)
		return err_set(err, -EOPNOTSUPP, "the kernel's array of pages is not where it is looked for");
	return 0;
}
