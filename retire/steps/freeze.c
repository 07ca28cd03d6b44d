// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Freeze, flush, thaw. The freeze makes what was written before it durable
 * and is where data that cannot be written is still noticed: FIFREEZE itself
 * fails only for metadata and log, umount not at all, so syncfs() is asked, on
 * a descriptor that was opened before any writeback error could be reported
 * to somebody else.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "retire/capture.h"
#include "retire/steps/steps.h"
#include "util/cleanup.h"

int files_open(struct execution *execution, struct err *err)
{
	const struct look *look = execution->look;

	array_each(holder, &look->holders) {
		struct open_file *file;
		int fd, rc;

		/* a detached one without a process is beyond reach; the plan does not freeze it either */
		if (!holder_is_filesystem(holder) || holder->filesystem.shut_down ||
		    files_find(execution, holder->dev) >= 0)
			continue;
		rc = execution->effects->open_filesystem(execution->effects, look, holder, &fd, err);
		/* shut down since the look: nothing is left to be flushed */
		if (rc == -EIO) {
			holder->filesystem.shut_down = true;
			continue;
		}
		if (rc < 0 && holder->filesystem.detached)
			continue;
		if (rc < 0)
			return rc;
		file = array_add(&execution->files);
		if (!file) {
			close(fd);
			return err_set(err, -ENOMEM, "out of memory");
		}
		*file = (struct open_file){ holder->dev, fd };
	}
	return 0;
}

static struct open_file *file_of(const struct execution *execution, dev_t dev)
{
	array_each(file, &execution->files)
		if (file->dev == dev && file->fd >= 0)
			return file;
	return NULL;
}

int files_find(const struct execution *execution, dev_t dev)
{
	const struct open_file *file = file_of(execution, dev);

	return file ? file->fd : -1;
}

static int thaw(struct execution *execution, struct err *err)
{
	double ms;
	int rc;

	if (!execution->frozen)
		return 1;
	/* a thaw is owed whatever the deadline says */
	rc = execution->effects->thaw(execution->effects, deadline_in(10000), err);
	if (rc < 0)
		return err_wrap(err, "it is still frozen (fsfreeze -u thaws it)");
	execution->frozen = 0;
	ms = (double)(clock_us() - execution->frozen_at_us) / 1000;
	if (ms > execution->result->frozen_ms)
		execution->result->frozen_ms = ms;
	return rc;
}

/* Of every file system of this number, in the first look as in a later one. */
static bool is_shut_down(const struct execution *execution, dev_t dev)
{
	const struct holder *filesystem = look_filesystem(execution->look, dev);

	return filesystem && filesystem->filesystem.shut_down;
}

static void drop_file(struct open_file *file)
{
	cleanup_close(&file->fd);
	file->fd = -1;
}

/*
 * What cannot be written is given up, if the user allows that. The file system
 * is shut down first: then it keeps nothing back for a later try, and all that
 * is left of it can go. Without that leave the retirement ends here.
 */
static int give_up_data(struct execution *execution, struct open_file *file, int rc, struct err *err)
{
	struct holder *filesystem = look_filesystem(execution->look, file->dev);

	if (rc != -EIO || !filesystem)
		return rc;
	if (!request_allows(execution->request, "shutdown"))
		return err_set(err, rc, "%s (--allow=shutdown gives up what cannot be written)", strerror(-rc));
	rc = thaw(execution, err);
	if (rc >= 0)
		rc = execution->effects->shut_down(execution->effects, file->fd, step_deadline(execution, 30000),
						   err);
	if (rc < 0)
		return rc;
	filesystem->filesystem.shut_down = true;
	drop_file(file);
	result_add_loss(execution->result, "data", filesystem->name, "it could not be written, and was given up");
	return 0;
}

int files_close(struct execution *execution, dev_t dev, struct err *err)
{
	struct open_file *file = file_of(execution, dev);
	int rc = 0;

	if (!file)
		return 0;
	/* those who were killed may have written between the thaw and their end */
	if (!is_shut_down(execution, dev))
		rc = execution->effects->flush(execution->effects, file->fd, step_deadline(execution, 30000), err);
	rc = give_up_data(execution, file, rc, err);
	drop_file(file);
	return rc < 0 ? err_wrap(err, "data could not be written") : 0;
}

static int apply_freeze(struct execution *execution, const struct step *step, struct step_record *record,
			struct err *err)
{
	const struct holder *filesystem = look_holder(execution->look, step->holder);
	char text[SUBJECT_ROOM];
	const char *subject = step_subject(execution->look, step, text);
	int fd = files_find(execution, filesystem->dev), rc;

	if (filesystem->filesystem.shut_down)
		return 1;
	if (fd < 0)
		return err_set(err, -ENOENT, "%s was not opened", subject);
	rc = execution->effects->guard(execution->effects, err);
	if (rc < 0)
		return rc;
	execution->frozen_at_us = clock_us();
	rc = execution->effects->freeze(execution->effects, fd, step_deadline(execution, 10000), err);
	if (rc == -EOPNOTSUPP) {
		record->message = strdup("this file system cannot be frozen: only flushed");
		return 1;
	}
	if (rc == -ETIMEDOUT)
		result_add_stuck(execution->result, subject, NULL, "%s", err->message);
	if (rc == 0)
		execution->frozen = step->holder;
	return rc == -EIO ? give_up_data(execution, file_of(execution, filesystem->dev), rc, err) : rc;
}

static struct json_object *capture_freeze(const struct execution *execution, const struct step *step)
{
	return capture_dev(look_holder(execution->look, step->holder)->dev);
}

/*
 * Tool and guardian were both killed. Whether the freeze was ours the kernel
 * does not say; the journal does: ours was asked for, and its end not recorded.
 */
static int thaw_left(struct execution *execution, const struct captured *captured, struct err *err)
{
	const struct holder *filesystem;
	dev_t dev;
	int fd, rc;

	if (captured_dev(captured->memo, "dev", &dev) < 0)
		return err_set(err, -EBADMSG, "its journal does not say which file system");
	filesystem = look_filesystem(execution->look, dev);
	if (!filesystem)
		return 1;
	if (filesystem->device != captured->device)
		return err_set(err, -EPERM, "its journal names a file system of another device");
	rc = execution->effects->open_filesystem(execution->effects, execution->look, filesystem, &fd, err);
	if (rc < 0)
		return rc;
	rc = execution->effects->thaw_left(execution->effects, fd, step_deadline(execution, 10000), err);
	cleanup_close(&fd);
	return rc;
}

static int undo_freeze(struct execution *execution, const struct captured *captured, struct err *err)
{
	int rc;

	if (execution->recovering)
		return thaw_left(execution, captured, err);
	rc = thaw(execution, err);
	execution->effects->release(execution->effects, deadline_in(2000), NULL);
	return rc;
}

static int apply_flush(struct execution *execution, const struct step *step, struct step_record *record,
		       struct err *err)
{
	const struct holder *filesystem = look_holder(execution->look, step->holder);
	struct open_file *file = file_of(execution, filesystem->dev);
	int rc;

	(void)record;
	if (filesystem->filesystem.shut_down || !file)
		return 1;
	rc = execution->effects->flush(execution->effects, file->fd, step_deadline(execution, 4000), err);
	rc = give_up_data(execution, file, rc, err);
	return rc < 0 ? err_wrap(err, "data could not be written") : rc;
}

static int apply_thaw(struct execution *execution, const struct step *step, struct step_record *record,
		      struct err *err)
{
	bool was_frozen = execution->frozen != 0;
	int rc = thaw(execution, err), released;

	(void)step;
	(void)record;
	released = execution->effects->release(execution->effects, step_deadline(execution, 5000), err);
	if (rc < 0 || released < 0)
		return rc < 0 ? rc : released;
	if (rc == 1 && was_frozen)
		return err_set(err, -ETIMEDOUT, "the freeze lasted too long and was ended");
	return rc;
}

const struct step_kind step_freeze = { STEP_FREEZE, capture_freeze, apply_freeze, undo_freeze,
				       step_verify_nothing };
const struct step_kind step_flush = { STEP_FLUSH, step_capture_nothing, apply_flush, step_undo_nothing,
				      step_verify_nothing };
const struct step_kind step_thaw = { STEP_THAW, step_capture_nothing, apply_thaw, step_undo_nothing,
				     step_verify_nothing };
