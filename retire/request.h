/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the user asked for: the options of a command, parsed and checked, and
 * nothing that was found on the machine.
 */
#ifndef RETIRE_REQUEST_H
#define RETIRE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "retire/model.h"

struct request {
	const char *command;	  /* "retire-namespace", "list-holders" */
	const char *tool;	  /* whose command it is, "ndctl"; NULL: any */
	const char *const *names; /* of devices, or one "all" */
	size_t name_count;
	const char *bus, *region; /* filters; NULL: any */
	const char *node;	  /* … the number of the NUMA node of a dax device */
	const char *decoder;	  /* … the root decoder of a CXL region */
	enum evict_level evict;
	const char *const *allow; /* veto codes of severity risk that are taken */
	size_t allow_count;
	bool dry_run;
	bool no_unbind;	     /* memory goes offline, its driver stays */
	bool delete_region;  /* CXL regions are deleted, not only torn down */
	bool power_off;	     /* the slot of a CXL memdev loses its power */
	bool pages;	     /* of list-holders: count the references to its pages, too */
	unsigned grace_ms;   /* between TERM and KILL */
	unsigned timeout_ms; /* up to the commit point; the rollback has the same again */
	bool timeout_given;  /* … by the user: memory that has to move makes it no longer */
	bool wait;	     /* for another retirement to end */
	unsigned wait_ms;    /* 0 with `wait`: without limit */
};

/* Is the risk `code` taken by --allow? */
bool request_allows(const struct request *request, const char *code);

#endif
