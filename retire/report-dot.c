// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * list-holders --dot: the outline in the DOT language of Graphviz. A node for
 * each place, and one for each unit with its processes; a box around a place
 * and what rests on it. Every label is of the record shape, whose own marks
 * are escaped: https://graphviz.org/doc/info/shapes.html#record
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "retire/report-outline.h"
#include "retire/report-words.h"
#include "retire/report.h"
#include "util/cleanup.h"
#include "util/terminal.h"

/* Columns of a field: a path of 4 KiB would make a picture that wide. */
enum { FIELD_MAX = 60 };
/* Processes of a unit that are named; -v names all. */
enum { PROCESSES_MAX = 6 };

struct drawing {
	struct outline outline;
	const struct report_options *options;
	FILE *out;
};

/* What has a meaning in a label, a record or a string: \ " { } | < >, and & which begins an entity. */
static void put_field(const struct drawing *drawing, const char *text)
{
	_cleanup_free_ char *shortened = display_shortened(text, FIELD_MAX);
	_cleanup_free_ char *valid = shortened ? valid_utf8(shortened) : NULL;

	for (const char *c = valid ? valid : "?"; *c; c++) {
		if (strchr("\\\"{}|<>", *c))
			fputc('\\', drawing->out);
		fputs(*c == '&' ? "&amp;" : (char[]){ *c, '\0' }, drawing->out);
	}
}

static const char *fill_of(const struct node *node)
{
	if (node->type == NODE_DEVICE)
		return "#cfe2f3";
	if (node->type == NODE_UNIT || node->holder->type == HOLDER_PROCESS)
		return "#fff2cc";
	if (node->holder->type == HOLDER_MOUNT || holder_is_filesystem(node->holder))
		return "#d9ead3";
	return "#eeeeee";
}

/* A line for each process of the unit, up to a number. */
static int put_processes(const struct drawing *drawing, size_t unit_at)
{
	const struct node *unit = &drawing->outline.nodes.items[unit_at];
	size_t shown = unit->processes;

	/* one more line says no more than one process does */
	if (!drawing->options->verbose && shown > PROCESSES_MAX + 1)
		shown = PROCESSES_MAX;
	fputc('|', drawing->out);
	for (size_t i = 1; i <= shown; i++) {
		struct node_text text;
		int rc = node_describe(&drawing->outline, unit + i, drawing->options->human, &text);

		if (rc == 0) {
			put_field(drawing, text.title);
			fputc(' ', drawing->out);
			put_field(drawing, text.detail);
			fputc(' ', drawing->out);
			put_field(drawing, text.path);
			fputs("\\l", drawing->out);
		}
		node_text_free(&text);
		if (rc < 0)
			return rc;
	}
	if (shown < unit->processes)
		fprintf(drawing->out, "and %zu more\\l", unit->processes - shown);
	return 0;
}

static int put_label(const struct drawing *drawing, size_t at)
{
	const struct node *node = &drawing->outline.nodes.items[at];
	struct node_text text;
	char move[MOVE_TEXT];
	int rc = node_describe(&drawing->outline, node, drawing->options->human, &text);

	if (rc == 0) {
		const char *const fields[] = { text.title, text.detail, text.path,
					       move_text(&node->move, move, sizeof(move)) };

		for (size_t i = 0; i < COUNT_OF(fields); i++) {
			if (!*fields[i])
				continue;
			if (i)
				fputc('|', drawing->out);
			put_field(drawing, fields[i]);
		}
		if (node->type == NODE_UNIT)
			rc = put_processes(drawing, at);
	}
	node_text_free(&text);
	return rc;
}

static void indent(const struct drawing *drawing, size_t depth)
{
	for (size_t i = 0; i <= depth; i++)
		fputc('\t', drawing->out);
}

static int put_node(const struct drawing *drawing, size_t at, size_t depth)
{
	const struct node *node = &drawing->outline.nodes.items[at];
	int rc;

	indent(drawing, depth);
	fprintf(drawing->out, "n%zu [fillcolor=\"%s\"%s, label=\"", at, fill_of(node),
		node->move.never ? ", color=\"#cc0000\", penwidth=2" : "");
	rc = put_label(drawing, at);
	fputs("\"];\n", drawing->out);
	return rc;
}

static void close_boxes(const struct drawing *drawing, size_t *open, size_t until)
{
	while (*open > until) {
		indent(drawing, --*open);
		fputs("}\n", drawing->out);
	}
}

static void open_box(const struct drawing *drawing, size_t at, size_t *open)
{
	indent(drawing, *open);
	fprintf(drawing->out, "subgraph cluster_%zu {\n", at);
	++*open;
}

/* A place that others rest on is in a box with them. Its depth is the number of boxes around it. */
static int put_nodes(const struct drawing *drawing)
{
	const struct outline *outline = &drawing->outline;
	size_t open = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < outline->nodes.count; i++) {
		const struct node *node = &outline->nodes.items[i];

		/* they are in the record of their unit */
		if (outline->nodes.items[node->parent].type == NODE_UNIT)
			continue;
		close_boxes(drawing, &open, node->depth);
		if (node->type != NODE_UNIT && i + 1 < outline->nodes.count && node[1].parent == i)
			open_box(drawing, i, &open);
		rc = put_node(drawing, i, open);
	}
	close_boxes(drawing, &open, 0);
	return rc;
}

/* Outside of all boxes: a line within one would draw both of its ends into it. */
static void put_lines(const struct drawing *drawing)
{
	const struct outline *outline = &drawing->outline;

	for (size_t i = 0; i < outline->nodes.count; i++) {
		size_t parent = outline->nodes.items[i].parent;

		if (parent != i && outline->nodes.items[parent].type != NODE_UNIT)
			fprintf(drawing->out, "\tn%zu -> n%zu;\n", parent, i);
	}
}

static int draw(const struct drawing *drawing)
{
	int rc;

	fputs("digraph holders {\n"
	      "\trankdir=LR;\n"
	      "\tgraph [style=rounded, color=\"#888888\"];\n"
	      "\tnode [shape=record, style=filled, fontname=\"sans-serif\", fontsize=10];\n"
	      "\tedge [arrowhead=none, color=\"#444444\"];\n",
	      drawing->out);
	rc = put_nodes(drawing);
	put_lines(drawing);
	fputs("}\n", drawing->out);
	errno = 0;
	if (rc == 0 && (fflush(drawing->out) != 0 || ferror(drawing->out)))
		return errno ? -errno : -EIO;
	return rc;
}

int report_dot(const struct result *result, const struct report_options *options, FILE *out)
{
	struct drawing drawing = { .options = options, .out = out };
	int rc = outline_make(result, &drawing.outline);

	rc = rc < 0 ? rc : draw(&drawing);
	outline_free(&drawing.outline);
	return rc;
}
