// SPDX-License-Identifier: GPL-2.0-or-later
/* Who uses the devices, and what would move each of them: looks, and changes nothing. */
#include <errno.h>

#include "retire/retire.h"
#include "retire/session.h"

/* The vetoes of a retirement that is allowed nothing. */
static int find_vetoes(const struct machine *machine, const struct request *request, struct result *result,
		       struct err *err)
{
	const struct request nothing_allowed = { .command = request->command, .dry_run = true };
	struct kernel kernel = { 0 };
	struct plan plan;
	int rc;

	/* the facts take a while, and decide only about what is gone */
	array_each(device, &result->look.devices)
		if (device->gone && !kernel.release[0])
			machine->probe(machine->root, &kernel);
	rc = plan_make(&result->look, &nothing_allowed, &kernel, PLAN_WHOLE, &plan);
	result_take_vetoes(result, &plan);
	plan_free(&plan);
	/* -ELOOP: there is no order in which to take them down, and here none is asked for */
	return rc < 0 && rc != -ELOOP ? err_set(err, rc, "cannot tell what would move the holders") : 0;
}

void retire_list_holders(const struct root *root, const struct request *request, find_devices *find,
			 struct result *result)
{
	struct effects_system effects;
	struct machine machine = machine_system(root, &effects);
	struct request reads = *request;
	struct session session = { &machine, &reads, NULL, result };
	struct err err = { 0 };
	int rc;

	reads.dry_run = true;
	session_begin(&session);
	result->id[0] = '\0';
	rc = find(root, &reads, &result->look, &err);
	if (rc == 0)
		rc = machine.find_holders(root, &result->look, &err);
	if (rc == 0 && request->pages)
		rc = machine_count_references(&machine, &result->look, -1, &err);
	rc = rc < 0 ? rc : machine_find_memory_keepers(&machine, &result->look, &err);
	rc = rc < 0 ? rc : find_vetoes(&machine, request, result, &err);
	session_finish(&session, rc < 0 ? OUTCOME_ERROR : OUTCOME_LISTED, rc < 0 ? err.message : NULL);
	session_end(&session);
}
