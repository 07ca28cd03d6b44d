// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * list-holders --tree: a line for each node of the outline, its title, what it
 * is, and in a column of their own the options that would move it. What no
 * option moves has its way out below it. A line that is too long gives way in
 * the middle of its path; what it says is cut last. Who uses memory is not cut:
 * it goes below.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "retire/report-outline.h"
#include "retire/report.h"
#include "util/cleanup.h"
#include "util/terminal.h"

/* Columns of drawing for each level; what a line has at least for words, and what it has beside options. */
enum { LEVEL = 3, WORDS_MIN = 24, BESIDE_MIN = 40 };
/* Where the column of options is at most when the width is not bounded, and how long a sentence is. */
enum { COLUMN_MAX = 100 };
/* Processes of a unit that are shown; -v shows all. */
enum { PROCESSES_MAX = 10 };

struct strokes {
	const char *branch, *last, *bar, *blank, *cut;
};

static const struct strokes *strokes_of_locale(void)
{
	static const struct strokes lines = { "├─ ", "└─ ", "│  ", "   ", "…" };
	static const struct strokes ascii = { "|- ", "`- ", "|  ", "   ", "..." };

	return output_is_utf8() ? &lines : &ascii;
}

enum tint { TINT_NONE, TINT_DIM, TINT_BOLD, TINT_STOP, TINT_TERM, TINT_KILL };

/* SGR parameters: ECMA-48 8.3.117. */
static const char *const tint_codes[] = {
	[TINT_DIM] = "2", [TINT_BOLD] = "1", [TINT_STOP] = "32", [TINT_TERM] = "33", [TINT_KILL] = "31",
};

/* One line before it is laid out. */
struct row {
	char *stem;  /* the strokes before it */
	char *below; /* … and those before what is said below it */
	struct node_text text;
	char move[MOVE_TEXT];
	bool whole; /* what is said is not cut */
	enum tint title_tint, move_tint;
	const char *note; /* why no option moves it, and what to do; or NULL */
};

struct drawing {
	struct outline outline;
	const struct report_options *options;
	const struct report_page *page;
	const struct strokes *strokes;
	ARRAY_OF(struct row) rows;
	bool *more;    /* by depth: on that level another line follows below */
	size_t column; /* where the options begin; 0: on a line of their own */
	FILE *out;
};

/* Strokes of as many levels as leave room for words; what is cut off is an ellipsis. */
static char *stem_of(const struct drawing *drawing, size_t depth, const char *own)
{
	size_t columns = drawing->page->columns, most = columns > WORDS_MIN ? (columns - WORDS_MIN) / LEVEL : 1;
	size_t from = columns && depth > most ? depth - most : 1;
	_cleanup_free_ char *stem = NULL;
	size_t size;
	FILE *stream = open_memstream(&stem, &size);

	if (!stream)
		return NULL;
	if (from > 1)
		fputs(drawing->strokes->cut, stream);
	for (size_t level = from; level < depth; level++)
		fputs(drawing->more[level] ? drawing->strokes->bar : drawing->strokes->blank, stream);
	fputs(own, stream);
	return fclose(stream) == 0 ? take_ptr(stem) : NULL;
}

static enum tint tint_of(const struct move *move)
{
	if (move->never || move->level >= EVICT_KILL)
		return TINT_KILL;
	return move->risk || move->level == EVICT_TERM ? TINT_TERM : TINT_STOP;
}

/* `last`: no line follows on its level; `leaf`: none below it. */
static struct row *add_row(struct drawing *drawing, size_t depth, bool last, bool leaf)
{
	const struct strokes *strokes = drawing->strokes;
	struct row *row = array_add(&drawing->rows);

	if (!row)
		return NULL;
	drawing->more[depth] = !last;
	row->stem = stem_of(drawing, depth, depth ? (last ? strokes->last : strokes->branch) : "");
	row->below = stem_of(drawing, depth + 1, leaf ? strokes->blank : strokes->bar);
	return row->stem && row->below ? row : NULL;
}

static int add_node_row(struct drawing *drawing, const struct node *node, bool last, bool leaf)
{
	struct row *row = add_row(drawing, node->depth, last, leaf);

	if (!row)
		return -ENOMEM;
	row->whole = node->type == NODE_HOLDER && node->holder->type == HOLDER_MEMORY;
	row->title_tint = node->depth ? TINT_NONE : TINT_BOLD;
	row->move_tint = tint_of(&node->move);
	/* a unit whose processes say why themselves */
	row->note = node->move.never && node->type != NODE_UNIT ? node->move.never->message : NULL;
	move_text(&node->move, row->move, sizeof(row->move));
	return node_describe(&drawing->outline, node, drawing->options->human, &row->text);
}

static int add_rest_row(struct drawing *drawing, size_t depth, size_t hidden)
{
	struct row *row = add_row(drawing, depth, true, true);
	char text[64];

	if (!row)
		return -ENOMEM;
	snprintf(text, sizeof(text), "%s %zu more, -v shows them", drawing->strokes->cut, hidden);
	row->text = (struct node_text){ strdup(text), strdup(""), strdup("") };
	return row->text.title && row->text.detail && row->text.path ? 0 : -ENOMEM;
}

/* How many nodes from `at` on, processes of one unit, are not drawn. */
static size_t hidden_from(const struct drawing *drawing, size_t at)
{
	const struct node *node = &drawing->outline.nodes.items[at];
	const struct node *unit = &drawing->outline.nodes.items[node->parent];
	size_t unit_at = node->parent;

	/* one more line says no more than one process does */
	if (drawing->options->verbose || unit->type != NODE_UNIT || unit->processes <= PROCESSES_MAX + 1)
		return 0;
	return at - unit_at > PROCESSES_MAX ? unit->processes - PROCESSES_MAX : 0;
}

/* Whether another node follows on the same level under the same parent. */
static bool *find_last(const struct outline *outline)
{
	bool *last = calloc(outline->nodes.count + 1, sizeof(bool));
	_cleanup_free_ bool *followed = calloc(outline->nodes.count + 1, sizeof(bool));

	if (!last || !followed) {
		free(last);
		return NULL;
	}
	for (size_t i = outline->nodes.count; i-- > 0;) {
		size_t parent = outline->nodes.items[i].parent;

		last[i] = parent == i || !followed[parent];
		followed[parent] = true;
	}
	return last;
}

static int add_rows(struct drawing *drawing)
{
	const struct outline *outline = &drawing->outline;
	_cleanup_free_ bool *last = find_last(outline);
	int rc = last ? 0 : -ENOMEM;

	for (size_t i = 0; rc == 0 && i < outline->nodes.count; i++) {
		const struct node *node = &outline->nodes.items[i];
		bool leaf = i + 1 == outline->nodes.count || outline->nodes.items[i + 1].parent != i;
		size_t hidden = hidden_from(drawing, i);

		rc = hidden ? add_rest_row(drawing, node->depth, hidden)
			    : add_node_row(drawing, node, last[i], leaf);
		i += hidden ? hidden - 1 : 0;
	}
	return rc;
}

/* Columns of a row as it is said in full. */
static size_t width_of(const struct row *row)
{
	size_t detail = display_width(row->text.detail), path = display_width(row->text.path);

	return display_width(row->stem) + display_width(row->text.title) + detail + !!detail + path + !!path;
}

static void lay_out(struct drawing *drawing)
{
	size_t columns = drawing->page->columns, widest = 0, longest = 0, room;

	array_each(row, &drawing->rows) {
		size_t width = width_of(row), move = display_width(row->move);

		if (!move)
			continue;
		widest = width > widest ? width : widest;
		longest = move > longest ? move : longest;
	}
	if (columns && columns < longest + 2 + BESIDE_MIN) {
		drawing->column = 0;
		return;
	}
	room = columns ? columns - longest - 2 : COLUMN_MAX;
	drawing->column = (widest < room ? widest : room) + 2;
}

static void put(const struct drawing *drawing, enum tint tint, const char *text)
{
	const char *code = drawing->page->colour ? tint_codes[tint] : NULL;

	if (code && *text)
		fprintf(drawing->out, "\033[%sm%s\033[m", code, text);
	else
		fputs(text, drawing->out);
}

/* What is left of `room` when `text` has been put; the room is SIZE_MAX when it is not bounded. */
static size_t less(size_t room, const char *text)
{
	size_t width = display_width(text);

	return width < room ? room - width : 0;
}

/* The path gives way first, then what is said, then the title. Returns the columns that it takes. */
static size_t put_words(const struct drawing *drawing, const struct row *row, const char *detail, size_t room)
{
	const char *const parts[] = { row->text.title, detail, row->text.path };
	/* a path may shrink to this much before the rest does */
	enum { PATH_MIN = 12 };
	size_t used = 0, path = display_width(row->text.path);
	size_t kept = path < PATH_MIN ? path : PATH_MIN;

	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		size_t space = used ? 1 : 0, spare = i < 2 && kept ? kept + 1 : 0;
		size_t left = room > used + space + spare ? room - used - space - spare : 0;
		_cleanup_free_ char *part = display_shortened(parts[i], left);

		if (!part || !*part)
			continue;
		if (space)
			fputc(' ', drawing->out);
		put(drawing, i == 0 ? row->title_tint : i == 2 ? TINT_DIM : TINT_NONE, part);
		used += space + display_width(part);
	}
	return used;
}

/* On lines of its own below a row, as wide as the page. */
static void put_below(const struct drawing *drawing, const struct row *row, enum tint tint, const char *text)
{
	size_t columns = drawing->page->columns;
	size_t room = less(columns ? columns : COLUMN_MAX, row->below);

	while (*text) {
		size_t length = display_line(text, room ? room : 1);
		_cleanup_free_ char *line = strndup(text, length);

		put(drawing, TINT_DIM, row->below);
		put(drawing, tint, line ? line : "");
		fputc('\n', drawing->out);
		for (text += length; *text == ' '; text++)
			;
	}
}

static void put_row(const struct drawing *drawing, const struct row *row)
{
	bool beside = drawing->column && *row->move;
	size_t columns = beside ? drawing->column - 2 : drawing->page->columns;
	size_t stem = display_width(row->stem), used;
	_cleanup_free_ char *note = row->note ? displayable(row->note) : NULL;
	bool below;

	/* nothing is shortened for a column that is only our own wish */
	if (!drawing->page->columns)
		columns = SIZE_MAX;
	below = row->whole && width_of(row) > columns;
	put(drawing, TINT_DIM, row->stem);
	used = stem + put_words(drawing, row, below ? "" : row->text.detail, columns > stem ? columns - stem : 1);
	if (beside) {
		fprintf(drawing->out, "%*s", used < drawing->column ? (int)(drawing->column - used) : 2, "");
		put(drawing, row->move_tint, row->move);
	}
	fputc('\n', drawing->out);
	if (!drawing->column && *row->move)
		put_below(drawing, row, row->move_tint, row->move);
	if (below)
		put_below(drawing, row, TINT_NONE, row->text.detail);
	if (note)
		put_below(drawing, row, TINT_NONE, note);
}

static int write_error(FILE *out)
{
	errno = 0;
	if (fflush(out) == 0 && !ferror(out))
		return 0;
	return errno ? -errno : -EIO;
}

static int draw(struct drawing *drawing)
{
	size_t deepest = 0;
	int rc;

	array_each(node, &drawing->outline.nodes)
		deepest = node->depth > deepest ? node->depth : deepest;
	drawing->more = calloc(deepest + 2, sizeof(bool));
	rc = drawing->more ? add_rows(drawing) : -ENOMEM;
	if (rc < 0)
		return rc;
	lay_out(drawing);
	array_each(row, &drawing->rows)
		put_row(drawing, row);
	return write_error(drawing->out);
}

int report_tree(const struct result *result, const struct report_options *options, const struct report_page *page,
		FILE *out)
{
	struct drawing drawing = { .options = options, .page = page, .strokes = strokes_of_locale(), .out = out };
	int rc = outline_make(result, &drawing.outline);

	rc = rc < 0 ? rc : draw(&drawing);
	array_each(row, &drawing.rows) {
		free(row->stem);
		free(row->below);
		node_text_free(&row->text);
	}
	free(drawing.rows.items);
	free(drawing.more);
	outline_free(&drawing.outline);
	return rc;
}
