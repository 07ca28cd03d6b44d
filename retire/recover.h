/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * After the fact: a retirement that was cut short is rolled back or finished,
 * one that is done is taken back, and both are told of. All from the journal
 * and from a look at the machine as it is.
 */
#ifndef RETIRE_RECOVER_H
#define RETIRE_RECOVER_H

#include "retire/machine.h"
#include "retire/progress.h"
#include "retire/request.h"
#include "retire/result.h"

/*
 * request->names: none (all that were cut) or one id. Rolls back what was not
 * committed, goes forward with what was; of another boot only what a reboot
 * does not bring back. Another one at work: OUTCOME_IN_PROGRESS.
 */
void recover_on(const struct machine *machine, const struct request *request, struct progress *progress,
		struct result *result);
void recover_retirements(const struct root *root, const struct request *request, struct progress *progress,
			 struct result *result);

/* request->names: the name of a device or the id of a retirement. */
void restore_on(const struct machine *machine, const struct request *request, struct progress *progress,
		struct result *result);
void restore_retirement(const struct root *root, const struct request *request, struct progress *progress,
			struct result *result);

/* request->names: none or one id. Reads only. */
void list_retirements(const struct root *root, const struct request *request, struct result *result);

#endif
