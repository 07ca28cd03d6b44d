// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs in the kernel, once for each descriptor, mapping and task; writes the
 * pid of who has to do with what is watched.
 *
 * Must let through whatever retire/holders/process-files.c would count: that
 * asks by path (statx(2) of a link in /proc), so both the path and the inode
 * behind it are compared. On overlayfs they differ.
 */
#include "retire/bpf/kernel-types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "retire/bpf/hidden.bpf.h"
#include "retire/bpf/watch.h"

char LICENSE[] SEC("license") = "GPL";

enum { S_IFMT = 0170000, S_IFBLK = 0060000, S_IFCHR = 0020000, NSFS_MAGIC = 0x6e736673 };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, __u8);
} watched SEC(".maps");

/* What is not watched at all costs nothing: the verifier leaves out code that these make dead. */
const volatile bool watches_mounts = false, watches_namespaces = false, watches_stacked = false;

/* One pass runs at a time. The last one written: a process has many files; its last mapping: most have several. */
int last_pid = 0;
struct file *last_mapped = NULL;

static __always_inline bool is_watched(enum bpf_watch_kind kind, __u32 number)
{
	__u64 key = BPF_WATCH_KEY(kind, number);

	return bpf_map_lookup_elem(&watched, &key);
}

static __always_inline __u32 mount_id(struct vfsmount *vfsmount)
{
	struct mount *mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);

	return BPF_CORE_READ(mount, mnt_id);
}

static __always_inline bool is_watched_mount(struct vfsmount *vfsmount, __u32 dev)
{
	return is_watched(BPF_WATCH_DEV, dev) ||
	       (watches_mounts && is_watched(BPF_WATCH_MOUNT, mount_id(vfsmount)));
}

static __always_inline bool is_node(__u32 mode)
{
	return (mode & S_IFMT) == S_IFBLK || (mode & S_IFMT) == S_IFCHR;
}

static __always_inline bool is_watched_path(struct vfsmount *vfsmount)
{
	return is_watched_mount(vfsmount, vfsmount->mnt_sb->s_dev);
}

static __always_inline bool is_watched_inode(struct inode *inode, __u32 known)
{
	__u32 dev = inode->i_sb->s_dev;

	if (is_node(inode->i_mode) && is_watched(BPF_WATCH_DEV, inode->i_rdev))
		return true;
	if (watches_namespaces && inode->i_sb->s_magic == NSFS_MAGIC &&
	    is_watched(BPF_WATCH_NAMESPACE, inode->i_ino))
		return true;
	return dev != known && is_watched(BPF_WATCH_DEV, dev);
}

/* A unix socket that is bound to a file keeps that. */
static __always_inline bool is_watched_socket(struct file *file)
{
	struct socket *socket = file->private_data;
	struct vfsmount *vfsmount;
	struct unix_sock *bound;

	if (file->f_inode->i_sb->s_magic != SOCKFS_MAGIC)
		return false;
	bound = (void *)BPF_CORE_READ(socket, sk);
	if (!bound || BPF_CORE_READ((struct sock *)bound, __sk_common.skc_family) != AF_UNIX)
		return false;
	vfsmount = BPF_CORE_READ(bound, path.mnt);
	return vfsmount && is_watched_mount(vfsmount, BPF_CORE_READ(vfsmount, mnt_sb, s_dev));
}

static __always_inline bool is_watched_file(struct file *file)
{
	struct vfsmount *vfsmount = file->f_path.mnt;
	__u32 dev = vfsmount->mnt_sb->s_dev;

	return is_watched_mount(vfsmount, dev) || is_watched_inode(file->f_inode, dev) || is_watched_socket(file);
}

/*
 * A mapped file of overlayfs is the one below; from Linux 6.5 on map_files/
 * shows the one above, which is in a structure around it. Read from a file
 * that is none of these this is rubbish, which at worst adds a process.
 */
static __always_inline bool is_watched_backing(struct file *file)
{
	struct backing_file *backing = (void *)file;
	struct vfsmount *vfsmount;

	if (!watches_stacked || !bpf_core_field_exists(backing->user_path))
		return false;
	vfsmount = BPF_CORE_READ(backing, user_path.mnt);
	return is_watched_mount(vfsmount, BPF_CORE_READ(vfsmount, mnt_sb, s_dev));
}

static __always_inline int tell(struct bpf_iter_meta *meta, int pid)
{
	struct bpf_suspect suspect = { .pid = pid };

	last_pid = pid;
	bpf_seq_write(meta->seq, &suspect, sizeof(suspect));
	return 0;
}

/* What a descriptor was found to hide. */
static struct bpf_suspect found = {};

static bool judge_hidden(struct file *file)
{
	struct vfsmount *vfsmount = BPF_CORE_READ(file, f_path.mnt);
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	found.hiding = hidden.where;
	found.dev = BPF_CORE_READ(vfsmount, mnt_sb, s_dev);
	found.mount = mount_id(vfsmount);
	found.mode = BPF_CORE_READ(inode, i_mode);
	found.rdev = BPF_CORE_READ(inode, i_rdev);
	found.inode = BPF_CORE_READ(inode, i_ino);
	return is_watched_mount(vfsmount, found.dev) ||
	       (is_node(found.mode) && is_watched(BPF_WATCH_DEV, found.rdev)) ||
	       (watches_namespaces && BPF_CORE_READ(inode, i_sb, s_magic) == NSFS_MAGIC &&
		is_watched(BPF_WATCH_NAMESPACE, found.inode));
}

static __always_inline void tell_hidden(struct bpf_iter__task_file *ctx, struct file *file, int pid)
{
	if (!search_hidden(file))
		return;
	found.pid = pid;
	bpf_seq_write(ctx->meta->seq, &found, sizeof(found));
}

SEC("iter/task_file")
int find_descriptors(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;

	if (!task || !file)
		return 0;
	if (can_hide(file, file->f_inode->i_sb->s_magic))
		tell_hidden(ctx, file, task->tgid);
	if (task->tgid == last_pid || !is_watched_file(file))
		return 0;
	return tell(ctx->meta, task->tgid);
}

SEC("iter/task_vma")
int find_mappings(struct bpf_iter__task_vma *ctx)
{
	struct task_struct *task = ctx->task;
	struct vm_area_struct *vma = ctx->vma;
	struct file *file;

	if (!task || !vma || task->tgid == last_pid)
		return 0;
	file = vma->vm_file;
	if (!file || file == last_mapped)
		return 0;
	last_mapped = file;
	if (!is_watched_file(file) && !is_watched_backing(file))
		return 0;
	return tell(ctx->meta, task->tgid);
}

SEC("iter/task")
int find_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct fs_struct *fs;
	struct file *exe;

	if (!task || task->tgid == last_pid)
		return 0;
	fs = task->fs;
	exe = task->mm ? task->mm->exe_file : NULL;
	if ((fs && (is_watched_path(fs->root.mnt) || is_watched_path(fs->pwd.mnt))) ||
	    (exe && is_watched_file(exe)) ||
	    (watches_namespaces && task->nsproxy &&
	     is_watched(BPF_WATCH_NAMESPACE, task->nsproxy->mnt_ns->ns.inum)))
		return tell(ctx->meta, task->tgid);
	return 0;
}
