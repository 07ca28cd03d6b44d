/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A CXL region that the first device of the model stands on, and the card that the region is of. */
#ifndef TEST_CRASH_MODEL_CXL_H
#define TEST_CRASH_MODEL_CXL_H

#include "retire/effects.h"

struct model_cxl {
	bool there;	      /* the machine has them */
	bool bound;	      /* a driver has the region */
	bool committed, made; /* its decoders are programmed; it is there at all */
	bool memdev, power;   /* a driver has the card; it has power */

	bool delete_region, power_off; /* what is asked */
};

struct model_state;

struct model_cxl model_cxl_make(bool delete_region, bool power_off);

/* Adds the region and the card, as they are now. */
void model_cxl_find(const struct model_state *state, struct look *look);

/* -1: the device is none of these, and has a number of its own. */
int model_cxl_is_enabled(const struct model_state *state, const struct device *device);

/* Down as far as was asked. */
bool model_cxl_is_retired(const struct model_cxl *cxl);

/* What it owes struct effects, of these two; -ENODEV: of none of them. */
int model_cxl_disable(struct model_state *state, const struct device *device);
int model_cxl_enable(struct model_state *state, const struct device *device);
void model_cxl_effects_init(struct effects *effects);

#endif
