/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libdevmapper, loaded where a table is made or taken down; SELinux and three more come with it. Private to
 * effects. */
#ifndef RETIRE_DEVMAPPER_H
#define RETIRE_DEVMAPPER_H

#include <libdevmapper.h>
#include <stdbool.h>

#include "util/library.h"

#define DEVMAPPER_FUNCTION(name) LIBRARY_FUNCTION("libdevmapper.so.1.02.1", name)

#define dm_log_with_errno_init	  DEVMAPPER_FUNCTION(dm_log_with_errno_init)
#define dm_set_name_mangling_mode DEVMAPPER_FUNCTION(dm_set_name_mangling_mode)
#define dm_task_add_target	  DEVMAPPER_FUNCTION(dm_task_add_target)
#define dm_task_create		  DEVMAPPER_FUNCTION(dm_task_create)
#define dm_task_destroy		  DEVMAPPER_FUNCTION(dm_task_destroy)
#define dm_task_get_errno	  DEVMAPPER_FUNCTION(dm_task_get_errno)
#define dm_task_get_info	  DEVMAPPER_FUNCTION(dm_task_get_info)
#define dm_task_get_uuid	  DEVMAPPER_FUNCTION(dm_task_get_uuid)
#define dm_task_retry_remove	  DEVMAPPER_FUNCTION(dm_task_retry_remove)
#define dm_task_run		  DEVMAPPER_FUNCTION(dm_task_run)
#define dm_task_set_cookie	  DEVMAPPER_FUNCTION(dm_task_set_cookie)
#define dm_task_set_message	  DEVMAPPER_FUNCTION(dm_task_set_message)
#define dm_task_set_sector	  DEVMAPPER_FUNCTION(dm_task_set_sector)
#define dm_task_set_major	  DEVMAPPER_FUNCTION(dm_task_set_major)
#define dm_task_set_minor	  DEVMAPPER_FUNCTION(dm_task_set_minor)
#define dm_task_set_name	  DEVMAPPER_FUNCTION(dm_task_set_name)
#define dm_task_set_ro		  DEVMAPPER_FUNCTION(dm_task_set_ro)
#define dm_task_set_uuid	  DEVMAPPER_FUNCTION(dm_task_set_uuid)
#define dm_udev_wait		  DEVMAPPER_FUNCTION(dm_udev_wait)

/* False: there is none. */
static inline bool devmapper_is_there(void)
{
	return dm_task_create;
}

#endif
