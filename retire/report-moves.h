/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What would move a holder, made of the vetoes. Private to the reports. */
#ifndef RETIRE_REPORT_MOVES_H
#define RETIRE_REPORT_MOVES_H

#include "retire/result.h"

/* What would move a holder, of all vetoes that are about it. All zero: it needs no move, it goes with what it is
 * on.
 */
struct move {
	enum evict_level level;	  /* the highest that is needed, or EVICT_NONE */
	const char *risk;	  /* the code of a risk to be taken as well; NULL when there is none */
	const struct veto *never; /* no option moves it: this one says why, and what to do by hand; or NULL */
};

/* Of every holder, by index; the caller frees. A file system that is not shown leaves it to its first mount. NULL
 * when memory is out. */
struct move *moves_of(const struct result *result);

/* Of what is about the device itself and no holder. */
struct move move_of_device(const struct result *result, const struct device *device);

/* What moves both. */
void move_add(struct move *move, const struct move *other);

enum { MOVE_TEXT = 96 };

/* "--evict=term --allow=volatile-mount", "by hand", or "" when it needs no move. At most `size` bytes. */
const char *move_text(const struct move *move, char *text, size_t size);

#endif
