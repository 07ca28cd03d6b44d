// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Processes: asked, killed, and waited for. A signal goes only through the
 * pidfd that was taken and checked when the process was found, and only to a
 * holder; a process that is ended is a loss that nothing brings back.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "retire/capture.h"
#include "retire/holders/holders.h"
#include "retire/steps/steps.h"
#include "util/child.h"
#include "util/cleanup.h"

/* Is the process one of those that the step is about? holder 0: whoever has the bare device. */
static bool concerns(const struct look *look, const struct step *step, const struct holder *holder)
{
	if (holder->type != HOLDER_PROCESS)
		return false;
	if (step->holder)
		return look_rests_on(look, holder, step->holder);
	return holder->device == step->device && look_is_on_disk(look, holder);
}

static bool has_ended(const struct process *process)
{
	/* without a pidfd nothing is known, and nothing is concluded */
	return process->pidfd >= 0 && wait_readable(process->pidfd, -1, deadline_in(0)) == 1;
}

static int apply_terminate(struct execution *execution, const struct step *step, struct step_record *record,
			   struct err *err)
{
	const struct holder *holder = look_holder(execution->look, step->holder);

	(void)record;
	return execution->effects->signal(execution->effects, &holder->process, SIGTERM, err);
}

static int apply_grace(struct execution *execution, const struct step *step, struct step_record *record,
		       struct err *err)
{
	struct deadline deadline = step_deadline(execution, execution->request->grace_ms);
	int rc = 0;

	(void)step;
	(void)record;
	array_each(holder, &execution->look->holders) {
		if (holder->type != HOLDER_PROCESS || holder->process.pidfd < 0)
			continue;
		if (rc >= 0)
			rc = wait_readable(holder->process.pidfd, execution->effects->interrupt, deadline);
		if (has_ended(&holder->process))
			result_add_loss_once(execution->result, "process", holder->name, "SIGTERM");
	}
	return rc < 0 ? err_set(err, rc, "interrupted by a signal") : 0;
}

int evict_uncaptured(struct execution *execution, const struct process *process, int signal, struct err *err)
{
	struct json_object *record = capture_new();
	int rc;

	put_object(record, "ending", capture_process(process));
	put_text(record, "reason", signal == SIGKILL ? "SIGKILL" : "SIGTERM");
	rc = journal_write(&execution->journal, record, false, err);
	return rc < 0 ? rc : execution->effects->signal(execution->effects, process, signal, err);
}

/* Who is of the look that the plan is made from was captured. */
static int kill_one(struct execution *execution, const struct look *look, const struct process *process,
		    struct err *err)
{
	if (look == execution->look)
		return execution->effects->signal(execution->effects, process, SIGKILL, err);
	return evict_uncaptured(execution, process, SIGKILL, err);
}

static int kill_those(struct execution *execution, const struct look *look, const struct step *step,
		      struct err *err)
{
	int rc = 0;

	array_each(holder, &look->holders) {
		int sent;

		if (!concerns(look, step, holder))
			continue;
		sent = kill_one(execution, look, &holder->process, err);
		if (sent == 0)
			result_add_loss_once(execution->result, "process", holder->name, "SIGKILL");
		rc = sent < 0 ? sent : rc;
	}
	return rc;
}

/* Where it hangs; SIGKILL reaches a process in uninterruptible sleep only when that sleep ends. */
static int name_survivor(const struct holder *holder, int rc, struct err *err)
{
	_cleanup_free_ char *stack = child_stack(holder->process.pid);

	if (rc == -EINTR)
		return err_set(err, rc, "interrupted by a signal");
	return err_set(err, rc, "%s does not end%s%s", holder->name, stack && *stack ? ", it waits in " : "",
		       stack ? stack : "");
}

static int await_those(struct execution *execution, const struct look *look, const struct step *step,
		       struct deadline deadline, struct err *err)
{
	array_each(holder, &look->holders) {
		int rc;

		if (!concerns(look, step, holder))
			continue;
		if (holder->process.pidfd < 0)
			return err_set(err, -EBADF, "%s cannot be waited for", holder->name);
		rc = wait_readable(holder->process.pidfd, execution->effects->interrupt, deadline);
		if (rc <= 0)
			return name_survivor(holder, rc == 0 ? -ETIMEDOUT : rc, err);
	}
	return 0;
}

static bool concerns_any(const struct look *look, const struct step *step, const struct holder **user)
{
	*user = NULL;
	array_each(holder, &look->holders)
		if (concerns(look, step, holder) && !has_ended(&holder->process))
			*user = holder;
	return *user != NULL;
}

/* The same place in another look: ids change, device numbers do not. */
static struct step same_place(const struct execution *execution, const struct step *step, const struct look *again)
{
	const struct holder *place = look_holder(execution->look, step->holder), *found;
	struct step same = *step;
	int whole;

	if (place) {
		found = place->type == HOLDER_FILESYSTEM ? look_filesystem(again, place->dev)
							 : look_place(again, place->dev, &whole);
		same.holder = found ? found->id : -1;
	}
	return same;
}

/*
 * How long a newcomer may stay before it counts: udev and the like open a
 * block device for a moment whenever something about it changes.
 */
enum { NEWCOMER_MS = 2000 };

static int end_newcomers(struct execution *execution, const struct look *again, const struct step *same,
			 const struct holder *user, struct deadline deadline, struct err *err)
{
	int rc;

	if (execution->request->evict < EVICT_KILL)
		return err_set(err, -EBUSY, "%s uses it now (--evict=kill ends it)", user->name);
	rc = kill_those(execution, again, same, err);
	return rc < 0 ? rc : await_those(execution, again, same, deadline, err);
}

/* One more look. 0: nobody is left; 1: some were there; negative errno. */
static int evict_round(struct execution *execution, const struct step *step, struct deadline patience,
		       struct deadline deadline, struct err *err)
{
	_cleanup_(look_free) struct look again = { 0 };
	const struct holder *user;
	struct step same;
	int rc = look_copy_devices(execution->look, &again);

	rc = rc < 0 ? err_errno(err, rc, "cannot look again")
		    : execution->find_holders(execution->root, &again, err);
	if (rc < 0)
		return rc;
	same = same_place(execution, step, &again);
	if (!concerns_any(&again, &same, &user))
		return 0;
	if (deadline_passed(patience))
		rc = end_newcomers(execution, &again, &same, user, deadline, err);
	else if (wait_readable(-1, execution->effects->interrupt, deadline_in(50)) == -EINTR)
		rc = err_set(err, -EINTR, "interrupted by a signal");
	return rc < 0 ? rc : 1;
}

int evict_again(struct execution *execution, const struct step *step, struct deadline deadline, struct err *err)
{
	struct deadline patience = deadline_sooner(deadline, deadline_in(NEWCOMER_MS));
	int rc;

	do {
		rc = evict_round(execution, step, patience, deadline, err);
		if (rc == 1 && deadline_passed(deadline))
			return err_set(err, -ETIMEDOUT, "new processes keep coming");
	} while (rc == 1);
	return rc;
}

static int apply_kill(struct execution *execution, const struct step *step, struct step_record *record,
		      struct err *err)
{
	(void)record;
	return kill_those(execution, execution->look, step, err);
}

static int apply_await_exit(struct execution *execution, const struct step *step, struct step_record *record,
			    struct err *err)
{
	const struct holder *place = look_holder(execution->look, step->holder);
	int rc = await_those(execution, execution->look, step, execution->deadline, err);

	(void)record;
	/* those who came meanwhile make the unmount busy, or are found after the claim; here there is neither */
	if (rc == 0 && place && place->type == HOLDER_FILESYSTEM && place->filesystem.detached)
		rc = evict_again(execution, step, execution->deadline, err);
	return rc;
}

/* Who they are, so that a later process can tell who was ended. */
static struct json_object *capture_those(const struct execution *execution, const struct step *step)
{
	struct json_object *memo = capture_list("processes");

	array_each(holder, &execution->look->holders)
		if (step->type == STEP_TERMINATE ? holder->id == step->holder
						 : concerns(execution->look, step, holder))
			capture_add(memo, "processes", capture_process(&holder->process));
	put_object(memo, "pinned", capture_items());
	array_each(holder, &execution->look->holders)
		if (holder->device == step->device && look_is_pinned_mount(execution->look, holder))
			capture_add(memo, "pinned", capture_mount(execution->look, holder));
	return memo;
}

static bool is_mounted(const struct look *look, const struct captured_mount *was)
{
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_MOUNT && holder->mount.id == was->mount.id &&
		    holder->mount.ns == look_namespace(look, &was->ns))
			return true;
	return false;
}

/* The mounts that went with the last of them. */
static int tell_pinned(struct execution *execution, const struct captured *captured, struct err *err)
{
	for (size_t i = 0; i < length_of(captured->memo, "pinned"); i++) {
		struct captured_mount was;

		if (captured_mount(item_of(captured->memo, "pinned", i), &was) < 0)
			return err_set(err, -EBADMSG, "its journal does not say which mounts");
		if (!is_mounted(execution->look, &was))
			result_add_loss_once(execution->result, "mount", was.mount.point,
					     "its mount namespace ended");
		mount_free(&was.mount);
	}
	return 1;
}

/* Nothing brings a process back; here it is only told which have ended. */
static int undo_those(struct execution *execution, const struct captured *captured, struct err *err)
{
	for (size_t i = 0; i < length_of(captured->memo, "processes"); i++) {
		struct json_object *process = item_of(captured->memo, "processes", i);
		struct process was;
		char name[128];

		if (captured_process(process, &was) < 0)
			return err_set(err, -EBADMSG, "its journal does not say which processes");
		snprintf(name, sizeof(name), "%s[%d]", was.comm, was.pid);
		if (!holders_process_lives(execution->root, &was))
			result_add_loss_once(execution->result, "process", name,
					     captured->type == STEP_TERMINATE ? "SIGTERM" : "SIGKILL");
	}
	return execution->recovering && execution->look ? tell_pinned(execution, captured, err) : 1;
}

const struct step_kind step_terminate = { STEP_TERMINATE, capture_those, apply_terminate, undo_those,
					  step_verify_nothing };
const struct step_kind step_grace = { STEP_GRACE, step_capture_nothing, apply_grace, step_undo_nothing,
				      step_verify_nothing };
const struct step_kind step_kill = { STEP_KILL, capture_those, apply_kill, undo_those, step_verify_nothing };
const struct step_kind step_await_exit = { STEP_AWAIT_EXIT, step_capture_nothing, apply_await_exit,
					   step_undo_nothing, step_verify_nothing };
