/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A function of a library that few runs need: a library that is linked costs
 * each run its memory and the time to relocate it.
 */
#ifndef UTIL_LIBRARY_H
#define UTIL_LIBRARY_H

/* The function `name` of `library` ("libsystemd.so.0"), which stays loaded; NULL when there is none. */
void *library_function(const char *library, const char *name);

/* The same with the type of the declaration that its header has. */
#define LIBRARY_FUNCTION(library, name) ((__typeof__(&(name)))library_function(library, #name))

#endif
