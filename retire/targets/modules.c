// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/targets/modules.h"

#include <errno.h>

#include "retire/targets/libraries.h"
#include "util/root.h"

static void cleanup_kmod(struct kmod_ctx **ctx)
{
	if (*ctx)
		kmod_unref(*ctx);
}

static void cleanup_list(struct kmod_list **list)
{
	if (*list)
		kmod_module_unref_list(*list);
}

/* The library's own words are not for our users. */
static void silent(void *data, int priority, const char *file, int line, const char *fn, const char *format,
		   va_list args)
{
	(void)data, (void)priority, (void)file, (void)line, (void)fn, (void)format, (void)args;
}

/* 0 it is there, also when it was; -EPERM: blacklisted. */
static int load(struct kmod_module *module)
{
	int rc = kmod_module_probe_insert_module(module, KMOD_PROBE_APPLY_BLACKLIST, NULL, NULL, NULL, NULL);

	return rc > 0 ? -EPERM : rc;
}

int modules_load_for(const struct root *root, const char *path)
{
	_cleanup_(cleanup_kmod) struct kmod_ctx *ctx = NULL;
	_cleanup_(cleanup_list) struct kmod_list *list = NULL;
	_cleanup_free_ char *alias = root_attributef(root, "%s/modalias", path);
	struct kmod_list *entry;
	bool loaded = false;
	int rc;

	if (!alias)
		return -errno;
	rc = libraries_load(NULL);
	if (rc < 0)
		return rc;
	ctx = kmod_new(NULL, NULL);
	if (!ctx)
		return -ENOMEM;
	kmod_set_log_fn(ctx, silent, NULL);
	rc = kmod_module_new_from_lookup(ctx, alias, &list);
	/* several may have the alias (device_dax and kmem); the kernel picks the driver */
	kmod_list_foreach(entry, list)
	{
		struct kmod_module *module = kmod_module_get_module(entry);
		int one = load(module);

		kmod_module_unref(module);
		loaded |= one == 0;
		rc = one < 0 ? one : rc;
	}
	return loaded || rc > 0 ? 0 : rc;
}
