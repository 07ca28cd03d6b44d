// SPDX-License-Identifier: GPL-2.0-or-later
/* Records, a line each, with checksums that are made to fit; and whatever the steps read of them later. */
#include "retire/retirement.h"

#include <stdlib.h>
#include <string.h>

#include "retire/capture.h"
#include "test/fuzz/fuzz.h"
#include "test/unit/journal-build.h"
#include "util/text.h"

static bool has_no_mode(enum device_type type)
{
	return type == DEVICE_PMEM_REGION || type == DEVICE_CXL_MEMDEV;
}

/* What was accepted is what others rely on. */
static void check_device(const struct device *device)
{
	if (!device->name || !device->path || strchr(device->name, '/') || device->type >= DEVICE_TYPES ||
	    device->mode > MODE_NONE || (device->mode == MODE_NONE) != has_no_mode(device->type) ||
	    !is_plain_path(device->path) || !starts_with(device->path, "/sys/devices/"))
		abort();
}

static void check_memo(struct json_object *memo)
{
	struct captured_mount mount;
	struct process process;
	struct holder served;
	struct swap swap;

	if (captured_mount(memo, &mount) == 0) {
		if (!is_plain_path(mount.mount.point) || !mount.mount.source || !mount.mount.super_options)
			abort();
		mount_free(&mount.mount);
	}
	if (captured_swap(memo, &swap) == 0) {
		if (!is_plain_path(swap.path))
			abort();
		free(swap.path);
	}
	if (captured_served(memo, &served) == 0) {
		bool export = served.type == HOLDER_EXPORT;

		if (!is_plain_path(export ? served.export.path : served.nvme.directory))
			abort();
		if (export)
			export_free(&served.export);
		else
			nvme_target_free(&served.nvme);
	}
	for (size_t i = 0; i < length_of(memo, "processes"); i++)
		if (captured_process(item_of(memo, "processes", i), &process) == 0 && process.pid <= 1)
			abort();
}

static void check(const struct root *root, const struct retirement *retirement)
{
	if (retirement->captured.count != retirement->states.count ||
	    retirement->base > retirement->captured.count || !retirement->command ||
	    retirement->evict >= EVICT_NEVER || retirement->allow_count > COUNT_OF(retirement->allow))
		abort();
	array_each(device, &retirement->was.devices)
		check_device(device);
	array_each(captured, &retirement->captured) {
		if (captured->device < 0 || (size_t)captured->device >= retirement->was.devices.count ||
		    captured->type <= STEP_NONE || captured->type >= STEP_TYPES || !captured->subject)
			abort();
		check_memo(captured->memo);
	}
	retirement_is_restorable(retirement);
	if (!retirement_state(root, retirement))
		abort();
}

static char *make_fit(char *lines)
{
	const char *records[512];
	size_t count = 0;
	char *line;

	while (count < COUNT_OF(records) && (line = next_field(&lines, "\n")))
		records[count++] = line;
	return fitting_journal(records, count);
}

void fuzz_one(char *text)
{
	struct root root = { .fd = -1, .recorded = true };
	struct retirement retirement = { .id = ID };
	struct err err = { 0 };
	char *journal = make_fit(text);
	uint32_t sum;
	size_t whole;

	if (journal_parse(journal, strlen(journal), &retirement.records, &whole, &sum, &err) == 0 &&
	    retirement_of_records(&root, &retirement, &err) == 0)
		check(&root, &retirement);
	retirement_free(&retirement);
	free(journal);
}
