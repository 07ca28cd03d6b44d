/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole job, for commands: request -> targets -> holders -> plan ->
 * execute -> result. A command parses options, calls one of these, reports.
 */
#ifndef RETIRE_RETIRE_H
#define RETIRE_RETIRE_H

#include "retire/machine.h"
#include "retire/progress.h"
#include "retire/request.h"
#include "retire/result.h"

struct journal;
struct session;

/* All fill *result whatever happens; result->outcome says how it went. `progress` may be NULL. */
void retire_devices(const struct root *root, const struct request *request, find_devices *find,
		    struct progress *progress, struct result *result);
void retire_list_holders(const struct root *root, const struct request *request, find_devices *find,
			 struct result *result);

/* The same on any machine. */
void retire_on(const struct machine *machine, const struct request *request, find_devices *find,
	       struct progress *progress, struct result *result);

/* For `recover`: goes on with a retirement that was committed; its journal is taken over. */
void retire_forward(struct session *session, const struct look *devices, const char *id, struct journal *journal);

#endif
