// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an unbind does under a mounted file system, and what becomes of one
 * whose device has gone. Pure: the plan links it.
 *
 * Decided by drivers/dax/super.c:kill_dax(), which tells the dax holder, and
 * by fs/xfs/xfs_notify_failure.c, the only holder in mainline that listens.
 */
#include "retire/kernel.h"

#include <string.h>

#include "util/array.h"

/* A set of answers: what a row of the table accepts. */
enum { NO = 1 << ANSWER_NO, YES = 1 << ANSWER_YES, UNKNOWN = 1 << ANSWER_UNKNOWN, ANY = NO | YES | UNKNOWN };

enum { QUESTIONS = 4 };

struct rule {
	unsigned accepts[QUESTIONS];
	int verdict;
	const char *why;
};

/* The first row that fits. The last one of a table accepts whatever no other did. */
static const struct rule *first_fit(const struct rule *rules, size_t count, const unsigned answers[QUESTIONS])
{
	for (size_t row = 0; row + 1 < count; row++) {
		size_t fits = 0;

		while (fits < QUESTIONS && rules[row].accepts[fits] & answers[fits])
			fits++;
		if (fits == QUESTIONS)
			return &rules[row];
	}
	return &rules[count - 1];
}

/*
 * Asked: is it XFS? has it rmapbt? does the kernel tell before a removal? in one bounded walk?
 * Without a reverse mapping tree XFS answers -EOPNOTSUPP before it does
 * anything, on every kernel, so that row is first.
 */
static const struct rule rules[] = {
	{ { UNKNOWN, ANY, ANY, ANY }, UNBIND_UNKNOWN, "it is not known which file system this is" },
	{ { NO, ANY, ANY, ANY },
	  UNBIND_SILENT,
	  "the kernel tells only XFS that its memory goes away; mappings of other file systems stay" },
	{ { YES, NO, ANY, ANY },
	  UNBIND_SILENT,
	  "XFS without a reverse mapping tree (rmapbt) cannot find whom to tell; mappings stay" },
	{ { YES, UNKNOWN, ANY, ANY },
	  UNBIND_UNKNOWN,
	  "it is not known whether this XFS has a reverse mapping tree (rmapbt)" },
	{ { YES, YES, NO, ANY },
	  UNBIND_CORRUPTS,
	  "this kernel takes a removal for a media error: XFS shuts down as corrupt and unwritten data is lost" },
	{ { YES, YES, UNKNOWN, ANY },
	  UNBIND_UNKNOWN,
	  "it is not known whether this kernel tells file systems of a removal before it (MF_MEM_PRE_REMOVE)" },
	/* rm_startblock + 1 wraps to 0 for every group but the last: about 2^32 lookups for each extent */
	{ { YES, YES, YES, NO },
	  UNBIND_HANGS,
	  "this kernel never comes back from an unbind under a mounted XFS (Linux 6.14 and later)" },
	{ { YES, YES, YES, UNKNOWN }, UNBIND_UNKNOWN, "it is not known how this kernel's XFS handles a removal" },
	{ { YES, YES, YES, YES },
	  UNBIND_TELLS,
	  "the kernel tells XFS first, which ends its mappings and shuts down; unwritten data is lost" },
};

static unsigned xfs_set(const struct filesystem *filesystem)
{
	if (!filesystem->fstype || !*filesystem->fstype)
		return UNKNOWN;
	return strcmp(filesystem->fstype, "xfs") == 0 ? YES : NO;
}

static unsigned rmapbt_set(const struct filesystem *filesystem)
{
	if (filesystem->features & FS_FEATURES_UNKNOWN)
		return UNKNOWN;
	return filesystem->features & FS_XFS_RMAPBT ? YES : NO;
}

enum mounted_unbind kernel_mounted_unbind(const struct kernel *kernel, const struct filesystem *filesystem,
					  const char **why)
{
	const unsigned answers[QUESTIONS] = {
		xfs_set(filesystem),
		rmapbt_set(filesystem),
		1U << kernel->facts[KERNEL_PRE_REMOVE],
		1U << kernel->facts[KERNEL_XFS_RANGED_FAILURE],
	};
	const struct rule *rule = first_fit(rules, COUNT_OF(rules), answers);

	if (why)
		*why = rule->why;
	return (enum mounted_unbind)rule->verdict;
}

/*
 * Asked: can no file be mapped directly? was it told? does the kernel tell before a removal? is it XFS?
 * Only a notification that has come to its end proves
 * that no entry is left: a block layer that marks the disk dead (6.6) shuts a
 * file system down, and leaves idle mappings and cached entries where they are.
 */
static const struct rule dead_rules[] = {
	{ { YES, ANY, ANY, ANY }, DEAD_ENDS, "none of its files can be mapped directly" },
	{ { NO, YES, YES, YES }, DEAD_ENDS, "the kernel took its direct mappings away before the memory went" },
	{ { NO, ANY, ANY, NO },
	  DEAD_CRASHES,
	  "the kernel tells only XFS that its memory goes away, and what is left of direct mappings crashes it" },
	{ { NO, ANY, NO, ANY },
	  DEAD_CRASHES,
	  "this kernel takes the memory away under direct mappings, and what is left of them crashes it" },
	{ { NO, ANY, ANY, ANY },
	  DEAD_CRASHES,
	  "the kernel's log does not show that its direct mappings went before the memory, and what is left of "
	  "them crashes it" },
};

enum dead_filesystem kernel_dead_filesystem(const struct kernel *kernel, const struct filesystem *filesystem,
					    const char **why)
{
	const unsigned answers[QUESTIONS] = {
		filesystem->no_dax ? YES : NO,
		filesystem->told ? YES : NO,
		1U << kernel->facts[KERNEL_PRE_REMOVE],
		xfs_set(filesystem),
	};
	const struct rule *rule = first_fit(dead_rules, COUNT_OF(dead_rules), answers);

	if (why)
		*why = rule->why;
	return (enum dead_filesystem)rule->verdict;
}
