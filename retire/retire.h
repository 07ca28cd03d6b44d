/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole job, for commands: request -> targets -> holders -> plan ->
 * execute -> result. A command parses options, calls one of these, reports.
 */
#ifndef RETIRE_RETIRE_H
#define RETIRE_RETIRE_H

#include "retire/progress.h"
#include "retire/request.h"
#include "retire/result.h"

struct root;

/* How the names of a request become devices: targets_find_pmem() and its like. */
typedef int find_devices(const struct root *root, const struct request *request, struct look *look,
			 struct err *err);

/* All fill *result whatever happens; result->outcome says how it went. `progress` may be NULL. */
void retire_devices(const struct root *root, const struct request *request, find_devices *find,
		    struct progress *progress, struct result *result);
void retire_list_holders(const struct root *root, const struct request *request, find_devices *find,
			 struct result *result);

#endif
