// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Plans of devices whose pages were counted: what refuses, and what would lift it. Where a plan counts again is a
 * rule of every plan: plan-build.c.
 */
#include "test/unit/plan-rows.h"

static struct references *counted(struct look *look, uint64_t referenced)
{
	struct references *references = array_add(&look->references);

	if (!references)
		abort();
	*references =
		(struct references){ .device = 0, .known = true, .counted = 1 << 18, .referenced = referenced };
	return references;
}

static void add_run(struct references *references, dev_t dev, uint64_t inode, const char *path)
{
	struct referenced_run *run = array_add(&references->runs);

	if (!run)
		abort();
	*run = (struct referenced_run){ .pfn = 0x140000, .pages = 1, .dev = dev, .inode = inode };
	run->path = path ? strdup(path) : NULL;
}

static void not_referenced(struct look *look)
{
	idle(look);
	counted(look, 0);
}

static void referenced_by_nobody_seen(struct look *look)
{
	idle(look);
	add_run(counted(look, 3), look->devices.items[0].dev, 131, "/dir/file");
}

static void referenced_in_several_files(struct look *look)
{
	struct references *references;

	idle(look);
	references = counted(look, 3);
	add_run(references, look->devices.items[0].dev, 131, NULL);
	add_run(references, look->devices.items[0].dev, 132, NULL);
}

static void referenced_with_a_process(struct look *look)
{
	busy(look);
	counted(look, 3);
}

/* A second device, whose process says nothing about the first one's pages. */
static void referenced_with_a_process_elsewhere(struct look *look)
{
	idle(look);
	add_device(look, MODE_FSDAX);
	add_process(look, xfs_on(look, DISK1, "/other"), "fio", 812, USE_FILES);
	counted(look, 3);
}

static void not_known(struct look *look)
{
	struct references *references;

	idle(look);
	references = counted(look, 0);
	references->known = false;
	references->reason = strdup("no type information");
}

static const struct plan_row rows[] = {
	{ "what_is_not_referenced_is_retired", not_referenced, EVICT_STOP, .steps = IDLE_STEPS },
	{ "what_is_referenced_by_nobody_seen_is_critical", referenced_by_nobody_seen, EVICT_KILL,
	  .allow = { "references-unknown" }, .stands = "pinned namespace0.0 critical",
	  .says = "no list shows references 3 pages of pmem0 (/mnt/dir/file, inode 131)" },
	{ "of_several_files_the_first_is_named", referenced_in_several_files, EVICT_KILL,
	  .stands = "pinned namespace0.0 critical", .says = "(inode 131 of /mnt, and others)" },
	{ "a_process_may_be_who_references_them", referenced_with_a_process, EVICT_STOP,
	  .stands = "process fio[812] --evict=term, page-reference namespace0.0 --evict=term" },
	{ "and_goes_with_its_references", referenced_with_a_process, EVICT_TERM,
	  .steps = "terminate fio[812], grace, " IDLE_STEPS },
	{ "a_process_of_another_device_explains_nothing", referenced_with_a_process_elsewhere, EVICT_KILL,
	  .stands = "pinned namespace0.0 critical" },
	{ "what_cannot_be_told_is_a_risk", not_known, EVICT_KILL,
	  .stands = "references-unknown namespace0.0 --allow=references-unknown", .says = "no type information" },
	{ "which_can_be_taken", not_known, EVICT_KILL, .allow = { "references-unknown" }, .steps = IDLE_STEPS },
};

int main(void)
{
	return run_plan_rows("plan-pages", rows, COUNT_OF(rows));
}
