// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Block devices that the kernel makes of others. They go when nobody is on them
 * any more, and before what they stand on is frozen: a freeze of a file system
 * under a loop device waits for that for ever. They come back in the reverse
 * order, each with what it stands on there already.
 */
#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "retire/capture.h"
#include "retire/holders/holders.h"
#include "retire/steps/steps.h"
#include "util/cleanup.h"

static enum holder_type type_of(const struct captured *captured)
{
	return captured->type == STEP_DM_REMOVE ? HOLDER_DM
	       : captured->type == STEP_MD_STOP ? HOLDER_MD
						: HOLDER_LOOP;
}

static struct lowers *lowers_of(struct holder *stack)
{
	return (struct lowers *)(uintptr_t)holder_lowers(stack);
}

static struct json_object *capture(const struct execution *execution, const struct step *step)
{
	return capture_stack(execution->look, look_holder(execution->look, step->holder));
}

static int take_down(struct execution *execution, const struct holder *stack, struct err *err)
{
	return execution->effects->take_down(execution->effects, stack, step_deadline(execution, 30000), err);
}

/* Somebody came after the last look: he is treated as the request says, then it is tried again. */
static int take_down_busy(struct execution *execution, const struct step *step, const struct holder *stack,
			  struct err *err)
{
	const struct step about = { .type = STEP_KILL, .device = step->device, .holder = step->holder };
	struct deadline patience = step_deadline(execution, 10000);
	int rc;

	do {
		rc = evict_again(execution, &about, patience, err);
		if (rc < 0)
			return rc;
		if (wait_readable(-1, execution->effects->interrupt, step_deadline(execution, 100)) == -EINTR)
			return err_set(err, -EINTR, "interrupted by a signal");
		rc = take_down(execution, stack, err);
	} while (rc == -EBUSY && !deadline_passed(patience));
	if (rc == -EBUSY)
		return err_set(
			err, rc,
			"busy, though nobody is seen using it: a mount in a namespace that nobody shows, a "
			"descriptor in flight, or the kernel (a storage target, another driver) may hold it");
	return rc;
}

/* One that has gone with its last user is put back like the others: it is done, not "was so already". */
static int apply(struct execution *execution, const struct step *step, struct step_record *record, struct err *err)
{
	const struct holder *stack = look_holder(execution->look, step->holder);
	int rc = take_down(execution, stack, err);

	(void)record;
	if (rc == -EBUSY)
		rc = take_down_busy(execution, step, stack, err);
	return rc < 0 ? rc : 0;
}

static const char *name_of(const struct captured *captured)
{
	const char *name = text_of(captured->memo, "name");

	return name ? name : captured->subject;
}

/* The number that something below a table has now; 0: it is not there. */
static dev_t number_of_lower(const struct look *now, const struct lower *lower)
{
	if ((size_t)lower->device >= now->devices.count)
		return 0;
	if (!*lower->name)
		return now->devices.items[lower->device].dev;
	array_each(holder, &now->holders)
		if (holder->dev && holder->device == lower->device && holder->type != HOLDER_FILESYSTEM &&
		    strcmp(holder->type == HOLDER_DM && holder->dm.name ? holder->dm.name : holder->name,
			   lower->name) == 0)
			return holder->dev;
	return 0;
}

/* It gets the numbers of what is there now, on the devices of the retirement and nowhere else. */
static int fill_lowers(const struct execution *execution, struct holder *stack, struct err *err)
{
	_cleanup_(look_free) struct look now = { 0 };
	int rc = look_copy_devices(execution->look, &now);

	rc = rc < 0 ? err_errno(err, rc, "cannot look again")
		    : execution->find_holders(execution->root, &now, err);
	array_each(lower, lowers_of(stack)) {
		if (rc < 0)
			break;
		lower->dev = number_of_lower(&now, lower);
		if (!lower->dev)
			rc = err_set(err, -ENODEV, "%s, which it stands on, is not there", lower->name);
	}
	if (rc < 0)
		return rc;
	rc = stack->type == HOLDER_DM ? captured_stack_number(stack) : 0;
	return rc < 0 ? err_errno(err, rc, "its table makes no sense") : 0;
}

/* What a journal says is acted on only where it leads to the device of the retirement. */
static int check(const struct execution *execution, const struct captured *captured, struct holder *stack,
		 struct err *err)
{
	if (stack->type != HOLDER_LOOP)
		return fill_lowers(execution, stack, err);
	if (!execution->recovering)
		return 0;
	return step_check_source(execution, captured, stack->loop.file, 0, &stack->loop.path, err);
}

static int put_up(struct execution *execution, const struct captured *captured, const struct holder *stack,
		  struct err *err)
{
	int fd = -1, *held, rc;

	(void)captured;
	rc = execution->effects->put_up(execution->effects, stack, &fd, step_deadline(execution, 30000), err);
	if (fd < 0)
		return rc;
	held = array_add(&execution->held);
	if (!held) {
		cleanup_close(&fd);
		return err_set(err, -ENOMEM, "out of memory");
	}
	*held = fd;
	return rc;
}

static int undo(struct execution *execution, const struct captured *captured, struct err *err)
{
	const struct device *device = &execution->look->devices.items[captured->device];
	struct holder was;
	int rc = captured_stack(captured->memo, type_of(captured), &was);

	if (rc < 0)
		return err_errno(err, rc, "its journal does not say how it was made");
	if (device->gone || !device->dev) {
		result_add_loss_once(execution->result, holder_kinds[was.type]->name, name_of(captured),
				     "its device is gone");
		put_bool(captured->memo, "lost", true);
		rc = 1;
	} else {
		rc = check(execution, captured, &was, err);
		rc = rc < 0 ? rc : put_up(execution, captured, &was, err);
	}
	holder_free(&was);
	return rc;
}

static bool is_same_table(const struct dm *is, const struct dm *was)
{
	if (is->targets.count != was->targets.count || strcmp(is->uuid, was->uuid) != 0 ||
	    is->read_only != was->read_only)
		return false;
	for (size_t i = 0; i < was->targets.count; i++)
		if (is->targets.items[i].start != was->targets.items[i].start ||
		    is->targets.items[i].length != was->targets.items[i].length ||
		    strcmp(is->targets.items[i].type, was->targets.items[i].type) != 0)
			return false;
	return true;
}

static bool is_same_loop(const struct loop *is, const struct loop *was)
{
	return is->path && strcmp(is->path, was->path) == 0 && is->offset == was->offset &&
	       is->size_limit == was->size_limit && is->read_only == was->read_only &&
	       is->autoclear == was->autoclear;
}

static bool is_same_array(const struct md *is, const struct md *was)
{
	return is->level == was->level && is->raid_disks == was->raid_disks && is->created == was->created &&
	       is->read_only == was->read_only && is->lower.count == was->lower.count;
}

static bool is_same(const struct holder *is, const struct holder *was)
{
	switch (was->type) {
	case HOLDER_DM:
		return is_same_table(&is->dm, &was->dm);
	case HOLDER_MD:
		return is_same_array(&is->md, &was->md);
	default:
		return is_same_loop(&is->loop, &was->loop);
	}
}

/* Of the same kind and name; another number may have been all there was. */
static bool is_it(const struct holder *holder, const struct holder *was)
{
	if (holder->type != was->type)
		return false;
	return was->type == HOLDER_DM ? holder->dm.name && strcmp(holder->dm.name, was->dm.name) == 0
				      : strcmp(holder->name, was->name) == 0;
}

static int verify(const struct look *now, const struct captured *captured, struct err *err)
{
	struct holder was;
	int rc = captured_stack(captured->memo, type_of(captured), &was);

	if (rc < 0)
		return err_set(err, 0, "its journal does not say how it was made");
	rc = bool_of(captured->memo, "lost") || err_set(err, 0, "it is not there");
	array_each(holder, &now->holders)
		if (is_it(holder, &was))
			rc = is_same(holder, &was) || err_set(err, 0, "it is another one, or made in another way");
	holder_free(&was);
	return rc;
}

/* It goes with the unmount before. */
static bool goes_by_itself(const struct captured *captured)
{
	return bool_of(captured->memo, "autoclear");
}

const struct step_kind step_md_stop = { STEP_MD_STOP, capture, apply, undo, verify, undo };
const struct step_kind step_dm_remove = { STEP_DM_REMOVE, capture, apply, undo, verify, undo };
const struct step_kind step_loop_detach = {
	STEP_LOOP_DETACH, capture, apply, undo, verify, undo, goes_by_itself,
};
