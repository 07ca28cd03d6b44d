// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/effects-serve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "retire/effects-program.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

#define EXPORTFS "/usr/sbin/exportfs"
#define CLIENTS	 "/proc/fs/nfsd/clients"

enum { WORD_SIZE = 8192, STATES_SIZE = 16 << 20 };

/* `options`: to export with; NULL: to unexport. */
static int exportfs(char *options, char *export)
{
	char program[] = EXPORTFS, begin[] = "-o", end[] = "-u";
	char *const argv[] = { program, options ? begin : end, options ? options : export, options ? export : NULL,
			       NULL };

	return program_run(argv);
}

/* "client:path"; the address of version 6 in brackets, its length behind them: exportfs(8). */
static int name_export(const struct export *export, char word[WORD_SIZE])
{
	const char *client = export->client, *slash = strchr(client, '/');
	int address = slash ? (int)(slash - client) : (int)strlen(client), length;

	if (strchr(client, ':'))
		length = snprintf(word, WORD_SIZE, "[%.*s]%s:%s", address, client, slash ? slash : "",
				  export->path);
	else
		length = snprintf(word, WORD_SIZE, "%s:%s", client, export->path);
	return length < WORD_SIZE ? 0 : -ENAMETOOLONG;
}

static int write_file(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* In the order of nfs-utils: who a client is, before what it may see. */
static int flush_caches(void)
{
	static const char *const caches[] = { "auth.unix.ip", "auth.unix.gid", "nfsd.fh", "nfsd.export" };
	char path[64];
	int rc = 0;

	for (size_t i = 0; i < COUNT_OF(caches); i++) {
		int one;

		snprintf(path, sizeof(path), "/proc/net/rpc/%s/flush", caches[i]);
		one = write_file(path, "1\n");
		rc = rc < 0 || one == -ENOENT ? rc : one;
	}
	return rc;
}

static size_t count(const char *text, const char *wanted)
{
	size_t found = 0;

	for (; (text = strstr(text, wanted)); text += strlen(wanted))
		found++;
	return found;
}

/* Kernels before 6.9 let go of what a client of NFSv4 has open only with all that it has: nfsd4_revoke_states().
 */
static int expire_client(const char *id, dev_t on)
{
	_cleanup_free_ char *states = NULL;
	_cleanup_close_ int fd = -1;
	char path[300], here[64];
	size_t all, ours;

	snprintf(path, sizeof(path), CLIENTS "/%s/states", id);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read_whole(fd, STATES_SIZE, &states) < 0)
		return 0; /* gone */
	/* its own words have their quotes escaped: seq_quote_mem() */
	snprintf(here, sizeof(here), "superblock: \"%02x:%02x:", major(on), minor(on));
	all = count(states, "superblock: \"");
	ours = count(states, here);
	if (!ours)
		return 0;
	if (ours < all)
		return -EBUSY;
	snprintf(path, sizeof(path), CLIENTS "/%s/ctl", id);
	return write_file(path, "expire\n");
}

static int expire_clients(dev_t on)
{
	_cleanup_closedir_ DIR *dir = opendir(CLIENTS);
	struct dirent *entry;
	int rc = 0;

	while (dir && (entry = readdir(dir))) {
		int one = entry->d_name[0] == '.' ? 0 : expire_client(entry->d_name, on);

		rc = rc < 0 ? rc : one;
	}
	return rc;
}

/* As qword_get() of the kernel reads a word: one line, and what is no plain character in octal. */
static int unlock_filesystem(const char *path)
{
	char line[4 * PATH_MAX + 2], *out = line;

	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	for (; *path; path++) {
		if (*path > ' ' && *path < 0x7f && *path != '\\')
			*out++ = *path;
		else
			out += sprintf(out, "\\%03o", (unsigned char)*path);
	}
	strcpy(out, "\n");
	return write_file("/proc/fs/nfsd/unlock_filesystem", line);
}

static int end_export(const struct export *export, dev_t on)
{
	char word[WORD_SIZE];
	int rc = name_export(export, word);

	if (rc == 0 && export->options)
		rc = exportfs(NULL, word);
	if (rc == 0)
		rc = flush_caches();
	/* locks, and from 6.9 on all that clients have open: fs/nfsd/nfsctl.c:write_unlock_fs() */
	if (rc == 0)
		rc = unlock_filesystem(export->path);
	if (rc == -ENOENT)
		rc = 0;
	return rc < 0 ? rc : expire_clients(on);
}

static int begin_export(const struct export *export)
{
	char word[WORD_SIZE];
	int rc = name_export(export, word);

	if (!export->options)
		return 1;
	/* nfsd is not there any more; when it comes its table is made anew from /etc/exports */
	if (access("/proc/net/rpc/nfsd.export", F_OK) < 0)
		return -errno;
	return rc < 0 ? rc : exportfs(export->options, word);
}

static int open_target(const struct nvme_target *target)
{
	const struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
				      .resolve = RESOLVE_NO_SYMLINKS };
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, target->directory, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/* The attribute of the target, without its newline, is `wanted`. */
static bool has_attribute(int target, const char *name, const char *wanted)
{
	_cleanup_close_ int fd = openat(target, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;

	if (fd < 0 || read_whole(fd, WORD_SIZE, &text) < 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	return strcmp(text, wanted) == 0;
}

static int switch_target(const struct nvme_target *target, bool on)
{
	_cleanup_close_ int directory = open_target(target), fd = -1;

	if (directory < 0)
		return directory;
	/* another one of that name, or one that was told to serve something else */
	if (!has_attribute(directory, "device_path", target->backing) ||
	    (target->uuid && !has_attribute(directory, "device_uuid", target->uuid)))
		return on ? -ENOENT : -ESTALE;
	if (has_attribute(directory, "enable", on ? "1" : "0"))
		return 1;
	fd = openat(directory, "enable", O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return write(fd, on ? "1" : "0", 1) < 0 ? -errno : 0;
}

int serve_end(void *argument, int *fd)
{
	const struct serve_work *work = argument;

	(void)fd;
	if (work->served->type == HOLDER_EXPORT)
		return end_export(&work->served->export, work->on);
	return switch_target(&work->served->nvme, false);
}

int serve_begin(void *argument, int *fd)
{
	const struct serve_work *work = argument;

	(void)fd;
	if (work->served->type == HOLDER_EXPORT)
		return begin_export(&work->served->export);
	return switch_target(&work->served->nvme, true);
}
