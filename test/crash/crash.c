// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The crash matrix: every plan that the planner makes, cut at every point,
 * made to fail at every step, and more (trial.h); then `recover`, after which
 * the machine has to be whole. Prints a table; exit 1 when anything is broken.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/crash/trial.h"

struct options {
	long plan, cut, inner; /* POINT_NEVER: all */
	unsigned tests;
	bool list, forks;
	unsigned workers;
};

static void *shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		abort();
	return memory;
}

static const char *directory(void)
{
	return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

static struct model *make_model(void)
{
	struct model *model = calloc(1, sizeof(*model));

	if (!model)
		abort();
	points_make();
	model_make(model, directory());
	return model;
}

static void end_model(struct model *model)
{
	model_end(model);
	free(model);
}

/* One plan after the other, of those that nobody has taken yet, on a machine of its own. `next` is shared. */
static void work(const struct options *options, const struct shapes *shapes, size_t *next, struct tally *tally)
{
	struct model *model = make_model();

	points->trace = options->cut >= 0;
	for (size_t i; (i = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED)) < shapes->list.count;) {
		struct trial trial = { .model = model,
				       .shape = &shapes->list.items[i],
				       .number = i,
				       .tally = tally,
				       .forks = options->forks,
				       .only_cut = options->cut,
				       .only_inner = options->inner };

		if (options->plan < 0 || (size_t)options->plan == i)
			trial_all(&trial, options->tests);
	}
	end_model(model);
}

static bool work_in_children(const struct options *options, const struct shapes *shapes, size_t *next,
			     struct tally *tallies)
{
	bool good = true;
	int status;

	for (unsigned i = 0; i < options->workers; i++) {
		pid_t pid = fork();

		if (pid < 0)
			abort();
		if (pid == 0) {
			work(options, shapes, next, &tallies[i]);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		good &= WIFEXITED(status) && WEXITSTATUS(status) == 0;
	return good;
}

static void add_count(struct count *to, const struct count *from)
{
	to->plans += from->plans;
	to->trials += from->trials;
	for (enum whole whole = BROKEN; whole < WHOLES; whole++)
		to->ended[whole] += from->ended[whole];
}

static void print_count(const char *name, const struct count *count)
{
	printf("%-46s %6lu %9lu %12lu %10lu %8lu\n", name, count->plans, count->trials, count->ended[AS_BEFORE],
	       count->ended[RETIRED], count->ended[BROKEN]);
}

/* The plans by kind, over all tests; then the tests, over all plans. False when anything is broken. */
static bool print_tally(const struct tally *tally)
{
	struct count kinds[SHAPE_KINDS] = { 0 }, tests[TESTS] = { 0 }, all = { 0 };

	for (enum test test = 0; test < TESTS; test++)
		for (enum shape_kind kind = 0; kind < SHAPE_KINDS; kind++) {
			add_count(&kinds[kind], &tally->counts[test][kind]);
			add_count(&tests[test], &tally->counts[test][kind]);
		}
	printf("%-46s %6s %9s %12s %10s %8s\n", "kind of plan", "plans", "trials", "as before", "retired",
	       "broken");
	for (enum shape_kind kind = 0; kind < SHAPE_KINDS; kind++) {
		add_count(&all, &kinds[kind]);
		kinds[kind].plans = tally->counts[TEST_WHOLE][kind].plans;
		print_count(shape_kind_name(kind), &kinds[kind]);
	}
	all.plans = tests[TEST_WHOLE].plans;
	print_count("all", &all);
	printf("\n");
	for (enum test test = 0; test < TESTS; test++)
		if (tests[test].plans)
			print_count(trial_test_title(test), &tests[test]);
	return all.trials && !all.ended[BROKEN];
}

static bool run(const struct options *options, const struct shapes *shapes)
{
	struct tally *tallies = shared(options->workers * sizeof(*tallies)), *all = shared(sizeof(*all));
	size_t *next = shared(sizeof(*next));
	bool good = true;

	/* one that is looked at closely is run here, where a debugger is */
	if (options->plan >= 0)
		work(options, shapes, next, tallies);
	else
		good = work_in_children(options, shapes, next, tallies);
	for (unsigned i = 0; i < options->workers; i++)
		for (enum test test = 0; test < TESTS; test++)
			for (enum shape_kind kind = 0; kind < SHAPE_KINDS; kind++)
				add_count(&all->counts[test][kind], &tallies[i].counts[test][kind]);
	return print_tally(all) && good;
}

static void list(const struct options *options, const struct shapes *shapes)
{
	for (size_t i = 0; i < shapes->list.count; i++)
		if (options->plan < 0 || (size_t)options->plan == i)
			printf("%4zu %s (%s)\n       %s\n", i, shapes->list.items[i].name,
			       shape_kind_name(shapes->list.items[i].kind), shapes->list.items[i].steps);
}

static unsigned test_named(const char *name)
{
	for (enum test test = 0; test < TESTS; test++)
		if (strcmp(trial_test_name(test), name) == 0)
			return 1U << test;
	fprintf(stderr, "%s: no such test; there are", name);
	for (enum test test = 0; test < TESTS; test++)
		fprintf(stderr, " %s", trial_test_name(test));
	fprintf(stderr, "\n");
	exit(2);
}

static void parse(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{ "plan", required_argument, NULL, 'p' }, { "test", required_argument, NULL, 't' },
		{ "cut", required_argument, NULL, 'c' },  { "inner", required_argument, NULL, 'i' },
		{ "list", no_argument, NULL, 'l' },	  { "deaths", no_argument, NULL, 'd' },
		{ "jobs", required_argument, NULL, 'j' }, { 0 },
	};
	unsigned tests = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		if (option == 'p')
			options->plan = atol(optarg);
		else if (option == 't')
			tests |= test_named(optarg);
		else if (option == 'c')
			options->cut = atol(optarg);
		else if (option == 'i')
			options->inner = atol(optarg);
		else if (option == 'j')
			options->workers = (unsigned)atoi(optarg);
		else if (option == 'l')
			options->list = true;
		else if (option == 'd')
			options->forks = true;
		else
			exit(2);
	}
	options->tests = tests ? tests : options->tests;
	if (options->plan >= 0 || !options->workers)
		options->workers = 1;
}

int main(int argc, char **argv)
{
	struct options options = { .plan = POINT_NEVER, .cut = POINT_NEVER, .inner = POINT_NEVER, .tests = ~0U };
	struct model *model;
	struct shapes shapes;
	bool good = true;

	options.workers = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	parse(argc, argv, &options);
	model = make_model();
	shapes_make(&shapes, model);
	end_model(model);
	if (options.list)
		list(&options, &shapes);
	else
		good = run(&options, &shapes);
	shapes_free(&shapes);
	return good ? 0 : 1;
}
