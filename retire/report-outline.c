// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/report-outline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "retire/report-words.h"
#include "util/cleanup.h"

/* Processes without a unit are summed when there are more than these. */
enum { ALONE_MAX = 10 };

/* Nobody nests mounts that deep but to exhaust our stack; the plan has the same bound. */
enum { DEEPEST = 1000 };

/* The holders that are shown, as lists: each holder's children, and each device's. 0 ends a list. */
struct family {
	int *first_of_device, *first, *next; /* ids, by index of the device or holder */
};

struct outlining {
	struct outline *outline;
	const struct look *look;
	struct family family;
	struct move *moves; /* by index of the holder */
	bool *placed;	    /* the same */
};

static bool join(struct outlining *outlining, const struct holder *holder, int **last_of_device, int **last)
{
	const struct look *look = outlining->look;
	const struct holder *below;
	int **end;

	if (!holder_is_shown(holder) || (size_t)holder->device >= look->devices.count)
		return false;
	below = holder_below(look, holder);
	end = below ? &last[below->id - 1] : &last_of_device[holder->device];
	**end = holder->id;
	*end = &outlining->family.next[holder->id - 1];
	return true;
}

/* Each list keeps the order in which its members were found. */
static int join_families(struct outlining *outlining)
{
	const struct look *look = outlining->look;
	struct family *family = &outlining->family;
	_cleanup_free_ int **last_of_device = calloc(look->devices.count + 1, sizeof(int *));
	_cleanup_free_ int **last = calloc(look->holders.count + 1, sizeof(int *));

	family->first_of_device = calloc(look->devices.count + 1, sizeof(int));
	family->first = calloc(look->holders.count + 1, sizeof(int));
	family->next = calloc(look->holders.count + 1, sizeof(int));
	if (!last_of_device || !last || !family->first_of_device || !family->first || !family->next)
		return -ENOMEM;
	for (size_t i = 0; i < look->devices.count; i++)
		last_of_device[i] = &family->first_of_device[i];
	for (size_t i = 0; i < look->holders.count; i++)
		last[i] = &family->first[i];
	array_each(holder, &look->holders)
		join(outlining, holder, last_of_device, last);
	return 0;
}

static struct node *add_node(struct outlining *outlining, enum node_type type, size_t parent,
			     const struct holder *holder)
{
	struct outline *outline = outlining->outline;
	struct node *node = array_add(&outline->nodes);
	const struct node *above;

	if (!node)
		return NULL;
	above = &outline->nodes.items[parent];
	*node = (struct node){ .type = type, .parent = parent, .holder = holder };
	if (above != node) {
		node->depth = above->depth + 1;
		node->device = above->device;
	}
	if (holder)
		node->move = outlining->moves[holder->id - 1];
	return node;
}

static bool is_of_unit(const struct holder *holder, const struct holder *first)
{
	return holder->type == HOLDER_PROCESS && process_has_owner_of(&holder->process, &first->process);
}

static bool has_owner(const struct process *process)
{
	return process->vm || process->container || process->unit;
}

static const struct holder *next_of(const struct outlining *outlining, const struct holder *holder)
{
	return look_holder(outlining->look, outlining->family.next[holder->id - 1]);
}

/* Adds up the processes from `first` on that are of its unit. */
static void sum_unit(const struct outlining *outlining, const struct holder *first, struct node *sum)
{
	*sum = (struct node){ 0 };
	for (const struct holder *holder = first; holder; holder = next_of(outlining, holder)) {
		if (!is_of_unit(holder, first))
			continue;
		sum->processes++;
		for (size_t bit = 0; bit < USE_BITS; bit++)
			sum->uses[bit] += holder->process.uses >> bit & 1;
		move_add(&sum->move, &outlining->moves[holder->id - 1]);
	}
}

static int add_processes(struct outlining *outlining, size_t parent, const struct holder *first)
{
	for (const struct holder *holder = first; holder; holder = next_of(outlining, holder)) {
		if (!is_of_unit(holder, first))
			continue;
		outlining->placed[holder->id - 1] = true;
		if (!add_node(outlining, NODE_HOLDER, parent, holder))
			return -ENOMEM;
	}
	return 0;
}

static int add_unit(struct outlining *outlining, size_t parent, const struct holder *first)
{
	struct node sum, *node;

	sum_unit(outlining, first, &sum);
	if (has_owner(&first->process) ? sum.processes > 1 : sum.processes > ALONE_MAX) {
		node = add_node(outlining, NODE_UNIT, parent, first);
		if (!node)
			return -ENOMEM;
		node->processes = sum.processes;
		node->move = sum.move;
		memcpy(node->uses, sum.uses, sizeof(sum.uses));
		parent = outlining->outline->nodes.count - 1;
	}
	return add_processes(outlining, parent, first);
}

/* Places first, then who uses this one. A graph that is no tree ends here, since each is placed once. */
static int add_children(struct outlining *outlining, size_t parent, int first)
{
	const struct holder *eldest = look_holder(outlining->look, first);
	int rc = outlining->outline->nodes.items[parent].depth > DEEPEST ? -ELOOP : 0;

	for (const struct holder *holder = eldest; rc == 0 && holder; holder = next_of(outlining, holder)) {
		if (holder->type == HOLDER_PROCESS || outlining->placed[holder->id - 1])
			continue;
		outlining->placed[holder->id - 1] = true;
		if (!add_node(outlining, NODE_HOLDER, parent, holder))
			return -ENOMEM;
		rc = add_children(outlining, outlining->outline->nodes.count - 1,
				  outlining->family.first[holder->id - 1]);
	}
	for (const struct holder *holder = eldest; rc == 0 && holder; holder = next_of(outlining, holder))
		if (holder->type == HOLDER_PROCESS && !outlining->placed[holder->id - 1])
			rc = add_unit(outlining, parent, holder);
	return rc;
}

/* A circle of mounts (a mount table that changed while it was read) hangs on nothing, and is shown all the same.
 */
static int add_rest(struct outlining *outlining, size_t parent, int device)
{
	array_each(holder, &outlining->look->holders) {
		if (holder->device != device || !holder_is_shown(holder) || outlining->placed[holder->id - 1])
			continue;
		outlining->placed[holder->id - 1] = true;
		if (!add_node(outlining, NODE_HOLDER, parent, holder))
			return -ENOMEM;
	}
	return 0;
}

static int add_device(struct outlining *outlining, const struct result *result, size_t parent, size_t index);

/* What stands on the device, in the order in which it was found. */
static int add_devices_on(struct outlining *outlining, const struct result *result, size_t parent, size_t below)
{
	const struct look *look = outlining->look;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < look->devices.count; i++)
		if (look->devices.items[i].below == below)
			rc = add_device(outlining, result, parent, i);
	return rc;
}

static int add_device(struct outlining *outlining, const struct result *result, size_t parent, size_t index)
{
	const struct device *device = &outlining->look->devices.items[index];
	size_t at = outlining->outline->nodes.count;
	struct node *node = add_node(outlining, NODE_DEVICE, device->below ? parent : at, NULL);
	int rc;

	if (!node)
		return -ENOMEM;
	node->device = device;
	node->move = move_of_device(result, device);
	rc = add_devices_on(outlining, result, at, index + 1);
	rc = rc < 0 ? rc : add_children(outlining, at, outlining->family.first_of_device[index]);
	return rc < 0 ? rc : add_rest(outlining, at, (int)index);
}

int outline_make(const struct result *result, struct outline *outline)
{
	struct outlining outlining = { .outline = outline, .look = &result->look };
	int rc;

	*outline = (struct outline){ .result = result };
	outlining.moves = moves_of(result);
	outlining.placed = calloc(result->look.holders.count + 1, sizeof(bool));
	rc = outlining.moves && outlining.placed ? join_families(&outlining) : -ENOMEM;
	rc = rc < 0 ? rc : add_devices_on(&outlining, result, 0, 0);
	free(outlining.family.first_of_device);
	free(outlining.family.first);
	free(outlining.family.next);
	free(outlining.moves);
	free(outlining.placed);
	return rc;
}

void outline_free(struct outline *outline)
{
	free(outline->nodes.items);
	*outline = (struct outline){ 0 };
}
