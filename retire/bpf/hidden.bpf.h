/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that no table of descriptors has: in flight over a unix socket,
 * registered with io_uring; and in a socket or ring that is there itself. Code
 * of the programs, private to this room. Who includes it says what is to be
 * done with each such file:
 *
 *	static bool judge_hidden(struct file *file);	true: no more
 *
 * Queues and tables change while they are read. A wrong address reads nothing,
 * and the loops are bounded.
 */
#ifndef RETIRE_BPF_HIDDEN_BPF_H
#define RETIRE_BPF_HIDDEN_BPF_H

#include "retire/bpf/kernel-types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "retire/bpf/ring.bpf.h"
#include "retire/bpf/watch.h"

enum { SOCKFS_MAGIC = 0x534f434b, AF_UNIX = 1, TCP_LISTEN = 10 };

/* As many as a queue has by default, 278; as a message carries, 253; as a ring takes; and far more than anybody
 * nests.
 */
enum { MAX_QUEUED = 1 << 12, MAX_PASSED = 253, MAX_RING_FILES = 1 << 15, MAX_CONTAINERS = 64 };

/* What one descriptor is searched with. One pass runs at a time. */
struct hidden_search {
	__u64 containers[MAX_CONTAINERS]; /* struct file *, of a socket or a ring */
	__u32 count;
	enum bpf_hiding where; /* what is looked at is */
	int done;	       /* a callback of bpf_loop() answers 0 or 1, which the verifier wants to see */
	struct sk_buff *message, *connection; /* the next one */
	void *files;			      /* of the table at hand */
};

static struct hidden_search hidden = {};

static bool judge_hidden(struct file *file);

/* Neither a socket nor a ring is itself on anything that could be watched. */
static __always_inline bool can_hide(struct file *file, unsigned long magic)
{
	return magic == SOCKFS_MAGIC || is_ring(file, magic);
}

static __always_inline void remember_container(struct file *file)
{
	__u32 at = hidden.count;

	if (at >= MAX_CONTAINERS)
		return;
	hidden.containers[at & (MAX_CONTAINERS - 1)] = (__u64)file;
	hidden.count = at + 1;
}

static __always_inline bool visit_file(struct file *file)
{
	if (!file)
		return false;
	if (can_hide(file, BPF_CORE_READ(file, f_inode, i_sb, s_magic)))
		remember_container(file);
	else if (judge_hidden(file))
		hidden.done = 1;
	return hidden.done != 0;
}

static long visit_passed(__u32 i, void *unused)
{
	struct file *file = NULL;

	(void)unused;
	bpf_probe_read_kernel(&file, sizeof(file), hidden.files + i * sizeof(file));
	return visit_file(file);
}

/* net/unix/af_unix.c: what comes with a message is in its control block. */
static long visit_message(__u32 i, void *unused)
{
	struct sk_buff *message = hidden.message;
	struct unix_skb_parms *control;
	struct scm_fp_list *passed;
	__u32 count;

	(void)i;
	(void)unused;
	if (!message)
		return 1;
	hidden.message = BPF_CORE_READ(message, next);
	control = (void *)message + bpf_core_field_offset(message->cb);
	passed = BPF_CORE_READ(control, fp);
	if (!passed)
		return 0;
	hidden.files = (void *)passed + bpf_core_field_offset(passed->fp);
	count = BPF_CORE_READ(passed, count);
	bpf_loop(count < MAX_PASSED ? count : MAX_PASSED, visit_passed, NULL, 0);
	return hidden.done != 0;
}

static __always_inline __u32 queued(struct sock *sock)
{
	__u32 count = BPF_CORE_READ(sock, sk_receive_queue.qlen);

	return count < MAX_QUEUED ? count : MAX_QUEUED;
}

static __always_inline void search_queue(struct sock *sock)
{
	hidden.message = BPF_CORE_READ(sock, sk_receive_queue.next);
	bpf_loop(queued(sock), visit_message, NULL, 0);
}

/* A connection that nobody has accepted yet has a socket of its own, and what was sent is there. */
static long visit_connection(__u32 i, void *unused)
{
	struct sk_buff *connection = hidden.connection;
	struct sock *sock = connection ? BPF_CORE_READ(connection, sk) : NULL;

	(void)i;
	(void)unused;
	if (!sock)
		return 1;
	hidden.connection = BPF_CORE_READ(connection, next);
	search_queue(sock);
	return hidden.done != 0;
}

static __always_inline void search_socket(struct socket *socket)
{
	struct sock *sock = BPF_CORE_READ(socket, sk);

	if (!sock || BPF_CORE_READ(sock, __sk_common.skc_family) != AF_UNIX)
		return;
	hidden.where = BPF_IN_FLIGHT;
	if (BPF_CORE_READ(sock, __sk_common.skc_state) == TCP_LISTEN) {
		hidden.connection = BPF_CORE_READ(sock, sk_receive_queue.next);
		bpf_loop(queued(sock), visit_connection, NULL, 0);
	} else {
		search_queue(sock);
	}
}

/* The lowest bits of a file's address have another meaning: io_uring/rsrc.h, io_uring/filetable.h. */
static __always_inline bool visit_registered(unsigned long file)
{
	return visit_file((struct file *)(file & ~7UL));
}

static long visit_node(__u32 i, void *unused)
{
	struct io_rsrc_node *node = NULL;

	(void)unused;
	bpf_probe_read_kernel(&node, sizeof(node), hidden.files + i * sizeof(node));
	return node && visit_registered(BPF_CORE_READ(node, file_ptr));
}

static long visit_fixed(__u32 i, void *unused)
{
	struct io_fixed_file *fixed = hidden.files + (__u64)i * bpf_core_type_size(struct io_fixed_file);

	(void)unused;
	return visit_registered(BPF_CORE_READ(fixed, file_ptr));
}

static __always_inline void search_registered(void *ring)
{
	struct io_ring_ctx___until_6_12 *older = ring;
	struct io_ring_ctx *newer = ring;
	__u32 count;

	hidden.where = BPF_IN_RING;
	if (bpf_core_field_exists(newer->file_table.data)) {
		hidden.files = BPF_CORE_READ(newer, file_table.data.nodes);
		count = BPF_CORE_READ(newer, file_table.data.nr);
		bpf_loop(count < MAX_RING_FILES ? count : MAX_RING_FILES, visit_node, NULL, 0);
	} else if (bpf_core_field_exists(older->nr_user_files)) {
		hidden.files = BPF_CORE_READ(older, file_table.files);
		count = BPF_CORE_READ(older, nr_user_files);
		bpf_loop(count < MAX_RING_FILES ? count : MAX_RING_FILES, visit_fixed, NULL, 0);
	}
}

static long search_container(__u32 i, void *unused)
{
	struct file *file = (struct file *)hidden.containers[i & (MAX_CONTAINERS - 1)];

	(void)unused;
	if (i >= hidden.count || hidden.done)
		return 1;
	if (BPF_CORE_READ(file, f_inode, i_sb, s_magic) == SOCKFS_MAGIC)
		search_socket(BPF_CORE_READ(file, private_data));
	else
		search_registered(BPF_CORE_READ(file, private_data));
	return hidden.done != 0;
}

/* Of a file that can hide others: true when one of those was enough. */
static __always_inline bool search_hidden(struct file *file)
{
	hidden.count = 0;
	hidden.done = 0;
	remember_container(file);
	bpf_loop(MAX_CONTAINERS, search_container, NULL, 0);
	return hidden.done != 0;
}

#endif
