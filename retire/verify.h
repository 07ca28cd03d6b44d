/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * After the unbind: is it true what we are going to say? Everything is looked
 * at again; nothing is concluded from steps having succeeded.
 */
#ifndef RETIRE_VERIFY_H
#define RETIRE_VERIFY_H

#include "retire/steps/steps.h"

/* Reads whether a driver still gives the device to users: targets_is_enabled(). */
typedef int device_is_enabled(const struct root *root, const struct device *device);

/* Fills result->verify and result->unused. True when no check is false. */
bool verify_retired(struct execution *execution, device_is_enabled *is_enabled);

/*
 * Have the nodes as much less as was online of ours in `look`, which is of before?
 * To be asked when nothing of it is left. What others add meanwhile hides that: so
 * the answer is yes, or that it cannot be told.
 */
void verify_node_totals(const struct root *root, const struct look *look, struct result *result);

/* Has the slot of each CXL memdev lost its power, and is a card, or its link, still there? False when one is on.
 */
bool verify_slots(const struct root *root, const struct look *look, struct result *result);

/* Has the port above each of them counted errors of the link since it was looked at? As with a warning of the
 * kernel, what was retired is so either way. */
void verify_ports(const struct root *root, const struct look *look, struct result *result);

#endif
