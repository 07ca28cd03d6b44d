/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the reports say alike: the words, and how the graph of holders looks
 * to a reader. Private to the reports.
 */
#ifndef RETIRE_REPORT_WORDS_H
#define RETIRE_REPORT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "retire/result.h"

/*
 * A copy of `text` that is valid UTF-8: a byte that belongs to no character
 * becomes U+FFFD. At most 8 KiB of `text` are taken. Caller frees; NULL when
 * memory is out.
 */
char *valid_utf8(const char *text);

/* "1024.00 MiB (1073.74 MB)": units and rounding of `ndctl list -u`. False when it prints the plain number. */
bool family_size(uint64_t bytes, char *text, size_t size);

/* The word of its kind: "mount", "process"; a file system that no mount shows is a "superblock". */
const char *holder_word(const struct holder *holder);

/* Readers see a file system as its mounts; only a detached one stands for itself. */
bool holder_is_shown(const struct holder *holder);

/*
 * What `holder` rests on as a reader sees it: a holder that is shown, or NULL
 * for the device. A process or swap file on a mounted file system rests on the
 * mount that its path leads through.
 */
const struct holder *holder_below(const struct look *look, const struct holder *holder);

/* The holder to name for id: itself, the first mount when it is a mounted file system, or NULL. */
const struct holder *shown_holder(const struct look *look, int id);

/* The name of use bit number `bit`, NULL after the last: "open", "map", … */
const char *use_name(size_t bit);

/* "--evict=term" or "--allow=incomplete"; false when nothing lifts it. */
bool veto_lifted_by(const struct veto *veto, char *text, size_t size);

/* "unmount", or "mount" where the record is of the way back. */
const char *step_record_name(const struct step_record *record);

#endif
