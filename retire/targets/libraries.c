// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/targets/libraries.h"

#include <errno.h>
#include <string.h>

int libraries_load(struct err *err)
{
	if (!ndctl_new)
		return err_set(err, -ELIBACC, "libndctl.so.6 cannot be loaded: is it installed?");
	if (!kmod_new)
		return err_set(err, -ELIBACC, "libkmod.so.2 cannot be loaded: is it installed?");
	return 0;
}

/* The library's own words are not for our users; results and errno tell us what we need. */
static void ndctl_silent(struct ndctl_ctx *ctx, int priority, const char *file, int line, const char *fn,
			 const char *format, va_list args)
{
	(void)ctx, (void)priority, (void)file, (void)line, (void)fn, (void)format, (void)args;
}

int ndctl_open(struct ndctl_ctx **ctx)
{
	int rc = libraries_load(NULL);

	*ctx = NULL;
	rc = rc < 0 ? rc : ndctl_new(ctx);
	if (rc != 0) {
		*ctx = NULL;
		return rc < 0 ? rc : -EIO;
	}
	ndctl_set_log_fn(*ctx, ndctl_silent);
	return 0;
}

struct ndctl_region *ndctl_find_region(struct ndctl_ctx *ctx, const char *name)
{
	struct ndctl_region *region;
	struct ndctl_bus *bus;

	ndctl_bus_foreach(ctx, bus)
		ndctl_region_foreach(bus, region)
			if (strcmp(ndctl_region_get_devname(region), name) == 0)
				return region;
	return NULL;
}

struct ndctl_namespace *ndctl_find_namespace(struct ndctl_ctx *ctx, const char *name)
{
	struct ndctl_namespace *ndns;
	struct ndctl_region *region;
	struct ndctl_bus *bus;

	ndctl_bus_foreach(ctx, bus)
		ndctl_region_foreach(bus, region)
			ndctl_namespace_foreach(region, ndns)
				if (strcmp(ndctl_namespace_get_devname(ndns), name) == 0)
					return ndns;
	return NULL;
}

void ndctl_wait(struct ndctl_ctx *ctx)
{
	struct ndctl_bus *bus;

	ndctl_bus_foreach(ctx, bus)
		ndctl_bus_wait_probe(bus);
}
