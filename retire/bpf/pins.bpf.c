// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs in the kernel, once for each descriptor: is a page of ours in this
 * pipe, or in a buffer that is registered with this ring? Such a page stays
 * referenced when whoever put it there has unmapped it and closed the file.
 *
 * The kernel may change what is read at any time. A wrong address reads
 * nothing; a page that comes or goes meanwhile is the business of the next look.
 */
#include "retire/bpf/kernel-types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "retire/bpf/hidden.bpf.h"
#include "retire/bpf/pin-record.h"

char LICENSE[] SEC("license") = "GPL";

enum { S_IFMT = 0170000, S_IFIFO = 0010000 };

/* Enough for a pipe of 4 GiB, and for the 16,384 buffers of a ring; a ring reads no more than the last for all. */
enum { MAX_SLOTS = 1 << 20, MAX_BUFFERS = 1 << 14, MAX_PAGES = 1 << 21 };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pin_range);
} ranges SEC(".maps");

const volatile __u32 range_count = 0, page_bytes = 4096;

/* What one descriptor is searched with. */
struct search {
	__u64 place;
	void *slots; /* struct pipe_buffer */
	__u32 tail, mask;
	void **buffers; /* struct io_mapped_ubuf *, or struct io_rsrc_node * that has it */
	bool by_node;
	void *vectors; /* struct bio_vec of one of them */
	__u32 pages_left;
	__u64 page;   /* the first that was found; 0: none */
	__u64 length; /* of the array: all that were found */
};

/* Of entries in a row with the ranges. */
struct comparison {
	__u64 first, end;
	__u64 page, length; /* as above */
};

static long compare(__u32 i, struct comparison *comparison)
{
	struct pin_range *range = bpf_map_lookup_elem(&ranges, &i);
	__u64 first, end;

	if (!range)
		return 1;
	first = range->first > comparison->first ? range->first : comparison->first;
	end = range->end < comparison->end ? range->end : comparison->end;
	if (first >= end)
		return 0;
	if (!comparison->page)
		comparison->page = first;
	comparison->length += end - first;
	return 0;
}

static __always_inline void note_pages(struct search *search, __u64 first, __u64 count)
{
	struct comparison comparison = { .first = first, .end = first + count * bpf_core_type_size(struct page) };

	if (first)
		bpf_loop(range_count, compare, &comparison, 0);
	if (!search->page)
		search->page = comparison.page;
	search->length += comparison.length;
}

static long visit_slot(__u32 i, struct search *search)
{
	__u64 at = (search->tail + i) & search->mask;
	struct pipe_buffer *slot = search->slots + at * bpf_core_type_size(struct pipe_buffer);

	note_pages(search, (__u64)BPF_CORE_READ(slot, page), 1);
	return 0;
}

static __always_inline void search_pipe(struct search *search, struct inode *inode)
{
	struct pipe_inode_info *pipe = BPF_CORE_READ(inode, i_pipe);
	__u32 used;

	if (!pipe)
		return;
	search->place = (__u64)pipe;
	search->slots = BPF_CORE_READ(pipe, bufs);
	search->tail = BPF_CORE_READ(pipe, tail);
	search->mask = BPF_CORE_READ(pipe, ring_size) - 1;
	used = BPF_CORE_READ(pipe, head) - search->tail;
	bpf_loop(used < MAX_SLOTS ? used : MAX_SLOTS, visit_slot, search, 0);
}

static long visit_vector(__u32 i, struct search *search)
{
	struct bio_vec *vector = search->vectors + (__u64)i * bpf_core_type_size(struct bio_vec);
	__u64 page = (__u64)BPF_CORE_READ(vector, bv_page);
	__u64 offset = BPF_CORE_READ(vector, bv_offset), length = BPF_CORE_READ(vector, bv_len);

	/* one of a large folio is one vector: io_uring/rsrc.c:io_coalesce_buffer() */
	if (page)
		note_pages(search, page + offset / page_bytes * bpf_core_type_size(struct page),
			   (offset % page_bytes + length + page_bytes - 1) / page_bytes);
	return 0;
}

static long visit_buffer(__u32 i, struct search *search)
{
	struct io_mapped_ubuf *buffer = NULL;
	struct io_rsrc_node *node;
	__u32 count;

	bpf_probe_read_kernel(&buffer, sizeof(buffer), search->buffers + i);
	node = (void *)buffer;
	if (node && search->by_node)
		buffer = BPF_CORE_READ(node, buf);
	if (!buffer)
		return 0;
	search->vectors = (void *)buffer + bpf_core_field_offset(buffer->bvec);
	count = BPF_CORE_READ(buffer, nr_bvecs);
	if (count > search->pages_left)
		count = search->pages_left;
	search->pages_left -= count;
	bpf_loop(count, visit_vector, search, 0);
	return !search->pages_left;
}

static __always_inline void search_ring(struct search *search, void *ring)
{
	struct io_ring_ctx___until_6_12 *older = ring;
	struct io_ring_ctx *newer = ring;
	__u32 count = 0;

	search->place = (__u64)ring;
	if (bpf_core_field_exists(newer->buf_table)) {
		search->by_node = true;
		search->buffers = (void **)BPF_CORE_READ(newer, buf_table.nodes);
		count = BPF_CORE_READ(newer, buf_table.nr);
	} else if (bpf_core_field_exists(older->user_bufs)) {
		search->buffers = (void **)BPF_CORE_READ(older, user_bufs);
		count = BPF_CORE_READ(older, nr_user_bufs);
	}
	bpf_loop(count < MAX_BUFFERS ? count : MAX_BUFFERS, visit_buffer, search, 0);
}

/* Found in pipes that are in flight, or registered with a ring. */
static __u64 hidden_page = 0, hidden_length = 0;

static bool judge_hidden(struct file *file)
{
	struct search search = {};
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFIFO)
		search_pipe(&search, inode);
	if (!hidden_page)
		hidden_page = search.page;
	hidden_length += search.length;
	return false;
}

/* Is a page behind this descriptor? */
static __always_inline void search_file(struct search *search, struct file *file)
{
	struct inode *inode = file->f_inode;
	unsigned long magic = inode->i_sb->s_magic;

	if ((inode->i_mode & S_IFMT) == S_IFIFO)
		search_pipe(search, inode);
	else if (is_ring(file, magic))
		search_ring(search, file->private_data);
	if (search->page || !can_hide(file, magic))
		return;
	hidden_page = hidden_length = 0;
	search_hidden(file);
	search->page = hidden_page;
	search->length = hidden_length;
	search->place = (__u64)inode;
}

SEC("iter/task_file")
int find_pins(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct search search = { .pages_left = MAX_PAGES };
	struct pin_record record = {};

	if (!task || !file)
		return 0;
	search_file(&search, file);
	if (!search.page)
		return 0;
	record.page = search.page;
	record.length = search.length;
	record.place = search.place;
	record.pid = task->tgid;
	record.fd = ctx->fd;
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}
