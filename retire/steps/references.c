// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * No kernel waits for references to pages when it takes their memory away
 * (mm/memremap.c waits for its own only), and whoever lets go afterwards writes
 * to what is gone. So they are counted when nobody can make new ones: the
 * device is claimed, its mappings and descriptors have ended.
 *
 * Once before that, too: since 6.15 the last umount waits for such references
 * where no signal reaches it (fs/dax.c:dax_break_layout_final()); before, it
 * forgets them with a warning.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "retire/steps/steps.h"
#include "util/cleanup.h"

/* The exit of a process closes its pipes and ends its I/O a moment after it. */
enum { PATIENCE_MS = 3000 };

/*
 * Who could pin pages was found in the first look. What they have pinned goes
 * after their exit, as slowly as a device that reads or writes there lets go
 * of it: io_uring/io_uring.c:io_ring_exit_work() waits for that.
 */
static uint64_t patience_ms(const struct execution *execution, int device)
{
	array_each(holder, &execution->result->look.holders)
		if (holder->type == HOLDER_PROCESS && holder->device == device &&
		    holder->process.uses & (USE_PIN | USE_PAGES))
			return execution->request->timeout_ms;
	return PATIENCE_MS;
}

static int take_count(struct execution *execution, const struct look *look, const struct references *references,
		      struct step_record *record, struct err *err)
{
	char where[512];

	if (!references->known) {
		if (!request_allows(execution->request, "references-unknown"))
			return err_set(err, -ENODATA, "whether a page is still referenced cannot be told: %s",
				       references->reason);
		if (record && !record->message)
			record->message = strdup(references->reason);
		return 1;
	}
	if (references->referenced)
		return err_set(err, -EBUSY,
			       "something that no list shows (a pipe, a buffer registered for I/O, a transfer in "
			       "flight) still references %" PRIu64 " page%s%s",
			       references->referenced, references->referenced == 1 ? "" : "s",
			       references_where(look, references, where, sizeof(where)));
	if (record)
		record->pages = references->counted;
	return 0;
}

int references_gone(struct execution *execution, int device, int interrupt, struct step_record *record,
		    struct err *err)
{
	_cleanup_(look_free) struct look one = { 0 };
	int rc = look_copy_device(execution->look, device, &one);

	if (rc == 0)
		rc = execution->count_references(execution->root, &one, interrupt,
						 step_deadline(execution, patience_ms(execution, device)));
	if (rc == -EINTR)
		return err_set(err, rc, "interrupted by a signal");
	if (rc < 0)
		return err_errno(err, rc, "cannot count references");
	array_each(references, &one.references)
		return take_count(execution, execution->look, references, record, err);
	return 1;
}

static int apply_references(struct execution *execution, const struct step *step, struct step_record *record,
			    struct err *err)
{
	return references_gone(execution, step->device, execution->effects->interrupt, record, err);
}

const struct step_kind step_foresee = { STEP_FORESEE, step_capture_nothing, apply_references, step_undo_nothing,
					step_verify_nothing };
const struct step_kind step_references = { STEP_REFERENCES, step_capture_nothing, apply_references,
					   step_undo_nothing, step_verify_nothing };
