// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel serves to others: NFS exports and NVMe targets. Withdrawn
 * before the file system below is frozen, so that the flush has all that was
 * written through them, and offered again when that is mounted again.
 */
#include <errno.h>
#include <string.h>

#include "retire/capture.h"
#include "retire/holders/holders.h"
#include "retire/steps/steps.h"
#include "util/cleanup.h"

static void free_served(struct holder *served)
{
	if (served->type == HOLDER_EXPORT)
		export_free(&served->export);
	else
		nvme_target_free(&served->nvme);
}

static struct json_object *capture_withdraw(const struct execution *execution, const struct step *step)
{
	return capture_served(look_holder(execution->look, step->holder));
}

static int apply_withdraw(struct execution *execution, const struct step *step, struct step_record *record,
			  struct err *err)
{
	const struct holder *served = look_holder(execution->look, step->holder);
	const struct holder *on = look_holder(execution->look, served->on);
	int rc = execution->effects->withdraw(execution->effects, served, on ? on->dev : 0,
					      step_deadline(execution, 30000), err);

	(void)record;
	if (rc == 0 && served->type == HOLDER_EXPORT && served->export.users)
		result_add_loss_once(execution->result, "nfs-client", served->export.users,
				     "its open files were taken away");
	return rc;
}

static const struct holder *find_again(const struct look *now, const struct holder *was)
{
	array_each(holder, &now->holders) {
		if (holder->type != was->type)
			continue;
		if (was->type == HOLDER_EXPORT ? strcmp(holder->export.path, was->export.path) == 0 &&
							 strcmp(holder->export.client, was->export.client) == 0
					       : strcmp(holder->nvme.directory, was->nvme.directory) == 0)
			return holder;
	}
	return NULL;
}

/* Where it leads now is what another process is asked to serve: only if that is of the device of the step. */
static int check_place(struct execution *execution, const struct captured *captured, struct holder *served,
		       struct err *err)
{
	_cleanup_free_ char *path = NULL;
	struct err ignored = { 0 };
	int rc;

	if (served->type == HOLDER_EXPORT)
		return step_check_source(execution, captured, true, 0, &served->export.path, err);
	/* its path stays the text that it is: the target has it already, and is only switched on */
	path = strdup(served->nvme.backing);
	if (!path)
		return -ENOMEM;
	rc = step_check_source(execution, captured, false, 0, &path, &ignored);
	return rc == -EPERM ? step_check_source(execution, captured, true, 0, &path, err)
			    : err_set(err, rc, "%s", ignored.message);
}

/* What is told as lost is not looked for afterwards. */
static int lost(struct execution *execution, const struct captured *captured, const struct holder *served,
		const char *reason)
{
	result_add_loss_once(execution->result, served->type == HOLDER_EXPORT ? "export" : "nvme-target",
			     captured->subject, reason);
	put_bool(captured->memo, "lost", true);
	return 1;
}

static int offer(struct execution *execution, const struct captured *captured, struct holder *served,
		 struct err *err)
{
	const struct device *device = &execution->look->devices.items[captured->device];
	int rc = 0;

	/* on behalf of another export: it comes back with its next client */
	if (served->type == HOLDER_EXPORT && !served->export.options)
		return 1;
	if (device->gone || !device->dev)
		return lost(execution, captured, served, "its device is gone");
	if (execution->recovering)
		rc = check_place(execution, captured, served, err);
	if (rc < 0)
		return rc;
	rc = execution->effects->offer(execution->effects, served, step_deadline(execution, 30000), err);
	/* it was taken away, or has not been set up in this boot */
	return rc == -ENOENT ? lost(execution, captured, served, "what served it is not there any more") : rc;
}

static int undo_withdraw(struct execution *execution, const struct captured *captured, struct err *err)
{
	struct holder served;
	int rc = captured_served(captured->memo, &served);

	if (rc < 0)
		return err_errno(err, rc, "its journal does not say what was served");
	rc = offer(execution, captured, &served, err);
	free_served(&served);
	return rc;
}

static int verify_withdraw(const struct look *now, const struct captured *captured, struct err *err)
{
	struct holder served;
	int rc = captured_served(captured->memo, &served);
	const struct holder *found;

	if (rc < 0)
		return err_set(err, 0, "its journal does not say what was served");
	found = find_again(now, &served);
	if (served.type == HOLDER_EXPORT && !served.export.options)
		rc = 1;
	else if (!found)
		rc = bool_of(captured->memo, "lost") || err_set(err, 0, "it is not served");
	else
		rc = served.type != HOLDER_EXPORT || !found->export.options ||
		     strcmp(found->export.options, served.export.options) == 0 ||
		     err_set(err, 0, "it is exported with %s, not %s", found->export.options,
			     served.export.options);
	free_served(&served);
	return rc;
}

const struct step_kind step_withdraw = {
	STEP_WITHDRAW, capture_withdraw, apply_withdraw, undo_withdraw, verify_withdraw, undo_withdraw,
};
