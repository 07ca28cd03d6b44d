/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a retirement tells of itself while it runs: events for programs on
 * stdout, lines for people on stderr. None of these calls ever waits for a
 * reader but progress_end_*(), and NULL instead of a progress is allowed.
 */
#ifndef RETIRE_PROGRESS_H
#define RETIRE_PROGRESS_H

#include "retire/event.h"
#include "retire/report.h"

struct progress;

/*
 * Forks the tellers of the descriptors `out` and `err`; before the lock is
 * taken, which they must not inherit. The caller frees. NULL when there is
 * nothing to be told, or nobody to do it.
 */
struct progress *progress_new(const struct report_options *options, int out, int err);

/* From here on times are counted. `request` is only looked at. */
void progress_begin(struct progress *progress, const struct request *request, const char *id);

/* What it is at when it is at no step: "lock", "look", "verify". */
void progress_phase(struct progress *progress, const char *phase);

/*
 * EVENT_STEP_BEGUN, EVENT_STEP, EVENT_UNDO_BEGUN or EVENT_UNDO of a step. While
 * something is `frozen` it is told after the thaw: what the output goes to can
 * lie on it.
 */
void progress_step(struct progress *progress, enum event_type type, const struct step_record *record, bool frozen);

/* How much of a step that goes on is done, in bytes. Call it as often as you like. */
void progress_amount(struct progress *progress, const struct step_record *record, uint64_t done, uint64_t total);

/* For whom a step waits. */
void progress_wait(struct progress *progress, const struct step_record *record, const char *message);

/* All is told: the time that is read after this is not before that of any line. */
void progress_finish(struct progress *progress);

/*
 * When all is done and the lock is free: waits until everything is written to
 * `out`, or to `err` and the live line is gone.
 */
void progress_end_events(struct progress *progress);
void progress_end_lines(struct progress *progress);

/* Ends both. */
void progress_free(struct progress *progress);

#endif
