// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tree that people see, on pages of several widths and in both character
 * sets, and the graph for Graphviz.
 */
#include <errno.h>
#include <locale.h>

#include "retire/report.h"
#include "test/unit/report-build.h"
#include "util/terminal.h"

struct fixture {
	struct result result;
	struct capture capture;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->result.command = "list-holders";
	*state = f;
	return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->capture.stream)
		capture_end(&f->capture);
	result_free(&f->result);
	free(f);
	setlocale(LC_CTYPE, "C");
	return 0;
}

static const char *draw_with(struct fixture *f, const struct report_options *options, size_t columns, bool colour)
{
	const struct report_page page = { columns, colour };

	if (f->capture.stream)
		capture_end(&f->capture);
	assert_int_equal(report_tree(&f->result, options, &page, capture_start(&f->capture)), 0);
	return captured(&f->capture);
}

static const char *draw(struct fixture *f, size_t columns)
{
	return draw_with(f, &(struct report_options){ .human = true }, columns, false);
}

static const char *draw_dot(struct fixture *f, bool verbose)
{
	const struct report_options options = { .verbose = verbose };

	if (f->capture.stream)
		capture_end(&f->capture);
	assert_int_equal(report_dot(&f->result, &options, capture_start(&f->capture)), 0);
	return captured(&f->capture);
}

/* No line is wider than the page. */
static void assert_fits(const char *text, size_t columns)
{
	char *copy = own(text), *cursor = copy;

	for (char *line; (line = strsep(&cursor, "\n"));)
		if (display_width(line) > columns)
			fail_msg("wider than %zu: %s", columns, line);
	free(copy);
}

static void assert_holds(const char *text, const char *part)
{
	assert_non_null(text);
	if (!strstr(text, part))
		fail_msg("no \"%s\" in:\n%s", part, text ? text : "");
}

/* A database below a partition: a unit of `processes`, a shell, a mount of another namespace. */
static void fill_busy(struct result *result, int processes)
{
	struct process *process;
	char path[64];

	add_device(result, "namespace0.0", "pmem0");
	for (int i = 0; i < 2; i++) {
		struct mount_namespace *namespace = array_add(&result->look.namespaces);

		*namespace = (struct mount_namespace){ .ino = 4026531841 + (unsigned)i, .fd = -1, .initial = !i };
	}
	look_add_holder(&result->look, HOLDER_PARTITION, 0, 0, "pmem0p1");
	add_filesystem(result, 1);
	add_mount(result, 2, "/srv/db");
	add_mount(result, 2, "/copy")->ns = 1;
	add_veto(result, "mount", SEVERITY_HOLDER, EVICT_STOP, 3, "/srv/db is mounted");
	add_veto(result, "mount", SEVERITY_HOLDER, EVICT_STOP, 4, "/copy is mounted");
	for (int i = 0; i < processes; i++) {
		snprintf(path, sizeof(path), "/srv/db/base/16384/%d", i);
		process = add_process(result, 2, "postgres", path);
		process->unit = own("postgres.service");
		process->uses = i ? USE_MAP | USE_OPEN : USE_OPEN;
		add_veto(result, "process", SEVERITY_HOLDER, EVICT_TERM, (int)result->look.holders.count, "maps");
	}
	process = add_process(result, 2, "bash", "/srv/db");
	process->uses = USE_CWD;
	process->own = true;
	add_veto(result, "self", SEVERITY_CRITICAL, EVICT_NONE, (int)result->look.holders.count,
		 "bash[812], which runs this command, is there: run it from elsewhere");
}

static void it_goes_from_the_device_to_its_users(void **state)
{
	struct fixture *f = *state;

	fill_busy(&f->result, 2);
	assert_string_equal(draw(f, 80),
			    "namespace0.0 fsdax, pmem0, 1024.00 MiB (1073.74 MB)\n"
			    "└─ pmem0p1 partition\n"
			    "   ├─ /srv/db xfs mount, rw,relatime                               --evict=stop\n"
			    "   │  ├─ postgres.service 2 processes, maps 1, open 2              --evict=term\n"
			    "   │  │  ├─ postgres[812] open /srv/db/base/16384/0                --evict=term\n"
			    "   │  │  └─ postgres[812] maps, open /srv/db/base/16384/1          --evict=term\n"
			    "   │  └─ bash[812] cwd /srv/db                                     by hand\n"
			    "   │        bash[812], which runs this command, is there: run it from elsewhere\n"
			    "   └─ /copy xfs mount, rw,relatime, in mount namespace 4026531842  --evict=stop\n");
}

static const char *draw_counted(struct fixture *f, struct references references)
{
	look_forget_references(&f->result.look);
	*array_add(&f->result.look.references) = references;
	return draw(f, 0);
}

static void a_device_says_what_was_counted_of_it(void **state)
{
	struct fixture *f = *state;
	struct references references = { .known = true, .counted = 262144 };

	add_device(&f->result, "namespace0.0", "pmem0");
	assert_holds(draw_counted(f, references), "(1073.74 MB), none of 262144 pages referenced\n");
	references.referenced = 3;
	*array_add(&references.runs) = (struct referenced_run){ .dev = 1, .inode = 131 };
	assert_holds(draw_counted(f, references), ", 3 of 262144 pages referenced (inode 131)\n");
	references = (struct references){ .reason = own("no \033[2Jtypes") };
	assert_holds(draw_counted(f, references),
		     ", whether a page is referenced cannot be told: no \\x1b[2Jtypes\n");
}

static void a_character_set_without_lines_gets_ascii(void **state)
{
	struct fixture *f = *state;

	setlocale(LC_CTYPE, "C");
	fill_busy(&f->result, 1);
	assert_string_equal(draw(f, 0),
			    "namespace0.0 fsdax, pmem0, 1024.00 MiB (1073.74 MB)\n"
			    "`- pmem0p1 partition\n"
			    "   |- /srv/db xfs mount, rw,relatime                                 --evict=stop\n"
			    "   |  |- postgres[812] (postgres.service) open /srv/db/base/16384/0  --evict=term\n"
			    "   |  `- bash[812] cwd /srv/db                                       by hand\n"
			    "   |        bash[812], which runs this command, is there: run it from elsewhere\n"
			    "   `- /copy xfs mount, rw,relatime, in mount namespace 4026531842    --evict=stop\n");
}

static void a_narrow_page_has_the_options_below(void **state)
{
	struct fixture *f = *state;

	fill_busy(&f->result, 1);
	add_veto(&f->result, "volatile-mount", SEVERITY_RISK, EVICT_NONE, 4, "it would lose its contents");
	assert_fits(draw(f, 40), 40);
	assert_string_equal(captured(&f->capture), "namespace0.0 fsdax, pmem0,… (1073.74 MB)\n"
						   "└─ pmem0p1 partition\n"
						   "   ├─ /srv/db xfs mount, rw,relatime\n"
						   "   │  │  --evict=stop\n"
						   "   │  ├─ postgres….service) /srv/…6384/0\n"
						   "   │  │     --evict=term\n"
						   "   │  └─ bash[812] cwd /srv/db\n"
						   "   │        by hand\n"
						   "   │        bash[812], which runs this\n"
						   "   │        command, is there: run it\n"
						   "   │        from elsewhere\n"
						   "   └─ /copy xfs mount, rw…ace 4026531842\n"
						   "         --evict=stop\n"
						   "         --allow=volatile-mount\n");
}

static void many_processes_of_a_unit_are_summed(void **state)
{
	struct fixture *f = *state;

	fill_busy(&f->result, 34);
	assert_holds(draw(f, 200), "postgres.service 34 processes, maps 33, open 34");
	assert_holds(captured(&f->capture), "… 24 more, -v shows them\n");
	assert_null(strstr(captured(&f->capture), "/16384/10"));
	assert_holds(draw_with(f, &(struct report_options){ .verbose = true }, 200, false), "/16384/33");
	assert_null(strstr(captured(&f->capture), "more"));
}

static void many_processes_without_a_unit_are_summed_too(void **state)
{
	struct fixture *f = *state;

	add_device(&f->result, "namespace0.0", "pmem0");
	for (int i = 0; i < 11; i++)
		add_process(&f->result, 0, "dd", "/dev/pmem0");
	/* one line more says no more than the process itself */
	assert_holds(draw(f, 80), "└─ no unit 11 processes, maps 11, open 11\n");
	assert_null(strstr(captured(&f->capture), "more"));
}

static void a_long_path_gives_way_in_its_middle(void **state)
{
	struct fixture *f = *state;
	char path[4096] = "/srv/db/";

	memset(path + strlen(path), 'd', sizeof(path) - 20);
	strcat(path, "/file");
	fill_busy(&f->result, 0);
	f->result.look.holders.items[4].process.path =
		(free(f->result.look.holders.items[4].process.path), own(path));
	for (size_t columns = 40; columns <= 200; columns += 40) {
		assert_fits(draw(f, columns), columns);
		assert_holds(captured(&f->capture), "…");
		assert_holds(captured(&f->capture), "/file");
	}
	assert_holds(draw(f, 80), "bash[812] cwd /srv/db/");
	assert_holds(draw(f, 0), path);
}

static void hostile_names_stay_on_their_line(void **state)
{
	struct fixture *f = *state;
	const char *text;

	fill_busy(&f->result, 0);
	/* a newline, an escape sequence, no UTF-8, a right-to-left override, wide and combining characters */
	add_process(&f->result, 2, "a\nb\033[2J\xff", "/srv/db/\u202egnp.exe \u6f22\u5b57 e\u0301 (deleted)");
	for (size_t columns = 40; columns <= 200; columns += 40)
		assert_fits(draw(f, columns), columns);
	text = captured(&f->capture);
	assert_holds(text, "a\\x0ab\\x1b[2J\\xff[812] maps, open "
			   "/srv/db/\\xe2\\x80\\xaegnp.exe \u6f22\u5b57 e\u0301 (deleted)\n");
	setlocale(LC_CTYPE, "C");
	for (const char *c = draw(f, 80); *c; c++)
		assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
}

/* Of every width and depth, also where the drawing alone would fill the page. */
static void deep_stacks_fit(void **state)
{
	struct fixture *f = *state;

	add_device(&f->result, "namespace0.0", "pmem0");
	for (int i = 0; i < 60; i++)
		look_add_holder(&f->result.look, HOLDER_DM, 0, i, "dm-%d (a-volume)", i);
	add_veto(&f->result, "dm", SEVERITY_CRITICAL, EVICT_NONE, 60, "take it down first (dmsetup remove)");
	for (size_t columns = 40; columns <= 240; columns++) {
		assert_fits(draw(f, columns), columns);
		assert_holds(captured(&f->capture), "dm-59");
	}
	assert_holds(draw(f, 80), "…");
}

static void nesting_beyond_reason_is_an_error(void **state)
{
	struct fixture *f = *state;
	const struct report_page page = { 80, false };

	add_device(&f->result, "namespace0.0", "pmem0");
	for (int i = 0; i < 5000; i++)
		look_add_holder(&f->result.look, HOLDER_DM, 0, i, "dm-%d", i);
	assert_int_equal(report_tree(&f->result, &(struct report_options){ 0 }, &page, stdout), -ELOOP);
}

static void colour_is_only_where_it_is_wanted(void **state)
{
	struct fixture *f = *state;

	fill_busy(&f->result, 1);
	assert_null(strchr(draw(f, 80), '\033'));
	assert_holds(draw_with(f, &(struct report_options){ 0 }, 80, true), "\033[1mnamespace0.0\033[m");
	assert_holds(captured(&f->capture), "\033[32m--evict=stop\033[m");
	assert_holds(captured(&f->capture), "\033[31mby hand\033[m");
}

/* `on` leads to older holders only; `inside` comes from mount tables that change while they are read. */
static void a_circle_of_mounts_is_shown(void **state)
{
	struct fixture *f = *state;

	fill(&f->result);
	f->result.look.holders.items[2].mount.foreign = f->result.look.holders.items[3].mount.foreign = true;
	f->result.look.holders.items[2].inside = f->result.look.holders.items[2].on = 4;
	f->result.look.holders.items[3].inside = f->result.look.holders.items[3].on = 3;
	assert_holds(draw(f, 80), "/mnt xfs mount");
	assert_holds(captured(&f->capture), "/mnt/data xfs mount");
	draw_dot(f, false);
}

/* Of a string of the DOT language: no quote ends it early, every backslash escapes something. */
static size_t string_end(const char *text)
{
	size_t at = 1;

	for (; text[at] && text[at] != '"'; at++) {
		assert_true((unsigned char)text[at] >= ' ');
		if (text[at] == '\\')
			assert_non_null(strchr("\\\"{}|<>l", text[++at]));
	}
	assert_int_equal(text[at], '"');
	return at;
}

static void assert_is_dot(const char *text)
{
	int open = 0;

	for (; *text; text++) {
		if (*text == '"')
			text += string_end(text);
		open += *text == '{' ? 1 : *text == '}' ? -1 : 0;
		assert_true(open >= 0);
	}
	assert_int_equal(open, 0);
}

static void add_user(struct result *result, const char *comm, const char *unit, unsigned uses)
{
	struct process *process = add_process(result, 0, comm, "/dev/dax0.0");

	process->unit = unit ? own(unit) : NULL;
	process->uses = uses;
	add_veto(result, "process", SEVERITY_HOLDER, EVICT_TERM, (int)result->look.holders.count, "maps");
}

static void users_of_a_device_dax_are_right_below_it(void **state)
{
	struct fixture *f = *state;
	struct process *machine;

	add_device(&f->result, "dax0.0", "dax0.0");
	f->result.look.devices.items[0].mode = MODE_DEVDAX;
	add_user(&f->result, "daos_engine", "engine.service", USE_MAP | USE_OPEN | USE_PIN);
	add_user(&f->result, "daos_engine", "engine.service", USE_MAP);
	add_user(&f->result, "spdk_tgt", "target.service", USE_OPEN);
	machine = add_process(&f->result, 0, "qemu-system-x86", "/dev/dax0.0");
	machine->vm = own("web1");
	machine->uses = USE_MAP | USE_PAGES;
	machine->pinned = 2;
	add_veto(&f->result, "page-reference", SEVERITY_HOLDER, EVICT_TERM, 4, "keeps pages");
	assert_string_equal(
		draw(f, 80),
		"dax0.0 devdax, dax0.0, 1024.00 MiB (1073.74 MB)\n"
		"├─ engine.service 2 processes, maps 2, open 1, pin 1                --evict=term\n"
			    "│  ├─ daos_engine[812] maps, open, pin /dev/dax0.0                  --evict=term\n"
			    "│  └─ daos_engine[812] maps /dev/dax0.0                             --evict=term\n"
			    "├─ spdk_tgt[812] (target.service) open /dev/dax0.0                  --evict=term\n"
			    "└─ qemu-system-x86[812] (vm web1) maps, 2 pinned pages /dev/dax0.0  --evict=term\n");
}

static void add_memory(struct result *result)
{
	struct holder *holder;
	struct memory_block *block;
	struct memory_owner *owner;

	add_device(result, "dax0.0", "dax0.0");
	result->look.devices.items[0].mode = MODE_SYSTEM_RAM;
	holder = look_add_holder(&result->look, HOLDER_MEMORY, 0, 0, "system RAM of dax0.0");
	holder->memory.block_size = GIB;
	block = array_add(&holder->memory.blocks);
	*block = (struct memory_block){ .number = 8, .state = MEMORY_ONLINE };
	holder->memory.use_known = true;
	holder->memory.used[MEMORY_ANONYMOUS] = GIB / 2;
	owner = array_add(&holder->memory.owners);
	*owner = (struct memory_owner){ .name = own("postgres.service"), .bytes = GIB / 4, .pinned = 2 };
}

static void who_uses_memory_is_not_cut(void **state)
{
	struct fixture *f = *state;

	add_memory(&f->result);
	assert_string_equal(draw(f, 0), "dax0.0 system-ram, dax0.0, 1024.00 MiB (1073.74 MB)\n"
					"└─ system RAM of dax0.0 1 of 1 blocks online, 1024.00 MiB (1073.74 MB) "
					"online, 512.00 MiB (536.87 MB) "
					"in use, 256.00 MiB (268.44 MB) by postgres.service (2 pages pinned)\n");
	assert_string_equal(draw(f, 80),
			    "dax0.0 system-ram, dax0.0, 1024.00 MiB (1073.74 MB)\n"
			    "└─ system RAM of dax0.0\n"
			    "      1 of 1 blocks online, 1024.00 MiB (1073.74 MB) online, 512.00 MiB (536.87\n"
			    "      MB) in use, 256.00 MiB (268.44 MB) by postgres.service (2 pages pinned)\n");
	for (size_t columns = 30; columns < 200; columns++) {
		assert_fits(draw(f, columns), columns);
		assert_holds(draw(f, columns), "postgres.service");
	}
}

static void the_graph_is_well_formed(void **state)
{
	struct fixture *f = *state;
	const char *text;

	fill_busy(&f->result, 9);
	add_process(&f->result, 2, "a\"b\\{|}<x>&\n", "/srv/db/\\N \\G \\l\xff");
	text = draw_dot(f, false);
	assert_is_dot(text);
	assert_holds(text, "a\\\"b\\\\\\{\\|\\}\\<x\\>&amp;\\\\x0a[812]");
	assert_holds(text, "/srv/db/\\\\N \\\\G \\\\l\\\\xff");
	assert_holds(text, "postgres.service|9 processes, maps 8, open 9|--evict=term|postgres[812] open");
	assert_holds(text, "\\land 3 more\\l\"");
	assert_holds(text, "\n\t}\n\tn0 -> n1;\n\tn1 -> n2;\n");
	text = draw_dot(f, true);
	assert_is_dot(text);
	assert_null(strstr(text, "more"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(it_goes_from_the_device_to_its_users),
		TEST(a_device_says_what_was_counted_of_it),
		TEST(a_character_set_without_lines_gets_ascii),
		TEST(a_narrow_page_has_the_options_below),
		TEST(many_processes_of_a_unit_are_summed),
		TEST(many_processes_without_a_unit_are_summed_too),
		TEST(a_long_path_gives_way_in_its_middle),
		TEST(hostile_names_stay_on_their_line),
		TEST(deep_stacks_fit),
		TEST(nesting_beyond_reason_is_an_error),
		TEST(colour_is_only_where_it_is_wanted),
		TEST(a_circle_of_mounts_is_shown),
		TEST(users_of_a_device_dax_are_right_below_it),
		TEST(who_uses_memory_is_not_cut),
		TEST(the_graph_is_well_formed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
