// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What stands against a retirement, for people: a line each with what would
 * lift it. When that is more than a screenful, processes are summed by unit
 * and the rest by code; the JSON has them all.
 */
#include "retire/report-vetoes.h"

#include <stdlib.h>
#include <string.h>

#include "retire/report-outline.h"
#include "retire/report-words.h"
#include "util/cleanup.h"
#include "util/text.h"

enum {
	LINE = 1024,
	SCREENFUL = 20,
	ALIKE_MAX = 3,	 /* fewer of a sort are not summed */
	GROUPS_MAX = 40, /* a process each of a thousand units is no sum */
	NAMED = 3,
};

static bool is_told(const struct veto *veto, bool lifted)
{
	return veto->stands || lifted;
}

static const char *lifted_by(const struct veto *veto, char *text, size_t size)
{
	if (!veto_lifted_by(veto, text, size))
		snprintf(text, size, "no option lifts this");
	return text;
}

/* The message names its subject as a rule; where it does not, the subject goes before it. */
static void print_veto(const struct veto *veto, FILE *err)
{
	char subject[LINE], message[LINE], option[64];

	fputc(' ', err);
	if (veto->subject && veto->message && !strstr(veto->message, veto->subject))
		fprintf(err, " %s:", printable(veto->subject, subject, sizeof(subject)));
	fprintf(err, " %s (%s%s)\n", printable(veto->message ? veto->message : "?", message, sizeof(message)),
		lifted_by(veto, option, sizeof(option)), veto->stands ? "" : ", as asked");
}

static const struct holder *process_of(const struct result *result, const struct veto *veto)
{
	const struct holder *holder = look_holder(&result->look, veto->holder);

	return holder && holder->type == HOLDER_PROCESS ? holder : NULL;
}

static bool are_alike(const struct result *result, const struct veto *one, const struct veto *other)
{
	const struct holder *process = process_of(result, one), *second = process_of(result, other);

	if (strcmp(one->code, other->code) != 0 || one->severity != other->severity ||
	    one->level != other->level || one->stands != other->stands || !process != !second)
		return false;
	return !process || process_has_owner_of(&process->process, &second->process);
}

/* Vetoes that are alike, from `first` on. */
struct group {
	const struct result *result;
	const struct veto *first;
	size_t count;
	struct node sum; /* of processes */
};

static struct group group_of(const struct result *result, const struct veto *first, bool *done)
{
	struct group group = { .result = result, .first = first, .sum = { .type = NODE_UNIT } };
	const struct veto *end = result->vetoes.items + result->vetoes.count;

	group.sum.holder = process_of(result, first);
	for (const struct veto *veto = first; veto < end; veto++) {
		const struct holder *process = process_of(result, veto);

		if (done[veto - result->vetoes.items] || !are_alike(result, first, veto))
			continue;
		done[veto - result->vetoes.items] = true;
		group.count++;
		group.sum.processes++;
		for (size_t bit = 0; process && bit < USE_BITS; bit++)
			group.sum.uses[bit] += process->process.uses >> bit & 1;
	}
	return group;
}

/* Each of a small group; of a large one, the first few by name. */
static void print_members(const struct group *group, bool names, FILE *err)
{
	const struct veto *end = group->result->vetoes.items + group->result->vetoes.count;
	char subject[LINE];
	size_t named = 0;

	for (const struct veto *veto = group->first; veto < end && !(names && named == NAMED); veto++) {
		if (!are_alike(group->result, group->first, veto))
			continue;
		if (names)
			fprintf(err, "%s %s", named++ ? "," : "",
				printable(veto->subject, subject, sizeof(subject)));
		else
			print_veto(veto, err);
	}
}

static void print_sum(const struct group *group, FILE *err)
{
	const struct outline outline = { .result = group->result };
	struct node_text text = { 0 };
	char option[64];

	/* what to do by hand is said once */
	if (group->first->severity == SEVERITY_CRITICAL) {
		print_veto(group->first, err);
		fprintf(err, "  and %zu more of that sort:", group->count - 1);
		print_members(group, true, err);
		fputs(", ...\n", err);
		return;
	}
	if (group->sum.holder && node_describe(&outline, &group->sum, false, &text) == 0) {
		fprintf(err, "  %s: %s", text.title, text.detail);
	} else {
		fprintf(err, "  %s: %zu, such as", group->first->code, group->count);
		print_members(group, true, err);
	}
	fprintf(err, " (%s%s)\n", lifted_by(group->first, option, sizeof(option)),
		group->first->stands ? "" : ", as asked");
	node_text_free(&text);
}

static void print_groups(const struct result *result, bool lifted, FILE *err)
{
	_cleanup_free_ bool *done = calloc(result->vetoes.count + 1, sizeof(bool));
	size_t groups = 0, left = 0;

	for (size_t i = 0; done && i < result->vetoes.count; i++) {
		const struct veto *veto = &result->vetoes.items[i];
		struct group group;

		if (done[i] || !is_told(veto, lifted))
			continue;
		if (groups++ >= GROUPS_MAX) {
			left++;
			continue;
		}
		group = group_of(result, veto, done);
		if (group.count > ALIKE_MAX)
			print_sum(&group, err);
		else
			print_members(&group, false, err);
	}
	if (left)
		fprintf(err, "  and %zu more\n", left);
	fputs("  (summed: stdout has each of them, and so has stderr with -v)\n", err);
}

void print_vetoes(const struct result *result, bool lifted, bool each, FILE *err)
{
	size_t told = 0;

	array_each(veto, &result->vetoes)
		told += is_told(veto, lifted);
	if (told > SCREENFUL && !each) {
		print_groups(result, lifted, err);
		return;
	}
	array_each(veto, &result->vetoes)
		if (is_told(veto, lifted))
			print_veto(veto, err);
}
