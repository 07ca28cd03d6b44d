// SPDX-License-Identifier: GPL-2.0-or-later
/* As targets/cxl-*.c leave the kernel: each reads right before it writes that what is above it has gone. */
#include "test/crash/model-cxl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test/crash/model-effects.h"
#include "test/crash/model-machine.h"

struct model_cxl model_cxl_make(bool delete_region, bool power_off)
{
	return (struct model_cxl){ .there = true,
				   .bound = true,
				   .committed = true,
				   .made = true,
				   .memdev = true,
				   .power = true,
				   .delete_region = delete_region,
				   .power_off = power_off };
}

static char *own(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		abort();
	return copy;
}

static struct device *add(struct look *look, enum device_type type, const char *name, const char *path,
			  bool enabled)
{
	struct device *device = array_add(&look->devices);

	if (!device)
		abort();
	*device = (struct device){ .type = type, .mode = MODE_NONE, .enabled = enabled, .size = 1UL << 30 };
	device->name = own(name);
	device->path = own(path);
	return device;
}

static void bind(struct device *device, const char *driver)
{
	device->driver = own(driver);
	device->driver_device = own(device->name);
}

void model_cxl_find(const struct model_state *state, struct look *look)
{
	const struct model_cxl *cxl = &state->cxl;
	struct device *device;
	struct cxl_target *target;

	device = add(look, DEVICE_CXL_REGION, "region0", "/sys/devices/root0/decoder0.0/region0",
		     cxl->bound || cxl->committed);
	device->mode = MODE_RAM;
	if (cxl->bound)
		bind(device, "cxl_region");
	device->cxl = (struct cxl){ .ways = 1, .committed = cxl->committed, .absent = !cxl->made };
	device->cxl.root_decoder = own("decoder0.0");
	target = array_add(&device->cxl.targets);
	if (!target)
		abort();
	*target = (struct cxl_target){ .decoder = own("decoder2.0"), .memdev = own("mem0"), .serial = 7 };
	device = add(look, DEVICE_CXL_MEMDEV, "mem0", "/sys/devices/pci0000:0c/0000:0d:00.0/mem0", cxl->memdev);
	if (cxl->memdev)
		bind(device, "cxl_mem");
	device->cxl = (struct cxl){ .serial = 7, .absent = !cxl->power };
	device->cxl.host = own("0000:0d:00.0");
	device->cxl.slot = own("2");
}

int model_cxl_is_enabled(const struct model_state *state, const struct device *device)
{
	if (device->type == DEVICE_CXL_REGION)
		return state->cxl.bound || state->cxl.committed;
	return device->type == DEVICE_CXL_MEMDEV ? state->cxl.memdev : -1;
}

bool model_cxl_is_retired(const struct model_cxl *cxl)
{
	return !cxl->there || (!cxl->bound && !cxl->committed && !cxl->memdev &&
			       !(cxl->delete_region && cxl->made) && !(cxl->power_off && cxl->power));
}

static int turn_off(bool *what)
{
	int rc = !*what;

	*what = false;
	return rc;
}

static int turn_on(bool *what)
{
	int rc = *what;

	*what = true;
	return rc;
}

int model_cxl_disable(struct model_state *state, const struct device *device)
{
	struct model_cxl *cxl = &state->cxl;

	if (device->type == DEVICE_CXL_REGION)
		return state->devices[0].enabled || model_has_online_memory(state, 0) ? -EADDRINUSE
										      : turn_off(&cxl->bound);
	return cxl->bound || cxl->committed ? -EADDRINUSE : turn_off(&cxl->memdev);
}

int model_cxl_enable(struct model_state *state, const struct device *device)
{
	struct model_cxl *cxl = &state->cxl;

	if (device->type == DEVICE_CXL_REGION)
		return cxl->committed ? turn_on(&cxl->bound) : -ENXIO;
	return cxl->power ? turn_on(&cxl->memdev) : -ENODEV;
}

static int erase(struct model_cxl *cxl)
{
	return cxl->bound || cxl->committed ? -EADDRINUSE : turn_off(&cxl->made);
}

static int commit(struct model_cxl *cxl)
{
	if (!cxl->memdev)
		return -ENODEV;
	cxl->made = true;
	return turn_on(&cxl->committed);
}

static int change(struct model_cxl *cxl, enum cxl_change what)
{
	switch (what) {
	case CXL_DECOMMIT:
		return cxl->bound ? -EADDRINUSE : turn_off(&cxl->committed);
	case CXL_COMMIT:
		return commit(cxl);
	case CXL_ERASE:
		return erase(cxl);
	case CXL_POWER_OFF:
		return cxl->memdev ? -EADDRINUSE : turn_off(&cxl->power);
	case CXL_POWER_ON:
		return turn_on(&cxl->power);
	default:
		abort();
	}
}

static int model_change(struct effects *effects, const struct device *device, enum cxl_change what,
			struct deadline deadline, struct err *err)
{
	static const char *const names[] = { "decommit", "commit", "erase", "power-off", "power-on" };
	int begun = model_begin(effects, names[what], device->name, true, err);

	(void)deadline;
	return begun < 0 ? begun : model_finish(begun, change(&model_of(effects)->state->cxl, what), err);
}

void model_cxl_effects_init(struct effects *effects)
{
	effects->change = model_change;
}
