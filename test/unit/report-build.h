/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results made by hand, and what a report writes caught in memory. For one test program each. */
#ifndef TEST_UNIT_REPORT_BUILD_H
#define TEST_UNIT_REPORT_BUILD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "retire/result.h"

#define GIB (1ULL << 30)

/* A memory stream that knows its text. */
struct capture {
	char *text;
	size_t size;
	FILE *stream;
};

static inline FILE *capture_start(struct capture *capture)
{
	capture->stream = open_memstream(&capture->text, &capture->size);
	return capture->stream;
}

static inline const char *captured(struct capture *capture)
{
	fflush(capture->stream);
	return capture->text;
}

static inline void capture_end(struct capture *capture)
{
	fclose(capture->stream);
	free(capture->text);
}

/* The text of a string literal in the result, which frees it. */
static inline char *own(const char *text)
{
	char *copy = strdup(text);

	assert_non_null(copy);
	return copy;
}

static inline void add_device(struct result *result, const char *name, const char *blockdev)
{
	struct device *device = array_add(&result->look.devices);

	device->name = own(name);
	device->path = own("/sys/devices/LNXSYSTM:00/ndbus0/region0/namespace0.0");
	device->blockdev = own(blockdev);
	device->size = GIB;
	device->enabled = true;
}

static inline int add_filesystem(struct result *result, int on)
{
	struct holder *holder = look_add_holder(&result->look, HOLDER_FILESYSTEM, 0, on, "xfs on pmem0p1");

	holder->filesystem.fstype = own("xfs");
	return holder->id;
}

static inline struct mount *add_mount(struct result *result, int on, const char *point)
{
	struct holder *holder = look_add_holder(&result->look, HOLDER_MOUNT, 0, on, "%s", point);

	holder->mount.point = own(point);
	holder->mount.root = own("/");
	holder->mount.fstype = own("xfs");
	holder->mount.source = own("/dev/pmem0p1");
	holder->mount.options = own("rw,relatime");
	return &holder->mount;
}

static inline struct process *add_process(struct result *result, int on, const char *comm, const char *path)
{
	struct holder *holder = look_add_holder(&result->look, HOLDER_PROCESS, 0, on, "%s[812]", comm);
	struct process *process = &holder->process;

	process->pid = 812;
	process->starttime = 5123;
	snprintf(process->comm, sizeof(process->comm), "%s", comm);
	process->uses = USE_MAP | USE_OPEN;
	process->path = own(path);
	return process;
}

static inline void add_veto(struct result *result, const char *code, enum severity severity,
			    enum evict_level level, int holder, const char *message)
{
	struct veto *veto = array_add(&result->vetoes);

	*veto = (struct veto){
		.code = code, .severity = severity, .level = level, .holder = holder, .stands = true
	};
	veto->subject = own("fio[812]");
	veto->message = own(message);
}

/* 1 partition, 2 its file system, 3 and 4 mounts of it, 5 a hostile process in 4, 6 swap. */
static inline void fill(struct result *result)
{
	struct mount_namespace *namespace;
	struct process *process;

	memset(result, 0, sizeof(*result));
	result->command = "retire-namespace";
	result->frozen_ms = -1;
	add_device(result, "namespace0.0", "pmem0");
	namespace = array_add(&result->look.namespaces);
	*namespace = (struct mount_namespace){ .ino = 4026531841, .fd = -1, .initial = true };
	namespace = array_add(&result->look.namespaces);
	*namespace = (struct mount_namespace){ .ino = 4026532210, .fd = -1 };
	look_add_holder(&result->look, HOLDER_PARTITION, 0, 0, "pmem0p1");
	add_filesystem(result, 1);
	add_mount(result, 2, "/mnt");
	add_mount(result, 2, "/mnt/data")->ns = 1;
	process = add_process(result, 2, "f\"i\xffo\033[2J", "/mnt/data/job.0");
	process->unit = own("bench.service");
	process->vm = own("web1");
	process->container = own("3f2a");
	look_add_holder(&result->look, HOLDER_SWAP, 0, 0, "/dev/pmem0p2")->swap =
		(struct swap){ .path = own("/dev/pmem0p2"), .priority = -2, .size = 4096, .used = 0 };
}

#endif
