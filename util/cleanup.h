/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cleanup attributes: what a function opens or allocates is let go when its
 * scope ends, on every path. `take_fd()` and `take_ptr()` hand a thing on and
 * leave the variable empty, so that its cleanup does nothing.
 */
#ifndef UTIL_CLEANUP_H
#define UTIL_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

/* Closing never changes errno: callers report the error that came before. */
static inline void cleanup_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void cleanup_closedir(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define _cleanup_(f)	   __attribute__((cleanup(f)))
#define _cleanup_free_	   _cleanup_(cleanup_free)
#define _cleanup_close_	   _cleanup_(cleanup_close)
#define _cleanup_fclose_   _cleanup_(cleanup_fclose)
#define _cleanup_closedir_ _cleanup_(cleanup_closedir)

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define take_ptr(p)                                                                                               \
	({                                                                                                        \
		__typeof__(p) *_from = &(p);                                                                      \
		__typeof__(p) _taken = *_from;                                                                    \
		*_from = NULL;                                                                                    \
		_taken;                                                                                           \
	})

#endif
