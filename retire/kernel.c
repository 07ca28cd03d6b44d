// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finds out what this kernel can do. One table: a fact, its name, its probe.
 *
 * A behaviour of the kernel's inside is read from its type information (BTF),
 * where every function and enumerator has its name once, as a string between
 * two NULs; kallsyms, which is slower to read, stands in where BTF is missing.
 * A system call is tried, with arguments that can do nothing.
 */
#include "retire/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/root.h"

/* Debian's vmlinux BTF has 6 to 8 MB, kallsyms with many modules 20 MB. */
#define SYMBOLS_MAX (256UL << 20)

/* "ffffffff8120f0a0 t name\t[module]\n" */
#define IN_KALLSYMS " \t\n"

/* A file of names that is read when first asked for. length < 0: it cannot be read. */
struct names {
	const char *path;
	char *text;
	ssize_t length;
	bool read;
};

struct evidence {
	const struct root *root;
	struct names vmlinux, xfs, kallsyms;
};

static void cleanup_evidence(struct evidence *evidence)
{
	free(evidence->vmlinux.text);
	free(evidence->xfs.text);
	free(evidence->kallsyms.text);
}

static bool names_read(const struct root *root, struct names *names)
{
	if (!names->read)
		names->length = root_readf(root, SYMBOLS_MAX, &names->text, "%s", names->path);
	names->read = true;
	return names->length > 0;
}

static bool is_one_of(char c, const char *set)
{
	for (; *set; set++)
		if (c == *set)
			return true;
	return c == '\0';
}

/* Finds `name` as a whole word: NULs (BTF) or the characters in `around` (kallsyms) on both sides. */
static bool names_have(const struct names *names, const char *name, const char *around)
{
	const char *from = names->text, *end = names->text + names->length;
	size_t length = strlen(name);

	while ((from = memmem(from, (size_t)(end - from), name, length))) {
		/* the text is NUL-terminated, so from[length] is inside */
		if (from > names->text && is_one_of(from[-1], around) && is_one_of(from[length], around))
			return true;
		from += length;
	}
	return false;
}

/*
 * Is `name` in a BTF? `anchor` is a name of the same sort that kernels with
 * and without it have: found, it proves that the absence of `name` means no.
 */
static enum answer btf_has(struct evidence *evidence, struct names *btf, const char *name, const char *anchor)
{
	if (!names_read(evidence->root, btf))
		return ANSWER_UNKNOWN;
	if (names_have(btf, name, ""))
		return ANSWER_YES;
	return anchor && names_have(btf, anchor, "") ? ANSWER_NO : ANSWER_UNKNOWN;
}

static enum answer kallsyms_has(struct evidence *evidence, const char *name)
{
	if (!names_read(evidence->root, &evidence->kallsyms))
		return ANSWER_UNKNOWN;
	return names_have(&evidence->kallsyms, name, IN_KALLSYMS) ? ANSWER_YES : ANSWER_NO;
}

static enum answer function_exists(struct evidence *evidence, const char *name, const char *anchor)
{
	enum answer answer = btf_has(evidence, &evidence->vmlinux, name, anchor);

	return answer == ANSWER_UNKNOWN ? kallsyms_has(evidence, name) : answer;
}

/* An enumerator is in no symbol table. drivers/dax/super.c:kill_dax() passes it from 6.8 on. */
static enum answer probe_pre_remove(struct evidence *evidence)
{
	return btf_has(evidence, &evidence->vmlinux, "MF_MEM_PRE_REMOVE", "MF_ACTION_REQUIRED");
}

/*
 * fs/xfs/xfs_notify_failure.c: 6.14 made one function for data and realtime
 * devices, …_notify_dev_failure(), and lost the bound of the walk. Before, it
 * was …_notify_ddev_failure(), which some compilers inline (Debian's 6.1):
 * then, and when XFS is not loaded, there is no telling.
 */
static enum answer xfs_ranged(struct evidence *evidence, struct names *names, const char *around)
{
	if (!names_read(evidence->root, names))
		return ANSWER_UNKNOWN;
	if (names_have(names, "xfs_dax_notify_dev_failure", around))
		return ANSWER_NO;
	return names_have(names, "xfs_dax_notify_ddev_failure", around) ? ANSWER_YES : ANSWER_UNKNOWN;
}

/* XFS is a module of its own, or built in. */
static enum answer probe_xfs_ranged(struct evidence *evidence)
{
	enum answer answer = xfs_ranged(evidence, &evidence->xfs, "");

	if (answer == ANSWER_UNKNOWN)
		answer = xfs_ranged(evidence, &evidence->vmlinux, "");
	if (answer == ANSWER_UNKNOWN)
		answer = xfs_ranged(evidence, &evidence->kallsyms, IN_KALLSYMS);
	return answer;
}

static enum answer probe_mark_dead(struct evidence *evidence)
{
	return function_exists(evidence, "fs_bdev_mark_dead", "freeze_super");
}

/* fs/dax.c; called by the eviction of an inode, with no way to interrupt it. */
static enum answer probe_umount_waits(struct evidence *evidence)
{
	return function_exists(evidence, "dax_break_layout_final", "dax_layout_busy_page");
}

/* What a call that was bound to fail says of its existence. A seccomp filter (EPERM) hides it. */
static enum answer from_errno(long rc, int error, int missing)
{
	if (rc >= 0)
		return ANSWER_YES;
	if (error == missing)
		return ANSWER_NO;
	return error == EPERM ? ANSWER_UNKNOWN : ANSWER_YES;
}

static enum answer probe_listmount(struct evidence *evidence)
{
	const long listmount = 458; /* the same on all architectures; 6.8 */
	uint32_t wrong_size[6] = { 0 };
	long rc;

	(void)evidence;
	rc = syscall(listmount, wrong_size, NULL, 0, 0);
	return from_errno(rc, errno, ENOSYS);
}

static enum answer probe_pidfd(struct evidence *evidence)
{
	_cleanup_close_ int fd = -1;

	(void)evidence;
	fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	return from_errno(fd, errno, ENOSYS);
}

/* Is `request` an ioctl of the file? `argument` is one that it refuses or only fills. */
static enum answer ioctl_exists(struct evidence *evidence, const char *path, unsigned long request, void *argument)
{
	_cleanup_close_ int fd = root_openf(evidence->root, O_RDONLY, "%s", path);

	long rc;

	if (fd < 0)
		return ANSWER_UNKNOWN;
	rc = ioctl(fd, request, argument);
	return from_errno(rc, errno, ENOTTY);
}

/* struct procmap_query of include/uapi/linux/fs.h (6.11) with its size left 0: -EINVAL. */
static enum answer probe_procmap_query(struct evidence *evidence)
{
	struct procmap_query {
		uint64_t words[13];
	} query = { { 0 } };

	return ioctl_exists(evidence, "/proc/self/maps", _IOWR('f', 17, struct procmap_query), &query);
}

/* NS_MNT_GET_INFO of include/uapi/linux/nsfs.h, which came with NS_MNT_GET_NEXT (6.12) and opens nothing. */
static enum answer probe_ns_mnt_next(struct evidence *evidence)
{
	struct mnt_ns_info {
		uint32_t size, nr_mounts;
		uint64_t mnt_ns_id;
	} info = { .size = sizeof(info) };

	return ioctl_exists(evidence, "/proc/self/ns/mnt", _IOR(0xb7, 10, struct mnt_ns_info), &info);
}

static const struct fact {
	const char *name;
	enum answer (*probe)(struct evidence *evidence);
	bool live; /* asks the running kernel: a recorded tree cannot answer */
} facts[KERNEL_FACTS] = {
	[KERNEL_PRE_REMOVE] = { "pre-remove", probe_pre_remove, false },
	[KERNEL_XFS_RANGED_FAILURE] = { "xfs-ranged-failure", probe_xfs_ranged, false },
	[KERNEL_MARK_DEAD] = { "mark-dead", probe_mark_dead, false },
	[KERNEL_UMOUNT_WAITS_PINS] = { "umount-waits-pins", probe_umount_waits, false },
	[KERNEL_LISTMOUNT] = { "listmount", probe_listmount, true },
	[KERNEL_PROCMAP_QUERY] = { "procmap-query", probe_procmap_query, true },
	[KERNEL_PIDFD] = { "pidfd", probe_pidfd, true },
	[KERNEL_NS_MNT_NEXT] = { "ns-mnt-next", probe_ns_mnt_next, true },
};

const char *kernel_fact_name(enum kernel_fact fact)
{
	return facts[fact].name;
}

static void read_release(const struct root *root, struct kernel *kernel)
{
	_cleanup_free_ char *release = root_attributef(root, "/proc/sys/kernel/osrelease");

	snprintf(kernel->release, sizeof(kernel->release), "%s", release ? release : "");
}

void kernel_probe(const struct root *root, struct kernel *kernel)
{
	_cleanup_(cleanup_evidence) struct evidence evidence = {
		.root = root,
		.vmlinux = { .path = "/sys/kernel/btf/vmlinux" },
		.xfs = { .path = "/sys/kernel/btf/xfs" },
		.kallsyms = { .path = "/proc/kallsyms" },
	};

	memset(kernel, 0, sizeof(*kernel));
	read_release(root, kernel);
	for (size_t i = 0; i < COUNT_OF(facts); i++)
		kernel->facts[i] = facts[i].live && root->recorded ? ANSWER_UNKNOWN : facts[i].probe(&evidence);
}
