/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Some attributes wait for the lock of a device, and a removal that never ends
 * holds that: so the finding is tried out in a child first. Only for targets/.
 */
#ifndef RETIRE_TARGETS_FINDING_H
#define RETIRE_TARGETS_FINDING_H

#include "retire/model.h"
#include "retire/request.h"

struct root;

/* Anything that only reads. False when it does nothing for five seconds, or has not come back after a minute: it is
 * in a child, which is left behind then. */
typedef void attempt(const struct root *root, const void *what);
bool finding_comes_back(attempt *try, const struct root *root, const void *what);

/* What a request names … */
typedef int finder(const struct root *root, const struct request *request, struct look *look, struct err *err);

/* … or the devices of a look as they are now. */
typedef int finder_again(const struct root *root, const struct look *was, struct look *look, struct err *err);

/*
 * 1; 0 when it does not come back; a negative errno when the libraries that will act are not
 * there. They are loaded for a request that is not only to look, so that one
 * that is missing is told before anything is touched.
 */
int finding_returns(finder *find, const struct root *root, const struct request *request, struct err *err);

/* The same; the libraries are always loaded. */
int finding_again_returns(finder_again *find, const struct root *root, const struct look *was, struct err *err);

/* -ETIMEDOUT with its message: `name` cannot be looked at, since the kernel is removing `what`: "a dax device". */
int finding_gave_up(const char *name, const char *what, struct err *err);

/* Is a device of that bus ("nd") and name found already? Names of one bus are of one kind only. */
bool finding_has(const struct look *look, const char *bus, const char *name);

/* Fills an empty device from sysfs. 0 or a negative errno; what it has filled then is let go of. */
typedef int describer(const struct root *root, const char *name, struct device *device);

/* Adds the device of that name to the look. 0, or a negative errno with a message. */
int finding_add(const struct root *root, describer *describe, const char *name, struct look *look,
		struct err *err);

#endif
