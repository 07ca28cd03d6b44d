/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine that a job is done on: how it is looked at, and how it is
 * changed. The running one, or in tests a model of one.
 */
#ifndef RETIRE_MACHINE_H
#define RETIRE_MACHINE_H

#include "retire/effects-system.h"
#include "retire/kernel.h"
#include "retire/model.h"
#include "retire/request.h"

/* How the names of a request become devices: targets_find_pmem() and its like. */
typedef int find_devices(const struct root *root, const struct request *request, struct look *look,
			 struct err *err);

struct machine {
	const struct root *root;
	struct effects *effects;

	/* The devices of `was` as they are now, by type and name, into the empty `look`; -ENODEV: one is gone. */
	int (*find_again)(const struct root *root, const struct look *was, struct look *look, struct err *err);
	int (*find_holders)(const struct root *root, struct look *look, struct err *err);
	/* As pages_count() of pages/: look->references. */
	int (*count_references)(const struct root *root, struct look *look, int interrupt,
				struct deadline patience);
	void (*probe)(const struct root *root, struct kernel *kernel);

	/* Does a driver give it to users? 1, 0, or a negative errno. */
	int (*is_enabled)(const struct root *root, const struct device *device);
	/* Is it still the device of this identity (uuid)? 0, or -ESTALE with a message that names both. */
	int (*check_identity)(const struct root *root, const struct device *device, struct err *err);
	/* As holders_find_page_keepers(); NULL: nobody can be found. */
	int (*find_page_keepers)(const struct root *root, struct look *look);
	/* Whoever keeps pages of memory of this system where they are becomes a holder; NULL as above. 0 or
	 * -ENOMEM.
	 */
	int (*find_memory_keepers)(const struct root *root, struct look *look);
};

/* The running one; `effects` must outlive it. effects_system_end() when done. */
struct machine machine_system(const struct root *root, struct effects_system *effects);

/*
 * machine->find_again(), and a check that it found those very devices in that
 * order: steps name them by their place, and a name out of a journal may stand
 * for something else. -ESTALE with a message.
 */
int machine_find_again(const struct machine *machine, const struct look *was, struct look *look, struct err *err);

/* machine->find_memory_keepers() as part of a look. 0, or -ENOMEM with a message. */
int machine_find_memory_keepers(const struct machine *machine, struct look *look, struct err *err);

/*
 * machine->count_references() as part of a look, with the patience that a read
 * or a write needs to come back; who has what is referenced becomes a holder.
 * 0, -EINTR or -ENOMEM with a message.
 */
int machine_count_references(const struct machine *machine, struct look *look, int interrupt, struct err *err);

#endif
