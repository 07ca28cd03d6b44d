/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libndctl and libkmod, loaded where a device is disabled or enabled
 * (util/library.h says why). Only for targets/.
 */
#ifndef RETIRE_TARGETS_LIBRARIES_H
#define RETIRE_TARGETS_LIBRARIES_H

#include <libkmod.h>
#include <ndctl/libndctl.h>
#include <stdarg.h>

#include "util/cleanup.h"
#include "util/err.h"
#include "util/library.h"

#define NDCTL_FUNCTION(name) LIBRARY_FUNCTION("libndctl.so.6", name)
#define KMOD_FUNCTION(name)  LIBRARY_FUNCTION("libkmod.so.2", name)

#define ndctl_btt_get_devname		   NDCTL_FUNCTION(ndctl_btt_get_devname)
#define ndctl_bus_get_first		   NDCTL_FUNCTION(ndctl_bus_get_first)
#define ndctl_bus_get_next		   NDCTL_FUNCTION(ndctl_bus_get_next)
#define ndctl_bus_wait_probe		   NDCTL_FUNCTION(ndctl_bus_wait_probe)
#define ndctl_dax_get_devname		   NDCTL_FUNCTION(ndctl_dax_get_devname)
#define ndctl_namespace_disable_invalidate NDCTL_FUNCTION(ndctl_namespace_disable_invalidate)
#define ndctl_namespace_enable		   NDCTL_FUNCTION(ndctl_namespace_enable)
#define ndctl_namespace_get_btt		   NDCTL_FUNCTION(ndctl_namespace_get_btt)
#define ndctl_namespace_get_dax		   NDCTL_FUNCTION(ndctl_namespace_get_dax)
#define ndctl_namespace_get_devname	   NDCTL_FUNCTION(ndctl_namespace_get_devname)
#define ndctl_namespace_get_first	   NDCTL_FUNCTION(ndctl_namespace_get_first)
#define ndctl_namespace_get_next	   NDCTL_FUNCTION(ndctl_namespace_get_next)
#define ndctl_namespace_get_pfn		   NDCTL_FUNCTION(ndctl_namespace_get_pfn)
#define ndctl_new			   NDCTL_FUNCTION(ndctl_new)
#define ndctl_pfn_get_devname		   NDCTL_FUNCTION(ndctl_pfn_get_devname)
#define ndctl_region_disable_invalidate	   NDCTL_FUNCTION(ndctl_region_disable_invalidate)
#define ndctl_region_enable		   NDCTL_FUNCTION(ndctl_region_enable)
#define ndctl_region_get_devname	   NDCTL_FUNCTION(ndctl_region_get_devname)
#define ndctl_region_get_first		   NDCTL_FUNCTION(ndctl_region_get_first)
#define ndctl_region_get_next		   NDCTL_FUNCTION(ndctl_region_get_next)
#define ndctl_set_log_fn		   NDCTL_FUNCTION(ndctl_set_log_fn)
#define ndctl_unref			   NDCTL_FUNCTION(ndctl_unref)

#define kmod_list_next			KMOD_FUNCTION(kmod_list_next)
#define kmod_module_get_module		KMOD_FUNCTION(kmod_module_get_module)
#define kmod_module_new_from_lookup	KMOD_FUNCTION(kmod_module_new_from_lookup)
#define kmod_module_probe_insert_module KMOD_FUNCTION(kmod_module_probe_insert_module)
#define kmod_module_unref		KMOD_FUNCTION(kmod_module_unref)
#define kmod_module_unref_list		KMOD_FUNCTION(kmod_module_unref_list)
#define kmod_new			KMOD_FUNCTION(kmod_new)
#define kmod_set_log_fn			KMOD_FUNCTION(kmod_set_log_fn)
#define kmod_unref			KMOD_FUNCTION(kmod_unref)

/* Before anything is touched: 0, or -ELIBACC with a message when one of them is not there. They stay loaded. */
int libraries_load(struct err *err);

/* A context of libndctl that says nothing by itself. 0 or a negative errno. */
int ndctl_open(struct ndctl_ctx **ctx);

static inline void cleanup_ndctl(struct ndctl_ctx **ctx)
{
	if (*ctx)
		ndctl_unref(*ctx);
}
#define _cleanup_ndctl_ _cleanup_(cleanup_ndctl)

/* By the exact name; NULL when there is none. They live as long as the context. */
struct ndctl_namespace *ndctl_find_namespace(struct ndctl_ctx *ctx, const char *name);
struct ndctl_region *ndctl_find_region(struct ndctl_ctx *ctx, const char *name);

/* Until the kernel has probed all that it is probing, and udev has heard of it. */
void ndctl_wait(struct ndctl_ctx *ctx);

#endif
