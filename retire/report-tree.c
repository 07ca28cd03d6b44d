// SPDX-License-Identifier: GPL-2.0-or-later
/* The graph of holders drawn: as a tree for people, or for Graphviz. */
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <string.h>

#include "retire/report-words.h"
#include "retire/report.h"
#include "util/cleanup.h"
#include "util/text.h"

#define LABEL 1024
/* Two columns of drawing a level; stacks are a handful deep. */
#define DEPTH 32

struct strokes {
	const char *branch, *last, *bar, *blank;
};

static const struct strokes *strokes_of_locale(void)
{
	static const struct strokes lines = { "├─", "└─", "│ ", "  " };
	static const struct strokes ascii = { "|-", "`-", "| ", "  " };

	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? &lines : &ascii;
}

static void print_text(FILE *out, const char *before, const char *text, const char *after)
{
	char copy[LABEL];

	if (text && *text)
		fprintf(out, "%s%s%s", before, printable(text, copy, sizeof(copy)), after);
}

static void print_container(FILE *out, const char *container)
{
	char shown[LABEL];

	snprintf(shown, sizeof(shown), "%.*s", look_container_length(container), container);
	print_text(out, " container ", shown, "");
}

static void describe_process(const struct process *process, FILE *out)
{
	const char *separator = ": ";

	if (process->vm)
		print_text(out, " vm ", *process->vm ? process->vm : "without a name", "");
	else if (process->container)
		print_container(out, process->container);
	else
		print_text(out, " ", process->unit, "");
	for (size_t bit = 0; use_name(bit); bit++) {
		if (!(process->uses & 1u << bit))
			continue;
		fprintf(out, "%s%s", separator, use_name(bit));
		separator = ", ";
	}
	print_text(out, " ", process->path, "");
}

static void describe_mount(const struct look *look, const struct mount *mount, FILE *out)
{
	print_text(out, " ", mount->fstype, "");
	print_text(out, " ", mount->options, "");
	if (mount->root && strcmp(mount->root, "/") != 0)
		print_text(out, " of ", mount->root, "");
	if ((size_t)mount->ns < look->namespaces.count && !look->namespaces.items[mount->ns].initial)
		fprintf(out, " in mount namespace %" PRIu64, look->namespaces.items[mount->ns].ino);
}

/* One line: its name, its kind, and what tells it apart. */
static void describe(const struct look *look, const struct holder *holder, FILE *out)
{
	char size[32];

	print_text(out, "", holder->name, " ");
	fputs(holder_word(holder), out);
	switch (holder->type) {
	case HOLDER_PROCESS:
		describe_process(&holder->process, out);
		break;
	case HOLDER_MOUNT:
		describe_mount(look, &holder->mount, out);
		break;
	case HOLDER_SWAP:
		fprintf(out, " %s used", human_size(holder->swap.used, size, sizeof(size)));
		break;
	case HOLDER_FILESYSTEM:
		print_text(out, " ", holder->filesystem.fstype, "");
		fputs(" that no mount shows", out);
		break;
	default:
		break;
	}
}

static void describe_device(const struct device *device, FILE *out)
{
	const char *mode = device_mode_name(device->mode);
	char size[32];

	print_text(out, "", device->name, " ");
	fprintf(out, "%s %s", mode ? mode : device_type_name(device->type),
		human_size(device->size, size, sizeof(size)));
	if (!device->enabled)
		fputs(device->gone ? " disabled, its disk has vanished" : " disabled", out);
	if (device->half_removed)
		fputs(" being removed by the kernel", out);
}

struct drawing {
	const struct look *look;
	const struct strokes *strokes;
	FILE *out;
	bool more[DEPTH]; /* on that level another line follows below */
};

static bool is_child(const struct drawing *drawing, const struct holder *holder, int device,
		     const struct holder *parent)
{
	return holder_is_shown(holder) && holder->device == device &&
	       holder_below(drawing->look, holder) == parent;
}

static const struct holder *next_child(const struct drawing *drawing, const struct holder *after, int device,
				       const struct holder *parent)
{
	const struct holder *end = drawing->look->holders.items + drawing->look->holders.count;
	const struct holder *holder = after ? after + 1 : drawing->look->holders.items;

	while (holder < end && !is_child(drawing, holder, device, parent))
		holder++;
	return holder < end ? holder : NULL;
}

static void draw_stem(const struct drawing *drawing, size_t depth, bool last)
{
	for (size_t level = 0; level < depth; level++)
		fputs(drawing->more[level] ? drawing->strokes->bar : drawing->strokes->blank, drawing->out);
	fputs(last ? drawing->strokes->last : drawing->strokes->branch, drawing->out);
}

static void draw_children(struct drawing *drawing, int device, const struct holder *parent, size_t depth)
{
	const struct holder *child = NULL, *next;

	if (depth < DEPTH)
		child = next_child(drawing, NULL, device, parent);
	for (; child; child = next) {
		next = next_child(drawing, child, device, parent);
		draw_stem(drawing, depth, !next);
		drawing->more[depth] = next;
		describe(drawing->look, child, drawing->out);
		fputc('\n', drawing->out);
		draw_children(drawing, device, child, depth + 1);
	}
}

static int write_error(FILE *out)
{
	errno = 0;
	if (fflush(out) == 0 && !ferror(out))
		return 0;
	return errno ? -errno : -EIO;
}

int report_tree(const struct result *result, FILE *out)
{
	struct drawing drawing = { &result->look, strokes_of_locale(), out, { false } };

	for (size_t i = 0; i < result->look.devices.count; i++) {
		const struct device *device = &result->look.devices.items[i];

		describe_device(device, out);
		fputc('\n', out);
		if (device->blockdev) {
			draw_stem(&drawing, 0, true);
			print_text(out, "", device->blockdev, "\n");
		}
		drawing.more[0] = false;
		draw_children(&drawing, (int)i, NULL, device->blockdev ? 1 : 0);
	}
	return write_error(out);
}

/* A quoted string of the DOT language, which is UTF-8; in a label a backslash would start \n or \l. */
static void print_quoted(FILE *out, const char *text)
{
	char copy[2 * LABEL];
	_cleanup_free_ char *valid = valid_utf8(printable(text, copy, sizeof(copy)));

	fputc('"', out);
	for (const char *c = valid ? valid : "?"; *c; c++) {
		if (*c == '"' || *c == '\\')
			fputc('\\', out);
		fputc(*c, out);
	}
	fputc('"', out);
}

static void dot_node(FILE *out, const char *kind, int id, const char *label)
{
	fprintf(out, "\t%s%d [label=", kind, id);
	print_quoted(out, label);
	fputs("];\n", out);
}

static void dot_holder(const struct look *look, const struct holder *holder, FILE *out)
{
	const struct holder *below = holder_below(look, holder);
	_cleanup_free_ char *label = NULL;
	size_t size;
	FILE *stream = open_memstream(&label, &size);

	if (stream) {
		describe(look, holder, stream);
		fclose(stream);
	}
	dot_node(out, "holder", holder->id, label ? label : holder_word(holder));
	fprintf(out, "\tholder%d -> %s%d;\n", holder->id, below ? "holder" : "device",
		below ? below->id : holder->device);
}

int report_dot(const struct result *result, FILE *out)
{
	fputs("digraph holders {\n\trankdir=BT;\n\tnode [shape=box];\n", out);
	for (size_t i = 0; i < result->look.devices.count; i++)
		dot_node(out, "device", (int)i, result->look.devices.items[i].name);
	array_each(holder, &result->look.holders)
		if (holder_is_shown(holder))
			dot_holder(&result->look, holder, out);
	fputs("}\n", out);
	return write_error(out);
}
