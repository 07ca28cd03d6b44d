/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small recorded tree of a test's own, in a temporary directory. Failures
 * abort: a test without its tree means nothing.
 */
#ifndef TEST_UNIT_TREE_H
#define TEST_UNIT_TREE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct tree {
	char path[64];
};

static inline void tree_make(struct tree *tree)
{
	strcpy(tree->path, "/tmp/dax-retire-test.XXXXXX");
	if (!mkdtemp(tree->path))
		abort();
}

/* The place of `name` ("/proc/swaps") with all directories above it */
static inline char *tree_place(const struct tree *tree, const char *name)
{
	char *place;

	if (asprintf(&place, "%s%s", tree->path, name) < 0)
		abort();
	for (char *slash = place + strlen(tree->path) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(place, 0755);
		*slash = '/';
	}
	return place;
}

static inline void tree_write(const struct tree *tree, const char *name, const char *data, size_t size)
{
	char *place = tree_place(tree, name);
	FILE *file = fopen(place, "w");

	if (!file || fwrite(data, 1, size, file) != size || fclose(file))
		abort();
	free(place);
}

static inline void tree_text(const struct tree *tree, const char *name, const char *text)
{
	tree_write(tree, name, text, strlen(text));
}

static inline void tree_link(const struct tree *tree, const char *name, const char *target)
{
	char *place = tree_place(tree, name);

	if (symlink(target, place) < 0)
		abort();
	free(place);
}

/* It is no more. */
static inline void tree_gone(const struct tree *tree, const char *name)
{
	char *place = tree_place(tree, name);

	if (remove(place) < 0)
		abort();
	free(place);
}

static inline int tree_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline void tree_remove(struct tree *tree)
{
	nftw(tree->path, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
