/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The graph of holders as a reader sees it, depth first: a device, what is
 * stacked on it, its mounts and swap, the units whose processes use them, the
 * processes. The tree and the graph for Graphviz are drawn from it. Private to
 * the reports.
 */
#ifndef RETIRE_REPORT_OUTLINE_H
#define RETIRE_REPORT_OUTLINE_H

#include "retire/report-moves.h"
#include "retire/result.h"

enum { USE_BITS = 32 };

enum node_type { NODE_DEVICE, NODE_HOLDER, NODE_UNIT };

struct node {
	enum node_type type;
	size_t parent; /* index; its own for a device that stands on no other */
	size_t depth;  /* 0 for such a device */
	const struct device *device;
	const struct holder *holder; /* of NODE_UNIT the first of its processes; NULL for a device */
	size_t processes;	     /* of NODE_UNIT: as many nodes follow, one deeper; each else 0 */
	size_t uses[USE_BITS];	     /* of NODE_UNIT: how many of them use it that way, by bit of enum use */
	struct move move;
};

/* Points into the result, which has to outlive it. */
struct outline {
	const struct result *result;
	ARRAY_OF(struct node) nodes;
};

/* 0, -ENOMEM, or -ELOOP when mounts are nested beyond reason; outline_free() in any case. */
int outline_make(const struct result *result, struct outline *outline);
void outline_free(struct outline *outline);

/* The words of a node, as fit for a terminal; `path` is "" but for processes. NULL when memory is out. */
struct node_text {
	char *title;  /* "/mnt/data", "fio[812]", "postgres.service" */
	char *detail; /* "xfs mount, rw,relatime", "maps, open", "34 processes, maps 31, open 34" */
	char *path;   /* "/mnt/data/job.0" */
};

/* `human`: sizes as with -u. 0 or -ENOMEM; node_text_free() in any case. */
int node_describe(const struct outline *outline, const struct node *node, bool human, struct node_text *text);
void node_text_free(struct node_text *text);

#endif
