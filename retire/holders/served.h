/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel serves to others by itself: NFS exports, NVMe and SCSI
 * targets. No process shows them. Private to this room.
 */
#ifndef RETIRE_HOLDERS_SERVED_H
#define RETIRE_HOLDERS_SERVED_H

#include "retire/holders/kinds.h"

/*
 * Where a path leads that the kernel was once told to serve: to a watched block
 * device (1), a file of a watched file system (1; the place is the file
 * system), elsewhere (0), or nowhere that could be looked at (negative errno).
 * Walked in a child under a deadline: a path may lead through a dead server.
 */
int place_of_served(const struct root *root, const struct look *look, const char *path, struct place *place);

/* Adds it, resting on `place`. NULL when memory is out. */
struct holder *add_served(struct look *look, enum holder_type type, const struct place *place, const char *name);

/* A line of the export table of nfs-utils or of the kernel's cache: PATH<tab>CLIENT(OPTIONS). */
struct export_line {
	char *path, *client, *options; /* point into the line */
};

/* Takes a line apart in place. 0, or -EINVAL: it is none. */
int export_parse(char *line, struct export_line *export);

/* What a state that an NFS client has is of. */
struct nfs_state {
	dev_t dev;   /* of the file system */
	bool in_use; /* open, locked or about to be written: not just remembered */
};

/* A line of /proc/fs/nfsd/clients/ID/states. 0, or -EINVAL: it is of no file. */
int nfs_state_parse(const char *line, struct nfs_state *state);

/* "Major: 259 Minor: 0" in the info of an iblock backstore. 0, or -EINVAL: it says none. */
int target_parse_dev(const char *info, dev_t *dev);

/* "File: PATH  Size: …" in the info of a fileio backstore; the caller frees; NULL when it says none. */
char *target_parse_file(const char *info);

#endif
