// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/kernel-log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"

/* The kernel's own words; a record starts "PRIORITY,SEQUENCE,TIME,FLAGS;TEXT". */
static const char *const words[KERNEL_LOG_KINDS][12] = {
	[KERNEL_LOG_PINNED] = { "dax_disassociate_entry" },
	[KERNEL_LOG_WARNING] = { "WARNING: ", "BUG: ", "Oops", "general protection fault", "blocked for more than",
				 "INFO: rcu", "soft lockup", "Kernel panic", "inconsistent lock state",
				 "possible circular locking", "AER: Uncorrect", "AER: Multiple Uncorrect" },
	/* the latter since 7.3 */
	[KERNEL_LOG_BURNED] = { "cannot be hotremoved until the next reboot", "stuck online until reboot" },
};

/* 8 KiB is the kernel's limit for one record: include/linux/printk.h */
enum { RECORD_SIZE = 8192 + 1 };

/* The next record, 0 at the end, or a negative errno. */
static ssize_t next_record(int fd, char *record)
{
	for (;;) {
		ssize_t n = read(fd, record, RECORD_SIZE - 1);

		if (n >= 0) {
			record[n] = '\0';
			return n;
		}
		if (errno == EAGAIN)
			return 0;
		/* EPIPE: records were overwritten meanwhile; the next read goes on with the oldest there is */
		if (errno != EINTR && errno != EPIPE)
			return -errno;
	}
}

static unsigned long long sequence_of(const char *record)
{
	const char *comma = strchr(record, ',');

	return comma ? strtoull(comma + 1, NULL, 10) : 0;
}

int kernel_log_start(struct kernel_log *log)
{
	char record[RECORD_SIZE];
	ssize_t n;

	log->from = 0;
	log->fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log->fd < 0)
		return -errno;
	while ((n = next_record(log->fd, record)) > 0)
		log->from = sequence_of(record) + 1;
	return (int)n;
}

static bool has_word(const char *record, enum kernel_log_kind kind)
{
	for (size_t i = 0; i < COUNT_OF(words[kind]) && words[kind][i]; i++)
		if (strstr(record, words[kind][i]))
			return true;
	return false;
}

int kernel_log_find(struct kernel_log *log, enum kernel_log_kind kind, char **line)
{
	char record[RECORD_SIZE];
	ssize_t n;

	if (log->fd < 0 || lseek(log->fd, 0, SEEK_SET) < 0)
		return -EBADF;
	while ((n = next_record(log->fd, record)) > 0) {
		char *text = strchr(record, ';');

		if (sequence_of(record) < log->from || !text || !has_word(text, kind))
			continue;
		text[strcspn(text, "\n")] = '\0';
		*line = strdup(text + 1);
		return *line ? 1 : -ENOMEM;
	}
	return (int)n;
}

/* "XFS (pmem0): " and then one of these, in this order: fs/xfs/xfs_notify_failure.c, FREEZE_HOLDER_KERNEL and all.
 */
static const char *const removal_words[] = { "Device is about to be removed!",
					     "User initiated shutdown received." };

static bool takes_prefix(const char **text, const char *prefix)
{
	size_t length = strlen(prefix);

	if (strncmp(*text, prefix, length) != 0)
		return false;
	*text += length;
	return true;
}

/*
 * A shutdown that came first is not said again after the notification, which
 * then gave up half-way: "already frozen by kernel, err=-5".
 */
size_t kernel_log_follow_removal(const char *message, const char *disk, size_t seen)
{
	char prefix[80];

	snprintf(prefix, sizeof(prefix), "XFS (%s): ", disk);
	if (!takes_prefix(&message, prefix))
		return seen;
	if (takes_prefix(&message, "Mounting "))
		return 0;
	if (takes_prefix(&message, removal_words[0]))
		return 1;
	if (seen == 1)
		return takes_prefix(&message, removal_words[1]) ? 2 : 0;
	return seen;
}

int kernel_log_tells_of_removal(const char *disk)
{
	_cleanup_close_ int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char record[RECORD_SIZE];
	size_t seen = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = next_record(fd, record)) > 0) {
		const char *text = strchr(record, ';');

		if (text)
			seen = kernel_log_follow_removal(text + 1, disk, seen);
	}
	return n < 0 ? (int)n : seen == COUNT_OF(removal_words);
}

void kernel_log_end(struct kernel_log *log)
{
	cleanup_close(&log->fd);
	log->fd = -1;
}
