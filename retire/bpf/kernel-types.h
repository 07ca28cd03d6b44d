/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few members of kernel structures that the programs read. Neither order
 * nor size matters: each access is moved to where the running kernel has that
 * member, when a program is loaded (BPF CO-RE). What follows "___" in the name
 * of a structure is ours: two shapes of one structure.
 */
#ifndef RETIRE_BPF_KERNEL_TYPES_H
#define RETIRE_BPF_KERNEL_TYPES_H

typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;

#define NULL ((void *)0)
#define true 1
#define false 0

enum bpf_map_type { BPF_MAP_TYPE_HASH = 1, BPF_MAP_TYPE_ARRAY = 2 };

/* The contexts of iterators are an interface of BPF: they are where they are. */
struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id, seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

struct bpf_iter__task_vma {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	struct vm_area_struct *vma;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct super_block {
	__u32 s_dev;
	unsigned long s_magic;
};

struct inode {
	unsigned short i_mode;
	__u32 i_rdev;
	unsigned long i_ino;
	struct super_block *i_sb;
	struct pipe_inode_info *i_pipe;
};

/* for its size */
struct page {
	unsigned long flags;
};

struct pipe_buffer {
	struct page *page;
};

struct pipe_inode_info {
	unsigned int head, tail, ring_size;
	struct pipe_buffer *bufs;
};

struct vfsmount {
	struct super_block *mnt_sb;
};

struct mount {
	struct vfsmount mnt;
	int mnt_id;
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct qstr d_name;
	struct inode *d_inode;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct inode *f_inode;
	struct path f_path;
	void *private_data;
};

struct backing_file {
	struct path user_path;
};

struct vm_area_struct {
	struct file *vm_file;
};

struct mm_struct {
	struct file *exe_file;
};

struct fs_struct {
	struct path root, pwd;
};

struct ns_common {
	unsigned int inum;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
};

struct task_struct {
	int pid, tgid;
	struct mm_struct *mm;
	struct fs_struct *fs;
	struct nsproxy *nsproxy;
};

struct bio_vec {
	struct page *bv_page;
	unsigned int bv_len, bv_offset;
};

struct io_mapped_ubuf {
	unsigned int nr_bvecs;
	struct bio_vec bvec[];
};

struct io_rsrc_node {
	struct io_mapped_ubuf *buf;
	unsigned long file_ptr;
};

struct io_rsrc_data {
	unsigned int nr;
	struct io_rsrc_node **nodes;
};

struct io_fixed_file {
	unsigned long file_ptr;
};

struct io_file_table {
	struct io_rsrc_data data;
};

struct io_file_table___until_6_12 {
	struct io_fixed_file *files;
};

/* since Linux 6.13 */
struct io_ring_ctx {
	struct io_rsrc_data buf_table;
	struct io_file_table file_table;
};

/* before */
struct io_ring_ctx___until_6_12 {
	unsigned int nr_user_bufs, nr_user_files;
	struct io_mapped_ubuf **user_bufs;
	struct io_file_table___until_6_12 file_table;
};

struct sk_buff {
	struct sk_buff *next;
	struct sock *sk;
	char cb[48];
};

struct sk_buff_head {
	struct sk_buff *next;
	__u32 qlen;
};

struct sock_common {
	unsigned short skc_family;
	unsigned char skc_state;
};

struct sock {
	struct sock_common __sk_common;
	struct sk_buff_head sk_receive_queue;
};

struct socket {
	struct sock *sk;
};

struct unix_sock {
	struct path path;
};

struct scm_fp_list {
	short count;
	struct file *fp[];
};

struct unix_skb_parms {
	struct scm_fp_list *fp;
};

#pragma clang attribute pop

#endif
