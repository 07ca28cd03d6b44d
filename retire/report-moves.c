// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/report-moves.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retire/report-words.h"

void move_add(struct move *move, const struct move *other)
{
	if (other->level > move->level)
		move->level = other->level;
	if (other->risk)
		move->risk = other->risk;
	if (other->never && !move->never)
		move->never = other->never;
}

static struct move move_of(const struct veto *veto)
{
	char option[64];

	if (!veto_lifted_by(veto, option, sizeof(option)))
		return (struct move){ .never = veto };
	if (veto->severity == SEVERITY_RISK)
		return (struct move){ .risk = veto->code };
	return (struct move){ .level = veto->level };
}

struct move *moves_of(const struct result *result)
{
	struct move *moves = calloc(result->look.holders.count + 1, sizeof(*moves));

	array_each(veto, &result->vetoes) {
		const struct holder *holder = moves ? shown_holder(&result->look, veto->holder) : NULL;
		const struct move move = move_of(veto);

		if (holder)
			move_add(&moves[holder->id - 1], &move);
	}
	return moves;
}

struct move move_of_device(const struct result *result, const struct device *device)
{
	struct move all = { 0 };

	array_each(veto, &result->vetoes) {
		const struct move move = move_of(veto);

		if (!veto->holder && strcmp(veto->subject, device->name) == 0)
			move_add(&all, &move);
	}
	return all;
}

const char *move_text(const struct move *move, char *text, size_t size)
{
	*text = '\0';
	if (move->never)
		snprintf(text, size, "by hand");
	else if (move->level != EVICT_NONE)
		snprintf(text, size, "--evict=%s%s%s", evict_level_name(move->level),
			 move->risk ? " --allow=" : "", move->risk ? move->risk : "");
	else if (move->risk)
		snprintf(text, size, "--allow=%s", move->risk);
	return text;
}
