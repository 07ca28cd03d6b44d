// SPDX-License-Identifier: GPL-2.0-or-later
/* What is said about a node of the outline, in the tree and in the graph alike. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "retire/report-outline.h"
#include "retire/report-words.h"
#include "util/cleanup.h"
#include "util/terminal.h"

/* ", " between what is said, and nothing before the first of it. */
static void say(FILE *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(FILE *out, const char *fmt, ...)
{
	va_list ap;

	if (ftell(out) > 0)
		fputs(", ", out);
	va_start(ap, fmt);
	vfprintf(out, fmt, ap);
	va_end(ap);
}

static void say_size(FILE *out, const char *fmt_suffix, uint64_t bytes, bool human)
{
	char text[80];

	if (human && family_size(bytes, text, sizeof(text)))
		say(out, "%s%s", text, fmt_suffix);
	else
		say(out, "%" PRIu64 "%s%s", bytes, human ? " B" : "", fmt_suffix);
}

static void say_cxl(const struct device *device, FILE *out)
{
	const struct cxl *cxl = &device->cxl;

	if (device->type == DEVICE_CXL_MEMDEV && cxl->host)
		say(out, "%s", cxl->host);
	if (cxl->slot)
		say(out, "slot %s", cxl->slot);
	for (size_t i = 0; cxl->targets.count > 1 && i < cxl->targets.count; i++) {
		const char *memdev = cxl->targets.items[i].memdev;

		say(out, "%s%s", i ? "" : "interleaved over ", memdev ? memdev : "nothing");
	}
	if (device_is_burned(device))
		say(out, "burned: used by the system, without a driver");
	if (cxl->locked)
		say(out, "locked by firmware");
	if (device->enabled && device->type == DEVICE_CXL_REGION && !device->driver)
		say(out, "without driver");
}

static void say_device(const struct device *device, bool human, FILE *out)
{
	const char *mode = device_mode_name(device->mode);

	say(out, "%s%s", mode ? mode : device_type_name(device->type),
	    device->type == DEVICE_CXL_REGION ? " region" : "");
	if (device->blockdev)
		say(out, "%s", device->blockdev);
	say_size(out, "", device->size, human);
	say_cxl(device, out);
	if (!device->enabled)
		say(out, "disabled");
	if (device->gone)
		say(out, "its disk has vanished");
	if (device->half_removed)
		say(out, "being removed by the kernel");
}

/* What list-holders --pages has counted; nothing where nobody asked. */
static void say_references(const struct look *look, const struct device *device, FILE *out)
{
	const struct references *references = look_references(look, (int)(device - look->devices.items));
	char where[512];

	if (!references)
		return;
	if (!references->known)
		say(out, "whether a page is referenced cannot be told: %s", references->reason);
	else if (!references->referenced)
		say(out, "none of %" PRIu64 " pages referenced", references->counted);
	else
		say(out, "%" PRIu64 " of %" PRIu64 " pages referenced%s", references->referenced,
		    references->counted, references_where(look, references, where, sizeof(where)));
}

static void say_mount(const struct look *look, const struct mount *mount, FILE *out)
{
	say(out, "%s mount", mount->fstype);
	if (mount->options)
		say(out, "%s", mount->options);
	if (mount->root && strcmp(mount->root, "/") != 0)
		say(out, "of %s", mount->root);
	if ((size_t)mount->ns < look->namespaces.count && !look->namespaces.items[mount->ns].initial)
		say(out, "in mount namespace %" PRIu64, look->namespaces.items[mount->ns].ino);
	if ((size_t)mount->ns < look->namespaces.count && look->namespaces.items[mount->ns].keeper)
		say(out, "kept by %s", look->namespaces.items[mount->ns].keeper);
}

/* "map" goes before the others, as in the JSON: it is harder to end. The uses in that order. */
static size_t use_bit(size_t place)
{
	const size_t map = (size_t)__builtin_ctz(USE_MAP);

	return place == 0 ? map : place <= map ? place - 1 : place;
}

static const char *use_word(size_t bit)
{
	return 1u << bit == USE_MAP ? "maps" : use_name(bit);
}

static void say_uses(const struct process *process, FILE *out)
{
	for (size_t place = 0; use_name(place); place++) {
		if (!(process->uses & 1u << use_bit(place)))
			continue;
		if (1u << use_bit(place) == USE_PAGES && process->pinned)
			say(out, "%" PRIu64 " pinned page%s", process->pinned, process->pinned > 1 ? "s" : "");
		else
			say(out, "%s", use_word(use_bit(place)));
	}
}

/* Those with most of it. */
enum { OWNERS_SAID = 3 };

static void say_owners(const struct system_ram *memory, bool human, FILE *out)
{
	for (size_t i = 0; i < memory->owners.count && i < OWNERS_SAID; i++) {
		const struct memory_owner *owner = &memory->owners.items[i];
		char words[300];

		snprintf(words, sizeof(words), "%s by %.250s", human ? "" : " bytes", owner->name);
		say_size(out, words, owner->bytes, human);
		if (owner->pinned)
			fprintf(out, " (%" PRIu64 " page%s pinned)", owner->pinned, owner->pinned > 1 ? "s" : "");
	}
}

static void say_holder(const struct look *look, const struct holder *holder, bool human, FILE *out)
{
	switch (holder->type) {
	case HOLDER_PROCESS:
		say_uses(&holder->process, out);
		return;
	case HOLDER_MOUNT:
		say_mount(look, &holder->mount, out);
		return;
	case HOLDER_SWAP:
		say(out, "swap");
		say_size(out, human ? " used" : " bytes used", holder->swap.used, human);
		return;
	case HOLDER_MEMORY:
		say(out, "%" PRIu64 " of %zu blocks online", memory_online(&holder->memory),
		    holder->memory.blocks.count);
		say_size(out, human ? " online" : " bytes online",
			 memory_online(&holder->memory) * holder->memory.block_size, human);
		if (holder->memory.use_known)
			say_size(out, human ? " in use" : " bytes in use", memory_used(&holder->memory), human);
		say_owners(&holder->memory, human, out);
		return;
	case HOLDER_FILESYSTEM:
		say(out, "%s that no mount shows", holder->filesystem.fstype);
		return;
	default:
		say(out, "%s", holder_word(holder));
	}
}

static void say_sum(const struct node *node, FILE *out)
{
	say(out, "%zu processes", node->processes);
	for (size_t place = 0; place < USE_BITS && use_name(place); place++)
		if (node->uses[use_bit(place)])
			say(out, "%s %zu", use_word(use_bit(place)), node->uses[use_bit(place)]);
}

static bool is_under_unit(const struct outline *outline, const struct node *node)
{
	return outline->nodes.items[node->parent].type == NODE_UNIT;
}

static void write_title(const struct outline *outline, const struct node *node, FILE *out)
{
	char owner[256] = "";

	if (node->holder && node->holder->type == HOLDER_PROCESS)
		process_owner(&node->holder->process, owner, sizeof(owner));
	if (node->type == NODE_DEVICE)
		fputs(node->device->name, out);
	else if (node->type == NODE_UNIT)
		fputs(*owner ? owner : "no unit", out);
	else if (*owner && !is_under_unit(outline, node))
		fprintf(out, "%s (%s)", node->holder->name, owner);
	else
		fputs(node->holder->name, out);
}

static void write_detail(const struct outline *outline, const struct node *node, bool human, FILE *out)
{
	switch (node->type) {
	case NODE_DEVICE:
		say_device(node->device, human, out);
		say_references(&outline->result->look, node->device, out);
		return;
	case NODE_UNIT:
		say_sum(node, out);
		return;
	case NODE_HOLDER:
		say_holder(&outline->result->look, node->holder, human, out);
	}
}

/* What a stream in memory got, as it may be shown; NULL when memory is out. */
static char *close_displayable(FILE *stream, char **raw)
{
	if (!stream || fclose(stream) != 0)
		return NULL;
	return displayable(*raw);
}

static char *title_of(const struct outline *outline, const struct node *node)
{
	_cleanup_free_ char *raw = NULL;
	size_t size;
	FILE *stream = open_memstream(&raw, &size);

	if (stream)
		write_title(outline, node, stream);
	return close_displayable(stream, &raw);
}

static char *detail_of(const struct outline *outline, const struct node *node, bool human)
{
	_cleanup_free_ char *raw = NULL;
	size_t size;
	FILE *stream = open_memstream(&raw, &size);

	if (stream)
		write_detail(outline, node, human, stream);
	return close_displayable(stream, &raw);
}

int node_describe(const struct outline *outline, const struct node *node, bool human, struct node_text *text)
{
	bool process = node->type == NODE_HOLDER && node->holder->type == HOLDER_PROCESS;
	const char *path = process && node->holder->process.path ? node->holder->process.path : "";

	*text = (struct node_text){
		.title = title_of(outline, node),
		.detail = detail_of(outline, node, human),
		.path = displayable(path),
	};
	return text->title && text->detail && text->path ? 0 : -ENOMEM;
}

void node_text_free(struct node_text *text)
{
	free(text->title);
	free(text->detail);
	free(text->path);
	*text = (struct node_text){ 0 };
}
